package main

import (
	"net/http"
	"testing"
	"time"

	"github.com/superpayhub/superpay/sdk"
)

// TestReadOrder_FinalCaptureOfAPart: PayPal calls an authorization partially captured by the
// amount. Where the capture was final, as the hub's are, the rest was released.
func TestReadOrder_FinalCaptureOfAPart(t *testing.T) {
	for final, want := range map[bool]sdk.Status{true: sdk.Succeeded, false: sdk.RequiresCapture} {
		body := doc("COMPLETED", func(_, u map[string]any) {
			p := paid("COMPLETED")
			c := p["captures"].([]any)[0].(map[string]any)
			c["final_capture"], c["amount"] = final, map[string]any{"currency_code": "EUR", "value": "50.00"}
			p["authorizations"] = []any{map[string]any{
				"id": "AUTH1", "status": "PARTIALLY_CAPTURED", "amount": map[string]any{"currency_code": "EUR", "value": "99.99"},
				"expiration_time": time.Now().Add(20 * 24 * time.Hour).UTC().Format(time.RFC3339),
			}}
			u["payments"] = p
		})
		f := newFake(t, routes(t, map[string]http.HandlerFunc{"GET /v2/checkout/orders/" + testOrder: say(200, body)}))
		out, err := newTestProvider(t, f).GetPayment(t.Context(), paymentRequest("server", orderRef()))
		if err != nil || out.Status != want {
			t.Errorf("final %v: %+v %v", final, out, err)
		}
	}
}
