package sandbox_test

import (
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/plutov/paypal/v4"
	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/plugins/paypal/sandbox"
	"github.com/superpayhub/superpay/sdk/plugintest/standin"
)

func money(value, currency string) string {
	return fmt.Sprintf(`{"amount":{"currency_code":%q,"value":%q}}`, currency, value)
}

func TestRefund_NeverExceedsCaptured(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	paid := s.paid("10", "USD", "approve")
	path := "/v2/payments/captures/" + paid.ID + "/refund"
	first := s.ask("POST", path, money("4", "USD"), "PayPal-Request-Id", "r1")
	require.Equal(t, http.StatusCreated, first.status, first.raw)
	again := s.ask("POST", path, money("5", "USD"), "PayPal-Request-Id", "r1")
	require.Equal(t, http.StatusOK, again.status)
	require.Equal(t, first.ID, again.ID)
	require.Equal(t, "PARTIALLY_REFUNDED", s.ask("GET", "/v2/payments/captures/"+paid.ID, "").Status)
	require.Equal(t, "REFUND_CAPTURE_CURRENCY_MISMATCH", s.ask("POST", path, money("1", "EUR")).issue())
	require.Equal(t, "REFUND_AMOUNT_EXCEEDED", s.ask("POST", path, money("6.01", "USD")).issue())
	require.Equal(t, "CANNOT_BE_ZERO_OR_NEGATIVE", s.ask("POST", path, money("0", "USD")).issue())
	rest := s.ask("POST", path, "")
	require.Equal(t, "6.00", rest.Amount.Value)
	require.Equal(t, "10.00", rest.Breakdown.Total.Value)
	require.Equal(t, "CAPTURE_FULLY_REFUNDED", s.ask("POST", path, "").issue())
	require.Equal(t, "REFUNDED", s.ask("GET", "/v2/payments/captures/"+paid.ID, "").Status)
	got := s.ask("GET", "/v2/payments/refunds/"+first.ID, "")
	require.Equal(t, "4.00", got.Amount.Value)
	require.Equal(t, "att_1", got.CustomID)
	require.Contains(t, got.raw, "-07:00")
	s.clock.advance(44 * 24 * time.Hour)
	s.login()
	require.Equal(t, first.ID, s.ask("POST", path, "", "PayPal-Request-Id", "r1").ID, "request ids of refunds are stored for 45 days")

	news := s.event("PAYMENT.CAPTURE.REFUNDED")
	require.Equal(t, "refund", news.ResourceType)
	require.NotContains(t, string(news.Resource), `"capture_id"`)
	require.Contains(t, string(news.Resource), paid.ID, "only its link tells the capture")
}

func TestRefund_AtOnceFromManySidesStillFits(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	paid := s.paid("10", "USD", "approve")
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() { _, _ = s.try("POST", "/v2/payments/captures/"+paid.ID+"/refund", money("1", "USD")) })
	}
	all.Wait()
	require.Len(t, s.server.Books().Refunds, 10)

	careless := newStand(t, func(o *sandbox.Options) { o.Disable = []string{"over_refund"} })
	paid = careless.paid("10", "USD", "approve")
	require.Equal(t, http.StatusCreated, careless.ask("POST", "/v2/payments/captures/"+paid.ID+"/refund", money("11", "USD")).status)
}

