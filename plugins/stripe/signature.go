//go:build !break_signature

package main

import "github.com/stripe/stripe-go/v76/webhook"

// signed reports whether one of our secrets signed the body.
func (p *Provider) signed(body []byte, header string) bool {
	for _, secret := range p.settings.webhookSecrets {
		if webhook.ValidatePayloadIgnoringTolerance(body, header, secret) == nil {
			return true
		}
	}
	return false
}
