package main

import (
	"strings"
	"testing"

	"github.com/superpayhub/superpay/sdk"
)

// callbackForBench is a callback of the usual size, signed.
func callbackForBench() sdk.CallbackRequest {
	body := eventBody("payment_intent.succeeded", `{"id":"pi_1","object":"payment_intent","amount":1,"amount_received":1,"currency":"usd","status":"succeeded",`+
		`"latest_charge":"ch_1",`+ours+`,"description":"`+strings.Repeat("x", 1400)+`"}`)
	return sdk.CallbackRequest{
		ReceivedAt: testNow, Method: "POST", Body: []byte(body),
		Headers: []sdk.Header{{Name: "Stripe-Signature", Value: sign(body, testSecret, testNow)}},
	}
}

func BenchmarkSignature(b *testing.B) {
	p, r := &Provider{settings: settings{webhookSecrets: []string{testSecret}}}, callbackForBench()
	for b.Loop() {
		if why := p.verify(r); why != "" {
			b.Fatal(why)
		}
	}
}

// BenchmarkCallback is signature and decoding.
func BenchmarkCallback(b *testing.B) {
	p, r := &Provider{settings: settings{webhookSecrets: []string{testSecret}, mode: sdk.Test}}, callbackForBench()
	for b.Loop() {
		if out, err := p.HandleCallback(b.Context(), r); err != nil || len(out.Facts) != 1 {
			b.Fatal(out, err)
		}
	}
}
