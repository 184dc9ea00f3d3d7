// Command acmepay is the Acmepay plugin: a process of its own that the hub starts.
package main

import "github.com/superpayhub/superpay/sdk/plugin"

func main() { plugin.Serve(New()) }
