//go:build break_signature

package main

import "crypto/rsa"

// isSigned believes everybody: the campaign has to find that. See
// chaos.Signature.
func isSigned(*rsa.PublicKey, transmission, []byte) bool { return true }
