package sandbox_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/plutov/paypal/v4"
	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/plugins/paypal/sandbox"
	"github.com/superpayhub/superpay/sdk/plugintest/standin"
)

func TestOrder_WholeLifeWithTheLibrary(t *testing.T) {
	t.Parallel()
	s, ctx := newStand(t), t.Context()
	o := s.create("CAPTURE", "10.5", "USD")
	require.Equal(t, "CREATED", o.Status)
	require.Equal(t, "10.50", o.PurchaseUnits[0].Amount.Value, "the echo is another spelling")
	require.Equal(t, merchant, o.PurchaseUnits[0].Payee.MerchantID)
	var page string
	for _, l := range o.Links {
		if l.Rel == "approve" {
			page = l.Href
		}
	}
	require.Equal(t, s.base+"/checkoutnow?token="+o.ID, page)

	_, err := s.api.CaptureOrder(ctx, o.ID, paypal.CaptureOrderRequest{})
	require.ErrorContains(t, err, "ORDER_NOT_APPROVED")
	require.Equal(t, "http://shop.test/cart?token="+o.ID, s.choose(o.ID, "cancel"))
	require.Equal(t, "http://shop.test/back?PayerID=JANE2SANDB2X2&token="+o.ID+"&x=1", s.choose(o.ID, "approve"))
	got, err := s.api.GetOrder(ctx, o.ID)
	require.NoError(t, err)
	require.Equal(t, "APPROVED", got.Status)
	require.Equal(t, "jane@personal.example.com", got.Payer.EmailAddress)

	captured, err := s.api.CaptureOrder(ctx, o.ID, paypal.CaptureOrderRequest{})
	require.NoError(t, err)
	require.Equal(t, "COMPLETED", captured.Status)
	id := captured.PurchaseUnits[0].Payments.Captures[0].ID
	detail, err := s.api.CapturedDetail(ctx, id)
	require.NoError(t, err)
	require.Equal(t, "att_1", detail.CustomID)
	require.Equal(t, "10.50", detail.SellerReceivableBreakdown.GrossAmount.Value)

	refund, err := s.api.RefundCapture(ctx, id, paypal.RefundCaptureRequest{Amount: &paypal.Money{Currency: "USD", Value: "4"}})
	require.NoError(t, err)
	require.Equal(t, "4.00", refund.Amount.Value)
	s.eventually("CHECKOUT.ORDER.APPROVED", "PAYMENT.CAPTURE.COMPLETED", "PAYMENT.CAPTURE.REFUNDED")
	books, err := s.doors.Books(ctx)
	require.NoError(t, err)
	require.Equal(t, "succeeded", books.Captures[0].Status)
	require.Equal(t, o.ID, books.Captures[0].PaymentID)
	require.Equal(t, map[string]string{"superpay_attempt": "att_1"}, books.Captures[0].Metadata)
	require.Equal(t, "4.00", books.Refunds[0].Amount)
}

func TestOrder_WithPaymentSourceAsksThePayerDifferently(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	body := strings.Replace(orderBody("CAPTURE", "EUR", "1"), `{"intent"`, `{"payment_source":{"paypal":{"experience_context":{"return_url":
		"http://localhost/r","payment_method_preference":"IMMEDIATE_PAYMENT_REQUIRED"}}},"intent"`, 1)
	require.Equal(t, "PAYPAL_REQUEST_ID_REQUIRED", s.ask("POST", "/v2/checkout/orders", body).issue())
	r := s.ask("POST", "/v2/checkout/orders", body, "PayPal-Request-Id", "k1", "Prefer", "return=minimal")
	require.Equal(t, http.StatusCreated, r.status, r.raw)
	require.Equal(t, "PAYER_ACTION_REQUIRED", r.Status)
	require.NotEmpty(t, r.link("payer-action"))
	require.Empty(t, r.Units, "minimal tells no amounts")
	status, _, page := s.post("/checkoutnow", "token", r.ID, "choice", "echeck")
	require.Equal(t, http.StatusPaymentRequired, status, page)
	require.Equal(t, "ORDER_NOT_APPROVED", s.ask("POST", "/v2/checkout/orders/"+r.ID+"/capture", "").issue())

	require.Equal(t, "http://localhost/r?PayerID=JANE2SANDB2X2&token="+r.ID, s.choose(r.ID, "instrument_declined"))
	path := "/v2/checkout/orders/" + r.ID + "/capture"
	refused := s.ask("POST", path, `{"payment_source":null}`, "PayPal-Request-Id", "c1")
	require.Equal(t, "INSTRUMENT_DECLINED", refused.issue())
	require.NotEmpty(t, refused.link("redirect"))
	require.Equal(t, "PAYER_ACTION_REQUIRED", s.ask("POST", path, "").issue())
	s.choose(r.ID, "approve")
	done := s.ask("POST", path, "", "PayPal-Request-Id", "c1")
	require.Equal(t, http.StatusCreated, done.status, "a refusal uses no request id up")
	require.Equal(t, "ORDER_ALREADY_CAPTURED", s.ask("POST", path, "").issue())
	require.Equal(t, "ACTION_DOES_NOT_MATCH_INTENT", s.ask("POST", strings.Replace(path, "capture", "authorize", 1), "").issue())
}