func TestCapture_PendingAndDeclinedCompleteTheOrder(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	waits := s.paid("10", "USD", "echeck")
	require.Equal(t, "PENDING", waits.Status)
	require.Equal(t, "ECHECK", waits.StatusDetails.Reason)
	require.Equal(t, "PENDING_CAPTURE", s.ask("POST", "/v2/payments/captures/"+waits.ID+"/refund", "").issue())
	s.event("PAYMENT.CAPTURE.PENDING")
	s.press("captures/" + waits.ID + "/settle")
	require.Equal(t, "COMPLETED", s.ask("GET", "/v2/payments/captures/"+waits.ID, "").Status)
	s.event("PAYMENT.CAPTURE.COMPLETED")

	bounced := s.paid("11", "USD", "echeck")
	s.press("captures/" + bounced.ID + "/deny")
	failed := s.paid("12", "USD", "capture_declined")
	require.Equal(t, "DECLINED", failed.Status)
	require.Contains(t, string(s.event("PAYMENT.CAPTURE.DENIED").Resource), `"DECLINED"`)
	require.Equal(t, "REFUND_NOT_ALLOWED", s.ask("POST", "/v2/payments/captures/"+failed.ID+"/refund", "").issue())
	var statuses []string
	for _, b := range s.server.Books().Captures {
		statuses = append(statuses, b.Status)
	}
	require.Equal(t, []string{"succeeded", "failed", "failed"}, statuses)
}

func TestCapture_InvoiceIDsAreUnique(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	body := strings.Replace(orderBody("CAPTURE", "USD", "1"), `"custom_id"`, `"invoice_id":"inv-1","custom_id"`, 1)
	for i, want := range []string{"", "DUPLICATE_INVOICE_ID"} {
		o := s.ask("POST", "/v2/checkout/orders", body)
		require.Equal(t, http.StatusCreated, o.status)
		_, _, _ = s.post("/checkoutnow", "token", o.ID, "choice", "approve")
		require.Equal(t, want, s.ask("POST", "/v2/checkout/orders/"+o.ID+"/capture", "").issue(), i)
	}
}

// authorized makes an order of 10 USD whose money is held, and returns the
// authorization.
func (s *stand) authorized(way string) thing {
	s.t.Helper()
	return s.held("10", "USD", way)
}

func (s *stand) held(value, currency, way string) thing {
	s.t.Helper()
	id := s.approved("AUTHORIZE", value, currency, way)
	_, err := s.api.AuthorizeOrder(s.t.Context(), id, paypal.AuthorizeOrderRequest{})
	require.NoError(s.t, err)
	require.Equal(s.t, "ORDER_ALREADY_AUTHORIZED", s.ask("POST", "/v2/checkout/orders/"+id+"/authorize", "").issue())
	return s.ask("GET", "/v2/checkout/orders/"+id, "").Units[0].Payments.Authorizations[0]
}

func TestAuthorization_CapturedInPart(t *testing.T) {
	t.Parallel()
	s, ctx := newStand(t), t.Context()
	a := s.authorized("approve")
	path := "/v2/payments/authorizations/" + a.ID
	require.Equal(t, "MAX_CAPTURE_AMOUNT_EXCEEDED", s.ask("POST", path+"/capture", money("10.01", "USD")).issue())
	require.Equal(t, "AUTH_CAPTURE_CURRENCY_MISMATCH", s.ask("POST", path+"/capture", money("1", "EUR")).issue())
	part := s.ask("POST", path+"/capture", money("3", "USD"), "PayPal-Request-Id", "p1")
	require.Equal(t, http.StatusCreated, part.status, part.raw)
	require.False(t, part.FinalCapture)
	require.Contains(t, part.link("up"), path, "up is the authorization")
	require.NotEmpty(t, part.Related.IDs.Order)
	require.Equal(t, part.ID, s.ask("POST", path+"/capture", money("3", "USD"), "PayPal-Request-Id", "p1").ID)
	require.Equal(t, "PARTIALLY_CAPTURED", s.ask("GET", path, "").Status)

	last, err := s.api.CaptureAuthorization(ctx, a.ID, &paypal.PaymentCaptureRequest{
		Amount: &paypal.Money{Currency: "USD", Value: "2.00"}, FinalCapture: true,
	})
	require.NoError(t, err)
	require.True(t, last.FinalCapture)
	got, err := s.api.GetAuthorization(ctx, a.ID)
	require.NoError(t, err)
	require.Equal(t, "CAPTURED", got.Status)
	require.Equal(t, "AUTHORIZATION_ALREADY_CAPTURED", s.ask("POST", path+"/capture", money("1", "USD")).issue())
	require.Equal(t, "PREVIOUSLY_CAPTURED", s.ask("POST", path+"/void", "").issue())
	require.Len(t, s.server.Books().Captures, 2)
}

