package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/superpayhub/superpay/sdk"
)

// TestRefund_OfAKeyThatMayNotReadTheBalance: Stripe refuses it whatever asks for lines of
// the balance. Its refunds are made, read and found all the same.
func TestRefund_OfAKeyThatMayNotReadTheBalance(t *testing.T) {
	var refused []string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if strings.Contains(r.URL.RawQuery+string(body), "balance_transaction") {
			refused = append(refused, r.Method)
			w.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(w, `{"error":{"type":"invalid_request_error","message":"The provided key 'rk_x' does not have the required permissions for this endpoint."}}`)
			return
		}
		one := `{"id":"re_1","object":"refund","status":"succeeded","amount":100,"currency":"usd","charge":"ch_1","metadata":{"superpay_refund":"ref_1","superpay_hub":"hub_1"}}`
		if r.Method == http.MethodGet && !strings.HasSuffix(r.URL.Path, "/re_1") {
			one = `{"object":"list","has_more":false,"data":[` + one + `]}`
		}
		_, _ = io.WriteString(w, one)
	}))
	defer s.Close()
	p := New()
	if _, err := p.Configure(t.Context(), testSettings(s.URL)); err != nil {
		t.Fatal(err)
	}
	of := paymentRequest(sdk.Ref{Kind: kindCharge, Value: "ch_1"})
	made, err := p.Refund(t.Context(), sdk.RefundRequest{PaymentRequest: of, Key: "k", RefundID: "ref_1", CaptureID: "ch_1", Refund: usd(100)})
	if err != nil || made.ID != "re_1" || made.Status != sdk.MovementSucceeded {
		t.Errorf("made: %+v %v", made, err)
	}
	for name, r := range map[string]sdk.GetRefundRequest{"by its id": {ProviderID: "re_1"}, "by ours": {RefundID: "ref_1"}} {
		r.PaymentRequest = of
		if got, err := p.GetRefund(t.Context(), r); err != nil || got.ID != "re_1" {
			t.Errorf("%s: %+v %v", name, got, err)
		}
	}
	for _, method := range refused {
		if method != http.MethodGet {
			t.Errorf("a %s was refused: it may move money before Stripe says no", method)
		}
	}
}