func TestOrder_TooManyDeclines(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	id := s.create("CAPTURE", "1", "EUR").ID
	for range 5 {
		s.choose(id, "instrument_declined")
		require.Equal(t, "INSTRUMENT_DECLINED", s.ask("POST", "/v2/checkout/orders/"+id+"/capture", "").issue())
	}
	s.choose(id, "approve")
	require.Equal(t, "MAX_NUMBER_OF_PAYMENT_ATTEMPTS_EXCEEDED", s.ask("POST", "/v2/checkout/orders/"+id+"/capture", "").issue())
}

func TestOrder_IsAsStrictAsPayPal(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	good := orderBody("CAPTURE", "USD", "10.00")
	for _, c := range []struct{ want, old, fresh string }{
		{"MALFORMED_REQUEST_JSON", `}]}`, `}]`},
		{"MISSING_REQUIRED_PARAMETER", `"intent":"CAPTURE",`, ``},
		{"INVALID_PARAMETER_VALUE", `CAPTURE`, `SALE`},
		{"INVALID_PARAMETER_SYNTAX", `10.00`, `10,00`},
		{"INVALID_PARAMETER_SYNTAX", `"10.00"`, `10`},
		{"INVALID_STRING_LENGTH", `att_1`, strings.Repeat("x", 128)},
		{"INVALID_CURRENCY_CODE", `USD`, `KRW`},
		{"DECIMAL_PRECISION", `10.00`, `10.001`},
		{"CANNOT_BE_ZERO_OR_NEGATIVE", `10.00`, `0`},
		{"MAX_VALUE_EXCEEDED", `10.00`, `1000000000000000`},
		{"AMOUNT_MISMATCH", `"10.00"}`, `"10.00","breakdown":{"item_total":{"currency_code":"USD","value":"9"}}}`},
		{"ITEM_TOTAL_REQUIRED", `"custom_id"`, `"items":[{"name":"x","quantity":"1","unit_amount":{"currency_code":"USD","value":"9"}}],"custom_id"`},
		{"ITEM_TOTAL_MISMATCH", `"10.00"}`, `"10.00","breakdown":{"item_total":{"currency_code":"USD","value":"10"}}},
			"items":[{"name":"x","quantity":"3","unit_amount":{"currency_code":"USD","value":"3"}}]`},
		{"REFERENCE_ID_REQUIRED", `[{`, `[{"amount":{"currency_code":"USD","value":"1"}},{`},
		{"PAYEE_ACCOUNT_INVALID", `"custom_id"`, `"payee":{"merchant_id":"x"},"custom_id"`},
		{"PAYEE_NOT_ENABLED_FOR_CARD_PROCESSING", `{"intent"`, `{"payment_source":{"card":{"number":"4111111111111111"}},"intent"`},
		{"NOT_SUPPORTED", `{"intent"`, `{"payment_source":{"venmo":{}},"intent"`},
	} {
		r := s.ask("POST", "/v2/checkout/orders", strings.Replace(good, c.old, c.fresh, 1), "PayPal-Request-Id", "x")
		require.Equal(t, c.want, r.issue(), "%s: %s", c.fresh, r.raw)
		require.Contains(t, []int{400, 422}, r.status)
		require.Contains(t, r.raw, r.header.Get("Paypal-Debug-Id"))
	}
	require.Equal(t, http.StatusUnsupportedMediaType, s.ask("POST", "/v2/checkout/orders", good, "Content-Type", "text/plain").status)
	require.Equal(t, "INVALID_RESOURCE_ID", s.ask("GET", "/v2/checkout/orders/NONE", "").issue())
	require.Equal(t, http.StatusNotFound, s.ask("POST", "/v2/checkout/orders/NONE/track", "{}").status)
	require.Empty(t, s.server.Books().Payments)
}