func TestAuthorization_VoidedOrLapsed(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	a := s.authorized("approve")
	path := "/v2/payments/authorizations/" + a.ID
	quiet := s.ask("POST", path+"/void", "", "Prefer", "return=minimal")
	require.Equal(t, http.StatusNoContent, quiet.status)
	require.Empty(t, quiet.raw)
	require.Equal(t, "PREVIOUSLY_VOIDED", s.ask("POST", path+"/void", "").issue())
	require.Equal(t, "AUTHORIZATION_VOIDED", s.ask("POST", path+"/capture", "").issue())
	voided, err := s.api.VoidAuthorization(t.Context(), s.authorized("approve").ID)
	require.NoError(t, err)
	require.Equal(t, "VOIDED", voided.Status)

	lapses := s.authorized("approve")
	s.clock.advance(29*24*time.Hour + time.Minute)
	s.login()
	require.Equal(t, "VOIDED", s.ask("GET", "/v2/payments/authorizations/"+lapses.ID, "").Status)
	require.Equal(t, "AUTHORIZATION_EXPIRED", s.ask("POST", "/v2/payments/authorizations/"+lapses.ID+"/capture", "").issue())
}

func TestAuthorization_DeclinedCaptureMayBeTriedAgain(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	a := s.authorized("capture_declined")
	r := s.ask("POST", "/v2/payments/authorizations/"+a.ID+"/capture", "")
	require.Equal(t, "DECLINED", r.Status)
	require.Equal(t, "CREATED", s.ask("GET", "/v2/payments/authorizations/"+a.ID, "").Status)
	s.press("authorizations/" + s.authorized("approve").ID + "/void")
	s.press("authorizations/"+s.authorized("approve").ID+"/capture", "amount", "4")
}

func TestDispute_FromOpenToLost(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	paid, other := s.paid("10", "USD", "approve"), s.paid("20", "USD", "approve")
	s.press("captures/"+paid.ID+"/dispute", "kind", "chargeback")
	s.press("captures/"+other.ID+"/dispute", "kind", "inquiry")
	list := s.ask("GET", "/v1/customer/disputes?disputed_transaction_id="+paid.ID, "")
	require.Equal(t, 1, strings.Count(list.raw, "dispute_id"), list.raw)
	one := s.ask("GET", "/v1/customer/disputes?page_size=1", "")
	require.NotEmpty(t, one.link("next"))
	id := s.server.Books().Disputes[0].ID
	require.Equal(t, "TRANSACTION_DISPUTED", s.ask("POST", "/v2/payments/captures/"+paid.ID+"/refund", money("1", "USD")).issue())
	s.press("disputes/" + id + "/respond")
	s.press("disputes/" + id + "/lose")
	got := s.ask("GET", "/v1/customer/disputes/"+id, "")
	require.Equal(t, "RESOLVED", got.Status)
	require.Contains(t, got.raw, "RESOLVED_BUYER_FAVOUR")
	require.Contains(t, got.raw, `"seller_transaction_id":"`+paid.ID)
	require.Equal(t, "REFUND_NOT_PERMITTED_DUE_TO_CHARGEBACK", s.ask("POST", "/v2/payments/captures/"+paid.ID+"/refund", "").issue())
	status, _, _ := s.post("/dashboard/disputes/" + id + "/win")
	require.Equal(t, http.StatusConflict, status)
	s.event("CUSTOMER.DISPUTE.UPDATED")
	require.NotContains(t, string(s.event("CUSTOMER.DISPUTE.RESOLVED").Resource), `"id":`)
	require.Equal(t, "lost", s.server.Books().Disputes[0].Status)
}

