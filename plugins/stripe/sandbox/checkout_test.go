package sandbox_test

import (
	"encoding/json"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/stripe/stripe-go/v76"
)

const (
	good         = "4242 4242 4242 4242"
	generic      = "4000000000000002"
	secure       = "4000002500003155"
	alwaysFought = "4000000000000259"
	slowRefund   = "4000000000007726"
	lostRefund   = "4000000000005126"
)

func TestCheckout_PaysAndCallsBack(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	cs := s.create(hosted(1000, "usd"))
	require.Nil(t, cs.PaymentIntent, "the intent is made at the first attempt")
	require.Equal(t, s.base+"/pay/"+cs.ID, cs.URL)
	require.EqualValues(t, "open", cs.Status)

	page, err := http.Get(cs.URL)
	require.NoError(t, err)
	html, _ := io.ReadAll(page.Body)
	page.Body.Close()
	require.Contains(t, string(html), "SANDBOX")
	require.Contains(t, string(html), "10.00 USD")
	require.NotContains(t, string(html), "<script")

	status, to, _ := s.post(cs.URL, "card_number", good, "email", "a@b.test")
	require.Equal(t, http.StatusSeeOther, status)
	require.Equal(t, "http://shop.test/done?s="+cs.ID, to)

	pi := s.intent(cs.ID)
	require.EqualValues(t, "succeeded", pi.Status)
	require.EqualValues(t, 1000, pi.AmountReceived)
	require.Equal(t, map[string]string{"attempt": "att_1"}, pi.Metadata)
	require.Equal(t, pi.Metadata, pi.LatestCharge.Metadata)
	require.True(t, pi.LatestCharge.Captured)

	s.eventually("payment_intent.created", "charge.succeeded", "payment_intent.succeeded", "checkout.session.completed")
	var done stripe.CheckoutSession
	require.NoError(t, json.Unmarshal(s.event("checkout.session.completed").Data.Raw, &done))
	require.EqualValues(t, "paid", done.PaymentStatus)
	require.Equal(t, "order-1", done.ClientReferenceID)
	require.Equal(t, pi.ID, done.PaymentIntent.ID)

	books, err := s.doors.Books(t.Context())
	require.NoError(t, err)
	require.Len(t, books.Captures, 1)
	require.Equal(t, "10.00", books.Captures[0].Amount)
	require.Equal(t, "USD", books.Captures[0].Currency)
	require.Equal(t, pi.ID, books.Captures[0].PaymentID)

	status, _, _ = s.post(s.base+"/pay/"+cs.ID, "card_number", good)
	require.Equal(t, http.StatusOK, status, "a complete session takes no second payment")
	books, _ = s.doors.Books(t.Context())
	require.Len(t, books.Captures, 1)
}

func TestCheckout_EmbeddedEndsAtReturnURL(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	p := hosted(1000, "usd")
	p.UIMode = stripe.String("embedded")
	_, err := s.api.CheckoutSessions.New(p)
	require.Equal(t, "success_url", stripeError(t, err).Param)

	p = hosted(1000, "usd")
	p.UIMode, p.SuccessURL, p.CancelURL = stripe.String("embedded"), nil, nil
	_, err = s.api.CheckoutSessions.New(p)
	require.Equal(t, "return_url", stripeError(t, err).Param)
	p = hosted(1000, "usd")
	p.UIMode, p.SuccessURL, p.CancelURL = stripe.String("embedded"), nil, nil
	p.ReturnURL = stripe.String("http://shop.test/back/{CHECKOUT_SESSION_ID}")
	cs := s.create(p)
	require.NotEmpty(t, cs.ClientSecret)
	require.Empty(t, cs.URL)
	page, err := http.Get(s.base + "/embed/" + cs.ID)
	require.NoError(t, err)
	page.Body.Close()
	require.Equal(t, http.StatusOK, page.StatusCode)
	_, to, _ := s.post("/pay/"+cs.ID, "card_number", good)
	require.Equal(t, "http://shop.test/back/"+cs.ID, to)
}

func TestCheckout_DeclineLeavesTheSessionOpen(t *testing.T) {
	t.Parallel()
	for card, want := range map[string][2]string{
		generic: {"card_declined", "generic_decline"}, "4000000000009995": {"card_declined", "insufficient_funds"},
		"4000000000009987": {"card_declined", "lost_card"}, "4000000000000069": {"expired_card", ""},
		"4000000000000127": {"incorrect_cvc", ""}, "4111111111111111": {"incorrect_number", ""},
	} {
		t.Run(card, func(t *testing.T) {
			t.Parallel()
			s := newStand(t)
			cs := s.create(hosted(1000, "usd"))
			status, _, html := s.post(cs.URL, "card_number", card)
			require.Equal(t, http.StatusPaymentRequired, status)
			require.Contains(t, html, "Your card")
			pi := s.intent(cs.ID)
			require.EqualValues(t, "requires_payment_method", pi.Status)
			require.EqualValues(t, want[0], pi.LastPaymentError.Code)
			require.EqualValues(t, want[1], pi.LastPaymentError.DeclineCode)
			s.event("payment_intent.payment_failed")

			_, err := s.api.PaymentIntents.Cancel(pi.ID, &stripe.PaymentIntentCancelParams{})
			require.EqualValues(t, "payment_intent_unexpected_state", stripeError(t, err).Code)
			status, _, _ = s.post(cs.URL, "card_number", good)
			require.Equal(t, http.StatusSeeOther, status)
			require.Equal(t, pi.ID, s.intent(cs.ID).ID, "another card, the same intent")
		})
	}
}