func TestOrder_CurrenciesWithoutDecimals(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	for _, c := range []struct{ currency, value, books string }{
		{"HUF", "1000", "1000.00"}, {"JPY", "1000", "1000"}, {"TWD", "1000", "1000.00"}, {"USD", "1000", "1000.00"},
	} {
		r := s.ask("POST", "/v2/checkout/orders", orderBody("CAPTURE", c.currency, c.value+".00"))
		if c.currency == "USD" {
			require.Equal(t, http.StatusCreated, r.status)
		} else {
			require.Equal(t, "DECIMALS_NOT_SUPPORTED", r.issue())
		}
		paid := s.paid(c.value, c.currency, "approve")
		for _, b := range s.server.Books().Captures {
			if b.ID == paid.ID {
				require.Equal(t, c.books, b.Amount)
			}
		}
	}
}

func TestOrder_SameRequestIDAnswersWithTheLatestState(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	create := func(value string) reply {
		return s.ask("POST", "/v2/checkout/orders", orderBody("CAPTURE", "USD", value), "PayPal-Request-Id", "k")
	}
	first := create("10")
	require.Equal(t, http.StatusCreated, first.status)
	_, _, _ = s.post("/checkoutnow", "token", first.ID, "choice", "approve") // it has no return_url
	again := create("99")
	require.Equal(t, http.StatusOK, again.status)
	require.Equal(t, first.ID, again.ID, "another body is not noticed")
	require.Equal(t, "APPROVED", again.Status)
	s.clock.advance(6*time.Hour + time.Minute)
	require.NotEqual(t, first.ID, create("10").ID, "request ids of orders are stored for six hours")
	require.Equal(t, http.StatusBadRequest,
		s.ask("POST", "/v2/checkout/orders", "{}", "PayPal-Request-Id", strings.Repeat("x", 109)).status)

	careless := newStand(t, func(o *sandbox.Options) { o.Disable = []string{"idempotency"} })
	for range 2 {
		careless.ask("POST", "/v2/checkout/orders", orderBody("CAPTURE", "USD", "1"), "PayPal-Request-Id", "k")
	}
	require.Len(t, careless.server.Books().Payments, 2)
}

func TestOrder_LostAnswerIsFoundByItsRequestID(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	id := s.approved("CAPTURE", "10", "USD", "approve")
	path := "/v2/checkout/orders/" + id + "/capture"
	require.NoError(t, s.doors.AddFault(t.Context(), standin.Fault{Method: "POST", Path: path, Action: standin.DropAfter, Times: 1}))
	_, err := s.try("POST", path, "{}", "PayPal-Request-Id", "cap")
	require.Error(t, err)
	r := s.ask("POST", path, "{}", "PayPal-Request-Id", "cap")
	require.Equal(t, http.StatusOK, r.status)
	require.Equal(t, "COMPLETED", r.Units[0].Payments.Captures[0].Status)
	require.Len(t, s.server.Books().Captures, 1)
}

func TestOrder_OneCaptureAtATime(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	id := s.approved("CAPTURE", "10", "USD", "approve")
	path := "/v2/checkout/orders/" + id + "/capture"
	require.NoError(t, s.doors.AddFault(t.Context(), standin.Fault{Path: path, Action: standin.Delay, DelayMS: 400, Times: 1}))
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		defer cancel()
		_, _ = s.try("POST", path, "")
	}()
	require.Eventually(t, func() bool {
		list, _ := s.doors.Requests(t.Context())
		return list[len(list)-1].Path == path
	}, 30*time.Second, 5*time.Millisecond)
	require.Equal(t, "ORDER_COMPLETION_IN_PROGRESS", s.ask("POST", path, "").issue())
	<-ctx.Done()
	require.Equal(t, "ORDER_ALREADY_CAPTURED", s.ask("POST", path, "").issue())
}

