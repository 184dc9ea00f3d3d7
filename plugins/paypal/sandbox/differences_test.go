package sandbox_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/plugins/paypal/sandbox"
	"github.com/superpayhub/superpay/sdk/plugintest/standin"
)

// bare posts without a body and without a type, as PayPal's own libraries void.
func (s *stand) bare(path string, headers ...string) reply {
	s.t.Helper()
	return s.ask("POST", path, "", append([]string{"Content-Type", ""}, headers...)...)
}

func TestVoid_NeedsNeitherBodyNorType(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	path := "/v2/payments/authorizations/" + s.authorized("approve").ID
	require.Equal(t, http.StatusUnsupportedMediaType, s.bare(path+"/capture").status, "other calls do")
	require.Equal(t, http.StatusUnsupportedMediaType, s.ask("POST", path+"/void", "x=1", "Content-Type", "text/plain").status)
	for range 2 { // PayPal keeps its request id, too
		r := s.bare(path+"/void", "PayPal-Request-Id", "v1", "Prefer", "return=minimal")
		require.Equal(t, http.StatusNoContent, r.status, r.raw)
		require.Empty(t, r.raw)
	}
	require.Equal(t, "VOIDED", s.bare(path+"/void", "PayPal-Request-Id", "v1").Status)
	require.Equal(t, "PREVIOUSLY_VOIDED", s.bare(path+"/void", "PayPal-Request-Id", "v2").issue())
}

func TestCapture_MinimalAnswerHoldsThePayments(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	for intent, payments := range map[string]func(reply) []thing{
		"CAPTURE":   func(r reply) []thing { return r.Units[0].Payments.Captures },
		"AUTHORIZE": func(r reply) []thing { return r.Units[0].Payments.Authorizations },
	} {
		path := "/v2/checkout/orders/" + s.approved(intent, "10", "USD", "approve") + "/" + strings.ToLower(intent)
		for range 2 {
			r := s.ask("POST", path, "", "Prefer", "return=minimal", "PayPal-Request-Id", "k")
			require.Equal(t, "COMPLETED", r.Status, r.raw)
			require.Equal(t, "10.00", payments(r)[0].Amount.Value)
			require.Contains(t, r.raw, "payer_id")
			require.Empty(t, r.Units[0].Amount.Value, "the unit itself is not told")
			require.NotContains(t, r.raw, `"intent"`)
		}
	}
}

func TestRequest_UnknownFieldsAreIgnoredUnlessStrict(t *testing.T) {
	t.Parallel()
	body := strings.Replace(orderBody("CAPTURE", "USD", "1"), `"custom_id"`, `"customid"`, 1)
	ignored := newStand(t).ask("POST", "/v2/checkout/orders", body)
	require.Equal(t, http.StatusCreated, ignored.status, ignored.raw)
	require.Empty(t, ignored.Units[0].CustomID)
	strict := newStand(t, func(o *sandbox.Options) { o.Strict = true })
	refused := strict.ask("POST", "/v2/checkout/orders", body)
	require.Equal(t, "MALFORMED_REQUEST_JSON", refused.issue())
	require.Contains(t, refused.raw, `"customid"`)
}

func TestCapture_TakesNoCards(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	path := "/v2/checkout/orders/" + s.approved("CAPTURE", "10", "USD", "approve") + "/capture"
	r := s.ask("POST", path, `{"payment_source":{"card":{"number":"4111111111111111"}}}`)
	require.Equal(t, http.StatusUnprocessableEntity, r.status)
	require.Equal(t, "PAYEE_NOT_ENABLED_FOR_CARD_PROCESSING", r.issue())
	require.Equal(t, http.StatusCreated, s.ask("POST", path, `{"payment_source":{"paypal":{}}}`).status)
}

func TestReads_Lag(t *testing.T) {
	t.Parallel()
	lagging := func(s *stand) {
		id := s.approved("CAPTURE", "10", "USD", "approve")
		path := "/v2/checkout/orders/" + id
		require.Equal(t, "APPROVED", s.ask("GET", path, "").Status)
		require.Equal(t, "COMPLETED", s.ask("POST", path+"/capture", "").Status)
		s.eventAbout("PAYMENT.CAPTURE.COMPLETED", id)
		require.Equal(t, "APPROVED", s.ask("GET", path, "").Status, "the event is faster than the read")
		require.Eventually(t, func() bool { return s.ask("GET", path, "").Status == "COMPLETED" }, 30*time.Second, 20*time.Millisecond)
	}
	lagging(newStand(t, func(o *sandbox.Options) { o.ReadLag = time.Second }))
	byDoor := newStand(t)
	require.NoError(t, byDoor.doors.AddFault(t.Context(), standin.Fault{Path: "/v2/checkout/", Action: standin.Stale, DelayMS: 1000}))
	lagging(byDoor)
	_, err := sandbox.New(sandbox.Options{
		ClientID: clientID, ClientSecret: secret, MerchantID: merchant, WebhookID: webhook, PublicURL: "http://localhost", ReadLag: time.Hour,
	})
	require.ErrorContains(t, err, "lag by 1h")
}

func TestDispute_OfAPart(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	paid := s.paid("10", "USD", "approve")
	status, _, _ := s.post("/dashboard/captures/"+paid.ID+"/dispute", "kind", "chargeback", "amount", "10.01")
	require.Equal(t, http.StatusConflict, status)
	s.press("captures/"+paid.ID+"/dispute", "kind", "chargeback", "amount", "4")
	dispute := s.server.Books().Disputes[0]
	require.Equal(t, "4.00", dispute.Amount)
	s.press("disputes/" + dispute.ID + "/lose")
	raw := s.ask("GET", "/v1/customer/disputes/"+dispute.ID, "").raw
	require.Contains(t, raw, `"dispute_amount":{"currency_code":"USD","value":"4.00"}`)
	require.Contains(t, raw, `"gross_amount":{"currency_code":"USD","value":"10.00"}`)
	require.Contains(t, raw, `"amount_refunded":{"currency_code":"USD","value":"4.00"}`)
}

func TestDisputes_ThePermissionComesAndGoes(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	for body, status := range map[string]int{`{"disputes":false}`: http.StatusForbidden, `{"disputes":true}`: http.StatusOK} {
		require.Equal(t, http.StatusNoContent, s.door("permissions", body))
		require.Equal(t, status, s.ask("GET", "/v1/customer/disputes?page_size=1", "").status)
	}
}