func TestDispute_EndsWhenTheMoneyIsBack(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	paid := s.paid("10", "USD", "approve")
	s.press("captures/"+paid.ID+"/dispute", "kind", "chargeback")
	s.press("captures/" + paid.ID + "/refund")
	id := s.server.Books().Disputes[0].ID
	raw := s.ask("GET", "/v1/customer/disputes/"+id, "").raw
	require.Contains(t, raw, "CANCELED_BY_BUYER")
	require.Contains(t, raw, `"CREDIT"`, "what the chargeback took is back with the merchant, who paid by the refund")
	status, _, _ := s.post("/dashboard/disputes/" + id + "/lose")
	require.Equal(t, http.StatusConflict, status)
}

func TestRefund_SameRequestIDAtOnceIsAConflict(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	path := "/v2/payments/captures/" + s.paid("10", "USD", "approve").ID + "/refund"
	require.NoError(t, s.doors.AddFault(t.Context(), standin.Fault{Path: path, Action: standin.Delay, DelayMS: 400, Times: 1}))
	var slow sync.WaitGroup
	slow.Go(func() { _, _ = s.try("POST", path, "", "PayPal-Request-Id", "r") })
	require.Eventually(t, func() bool {
		list, _ := s.doors.Requests(t.Context())
		return list[len(list)-1].Path == path
	}, 30*time.Second, 5*time.Millisecond)
	r := s.ask("POST", path, "", "PayPal-Request-Id", "r")
	require.Equal(t, http.StatusConflict, r.status)
	require.Equal(t, "PREVIOUS_REQUEST_IN_PROGRESS", r.issue())
	slow.Wait()
	require.Equal(t, http.StatusOK, s.ask("POST", path, "", "PayPal-Request-Id", "r").status)
}

func TestReversal_IsARefundTheMerchantDidNotMake(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	paid := s.paid("10", "USD", "approve")
	s.press("captures/"+paid.ID+"/refund", "amount", "4")
	s.press("captures/" + paid.ID + "/reverse")
	news := s.event("PAYMENT.CAPTURE.REVERSED")
	require.Equal(t, "refund", news.ResourceType)
	refunds := s.server.Books().Refunds
	require.Equal(t, "6.00", refunds[1].Amount)
	require.Contains(t, string(news.Resource), refunds[1].ID)
	require.Equal(t, "REFUND_NOT_PERMITTED_DUE_TO_CHARGEBACK", s.ask("POST", "/v2/payments/captures/"+paid.ID+"/refund", "").issue())
}

func TestState_OutlivesARestart(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "paypal.json")
	kept := func(o *sandbox.Options) { o.StateFile, o.WebhookURL = file, "" }
	s := newStand(t, kept)
	id := s.approved("CAPTURE", "10", "USD", "approve")
	paid := s.ask("POST", "/v2/checkout/orders/"+id+"/capture", "", "PayPal-Request-Id", "c").Units[0].Payments.Captures[0]
	part := s.ask("POST", "/v2/payments/captures/"+paid.ID+"/refund", money("4", "USD"), "PayPal-Request-Id", "r")
	s.press("captures/"+paid.ID+"/dispute", "kind", "inquiry")
	a := s.authorized("approve")
	before := s.server.Books()
	require.NoError(t, s.server.Close())

	next := newStand(t, kept)
	next.token = s.token // tokens outlive it too
	require.Equal(t, before, next.server.Books())
	require.Equal(t, s.server.CA(), next.server.CA())
	require.Equal(t, part.ID, next.ask("POST", "/v2/payments/captures/"+paid.ID+"/refund", "", "PayPal-Request-Id", "r").ID)
	require.Equal(t, paid.ID, next.ask("POST", "/v2/checkout/orders/"+id+"/capture", "", "PayPal-Request-Id", "c").Units[0].Payments.Captures[0].ID)
	require.Equal(t, http.StatusCreated, next.ask("POST", "/v2/payments/authorizations/"+a.ID+"/capture", "").status)
	next.press("disputes/" + before.Disputes[0].ID + "/win")
}