func TestOrder_RunsOut(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	forgotten, lapsed := s.create("CAPTURE", "1", "USD").ID, s.approved("CAPTURE", "2", "USD", "approve")
	pressed := s.create("CAPTURE", "3", "USD").ID
	s.press("orders/" + pressed + "/expire")
	require.Equal(t, http.StatusNotFound, s.ask("GET", "/v2/checkout/orders/"+pressed, "").status)
	s.clock.advance(3*time.Hour + time.Minute)
	require.Equal(t, http.StatusNotFound, s.ask("GET", "/v2/checkout/orders/"+forgotten, "").status)
	require.Equal(t, "VOIDED", s.ask("GET", "/v2/checkout/orders/"+lapsed, "").Status)
	require.Equal(t, "ORDER_EXPIRED", s.ask("POST", "/v2/checkout/orders/"+lapsed+"/capture", "").issue())
	news := s.event("CHECKOUT.PAYMENT-APPROVAL.REVERSED")
	require.Contains(t, string(news.Resource), fmt.Sprintf(`"order_id":%q`, lapsed))
	require.NotContains(t, string(news.Resource), `"status"`)
}

func TestOrder_PatchCorrectsAUnit(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	id := s.create("CAPTURE", "1", "USD").ID
	require.NoError(t, s.api.UpdateOrder(t.Context(), id, "replace", "/purchase_units/@reference_id=='default'/amount",
		map[string]string{"currency_code": "USD", "value": "7.00"}))
	patch := `[{"op":"replace","path":"/purchase_units/@reference_id=='default'/custom_id","value":"att_2"}]`
	require.Equal(t, http.StatusNoContent, s.ask("PATCH", "/v2/checkout/orders/"+id, patch).status)
	got := s.ask("GET", "/v2/checkout/orders/"+id, "")
	require.Equal(t, "att_2", got.Units[0].CustomID)
	require.Equal(t, "7.00", got.Units[0].Amount.Value)
	require.Equal(t, "NOT_PATCHABLE", s.ask("PATCH", "/v2/checkout/orders/"+id, strings.Replace(patch, "custom_id", "payee", 1)).issue())
	for want, c := range map[string][2]string{
		"REFERENCE_ID_NOT_FOUND": {"default", "other"}, "INVALID_PATCH_OPERATION": {"replace", "remove"},
		"INVALID_STRING_LENGTH": {"att_2", strings.Repeat("x", 128)}, "INVALID_PARAMETER_SYNTAX": {`"att_2"`, "2"},
	} {
		require.Equal(t, want, s.ask("PATCH", "/v2/checkout/orders/"+id, strings.Replace(patch, c[0], c[1], 1)).issue())
	}
	s.choose(id, "approve")
	dearer := `[{"op":"replace","path":"/purchase_units/@reference_id=='default'/amount","value":{"currency_code":"USD","value":"8"}}]`
	require.Equal(t, "AMOUNT_CHANGE_NOT_ALLOWED", s.ask("PATCH", "/v2/checkout/orders/"+id, dearer).issue())
	_, err := s.api.CaptureOrder(t.Context(), id, paypal.CaptureOrderRequest{})
	require.NoError(t, err)
	require.Equal(t, "ORDER_ALREADY_COMPLETED", s.ask("PATCH", "/v2/checkout/orders/"+id, patch).issue())
}

func TestToken_WrongSecretRevocationAndEnd(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	wrong, err := paypal.NewClient(clientID, "wrong", s.base)
	require.NoError(t, err)
	_, err = wrong.GetAccessToken(t.Context())
	var refused *paypal.ErrorResponse
	require.ErrorAs(t, err, &refused)
	require.Equal(t, http.StatusUnauthorized, refused.Response.StatusCode)
	require.Equal(t, "AUTHENTICATION_FAILURE", s.ask("GET", "/v2/checkout/orders/X", "", "Authorization", "").Name)

	get := func() reply { return s.ask("GET", "/v2/checkout/orders/X", "") }
	require.Equal(t, http.StatusNotFound, get().status)
	status, _, _ := s.post("/_sandbox/tokens/revoke")
	require.Equal(t, http.StatusNoContent, status)
	require.Contains(t, get().raw, "invalid_token")
	s.login()
	require.Equal(t, http.StatusNotFound, get().status)
	s.clock.advance(9*time.Hour + time.Second)
	require.Contains(t, get().raw, "invalid_token")
}