func TestCheckout_ThreeDSecure(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	cs := s.create(hosted(1000, "usd"))
	_, to, _ := s.post(cs.URL, "card_number", secure)
	require.Equal(t, cs.URL+"/3ds", to)
	require.EqualValues(t, "requires_action", s.intent(cs.ID).Status)
	s.event("payment_intent.requires_action")

	status, _, _ := s.post(to, "result", "fail")
	require.Equal(t, http.StatusPaymentRequired, status)
	require.EqualValues(t, "payment_intent_authentication_failure", s.intent(cs.ID).LastPaymentError.Code)

	s.post(cs.URL, "card_number", secure)
	status, to, _ = s.post(to, "result", "complete")
	require.Equal(t, http.StatusSeeOther, status)
	require.Contains(t, to, "shop.test/done")
	require.EqualValues(t, "succeeded", s.intent(cs.ID).Status)
}

func TestCheckout_Expires(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	cs := s.create(hosted(1000, "usd"))
	s.post(cs.URL, "card_number", generic)
	cs, err := s.api.CheckoutSessions.Expire(cs.ID, &stripe.CheckoutSessionExpireParams{})
	require.NoError(t, err)
	require.EqualValues(t, "expired", cs.Status)
	require.Empty(t, cs.URL)
	s.event("checkout.session.expired")
	status, _, _ := s.post("/pay/"+cs.ID, "card_number", good)
	require.Equal(t, http.StatusGone, status)
	_, err = s.api.CheckoutSessions.Expire(cs.ID, &stripe.CheckoutSessionExpireParams{})
	require.Equal(t, http.StatusBadRequest, stripeError(t, err).HTTPStatusCode)

	p := hosted(1000, "usd")
	p.ExpiresAt = stripe.Int64(s.clock.now().Add(31 * time.Minute).Unix())
	late := s.create(p)
	s.clock.advance(32 * time.Minute)
	late, err = s.api.CheckoutSessions.Get(late.ID, nil)
	require.NoError(t, err)
	require.EqualValues(t, "expired", late.Status)
	p = hosted(1000, "usd")
	p.ExpiresAt = stripe.Int64(s.clock.now().Add(29 * time.Minute).Unix())
	_, err = s.api.CheckoutSessions.New(p)
	require.Equal(t, "expires_at", stripeError(t, err).Param)
}

func TestCheckout_DelayedMethodIsCompleteAndUnpaid(t *testing.T) {
	t.Parallel()
	for button, want := range map[string]string{"succeed": "succeeded", "fail": "failed"} {
		t.Run(button, func(t *testing.T) {
			t.Parallel()
			s := newStand(t)
			cs := s.create(hosted(1000, "eur"))
			status, _, _ := s.post(cs.URL, "method", "delayed")
			require.Equal(t, http.StatusSeeOther, status)
			pi := s.intent(cs.ID)
			require.EqualValues(t, "processing", pi.Status)
			cs, _ = s.api.CheckoutSessions.Get(cs.ID, nil)
			require.EqualValues(t, "complete", cs.Status)
			require.EqualValues(t, "unpaid", cs.PaymentStatus)
			_, err := s.api.PaymentIntents.Cancel(pi.ID, &stripe.PaymentIntentCancelParams{})
			require.EqualValues(t, "payment_intent_unexpected_state", stripeError(t, err).Code)
			s.press("payment_intents/" + pi.ID + "/" + button)
			s.event("checkout.session.async_payment_" + want)
			require.EqualValues(t, want, s.intent(cs.ID).LatestCharge.Status)
		})
	}
	s := newStand(t)
	p := hosted(1000, "eur")
	p.PaymentMethodTypes = stripe.StringSlice([]string{"card"})
	status, _, _ := s.post(s.create(p).URL, "method", "delayed")
	require.Equal(t, http.StatusPaymentRequired, status, "only if the session allows it")
}

func TestCheckout_AmountsFollowTheCurrency(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	for _, c := range []struct {
		amount          int64
		currency, param string
		code            string
	}{
		{49, "usd", "", "amount_too_small"},
		{699, "krw", "", "amount_too_small"},
		{12_999, "vnd", "", "amount_too_small"},
		{100_000_000, "usd", "line_items[0][price_data][unit_amount]", "parameter_invalid_integer"},
		{1001, "kwd", "line_items[0][price_data][unit_amount]", ""},
		{550, "isk", "line_items[0][price_data][unit_amount]", ""},
		{49, "jpy", "", "amount_too_small"},
		{1000, "xyz", "line_items[0][price_data][currency]", ""},
	} {
		_, err := s.api.CheckoutSessions.New(hosted(c.amount, c.currency))
		e := stripeError(t, err)
		require.Equal(t, c.param, e.Param, c)
		require.EqualValues(t, c.code, e.Code, c)
	}
	for currency, want := range map[string]string{"kwd": "1.250", "jpy": "1250", "isk": "", "usd": "12.50"} {
		amount := int64(1250)
		if currency == "isk" {
			amount, want = 12_000, "120"
		}
		pi := s.paid(hosted(amount, currency), good)
		books := s.server.Books()
		require.Equal(t, want, books.Payments[len(books.Payments)-1].Amount)
		if currency == "kwd" {
			_, err := s.api.Refunds.New(&stripe.RefundParams{PaymentIntent: &pi.ID, Amount: stripe.Int64(15)})
			require.Equal(t, "amount", stripeError(t, err).Param)
		}
	}
}
