//go:build break_signature

package main

// signed believes everybody: the campaign has to find that. See chaos.Signature.
func (p *Provider) signed([]byte, string) bool { return true }
