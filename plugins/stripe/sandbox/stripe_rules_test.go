package sandbox_test

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/stripe/stripe-go/v76"
)

// What Stripe refuses, shows or allows, and the sandbox once did not.

func TestAPI_RefusesWhatIsNoEMailAddress(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	p := hosted(1000, "usd")
	p.CustomerEmail = stripe.String("jenny@")
	_, err := s.api.CheckoutSessions.New(p)
	require.EqualValues(t, "email_invalid", stripeError(t, err).Code)
	require.Equal(t, "customer_email", stripeError(t, err).Param)
	_, err = s.api.PaymentMethods.New(&stripe.PaymentMethodParams{
		Type: stripe.String("card"), Card: &stripe.PaymentMethodCardParams{Token: stripe.String("tok_visa")},
		BillingDetails: &stripe.PaymentMethodBillingDetailsParams{Email: stripe.String("jenny@")},
	})
	require.EqualValues(t, "email_invalid", stripeError(t, err).Code)
	p.CustomerEmail = stripe.String("jenny@example.com")
	require.Equal(t, "jenny@example.com", s.create(p).CustomerEmail)
}

func TestAPI_TellsOtherVersionsAndAccountsWhatItServes(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	resp, body := s.raw("GET", "/v1/refunds", map[string]string{"Stripe-Version": "2026-10-28.endive"}, nil)
	require.Equal(t, http.StatusBadRequest, resp.StatusCode)
	require.Contains(t, body, "serves 2023-10-16 only")
	require.Equal(t, "2023-10-16", resp.Header.Get("Stripe-Version"))
	for _, header := range []string{"Stripe-Account", "Stripe-Context"} {
		resp, body = s.raw("GET", "/v1/refunds", map[string]string{header: "acct_other"}, nil)
		require.Equal(t, http.StatusForbidden, resp.StatusCode)
		require.Contains(t, body, "account_invalid")
		require.NotContains(t, body, testKey)
	}
	resp, _ = s.raw("GET", "/v1/refunds", map[string]string{"Stripe-Version": "2023-10-16", "Stripe-Account": "acct_sandbox"}, nil)
	require.Equal(t, http.StatusOK, resp.StatusCode)
}

func TestSession_HasNoReturnURLUnlessEmbedded(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	_, body := s.raw("POST", "/v1/checkout/sessions", nil, sessionForm())
	require.NotContains(t, body, "return_url")
	form := sessionForm()
	form.Del("success_url")
	form.Set("ui_mode", "embedded")
	form.Set("return_url", "http://shop.test/back")
	_, body = s.raw("POST", "/v1/checkout/sessions", nil, form)
	require.Contains(t, body, `"return_url": "http://shop.test/back"`)
}

func TestCards_ByNetworkCountryAndRisk(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	charge := func(token string) (*stripe.Charge, error) {
		p := &stripe.ChargeParams{Amount: stripe.Int64(1000), Currency: stripe.String("usd")}
		require.NoError(t, p.SetSource(token))
		return s.api.Charges.New(p)
	}
	for token, want := range map[string][3]string{
		"tok_br": {"visa", "BR", "credit"}, "tok_discover": {"discover", "US", "credit"}, "tok_unionpay": {"unionpay", "US", "credit"},
		"tok_mastercard_prepaid": {"mastercard", "US", "prepaid"}, "tok_gb_debit": {"visa", "GB", "debit"},
	} {
		ch, err := charge(token)
		require.NoError(t, err, token)
		card := ch.PaymentMethodDetails.Card
		require.Equal(t, want, [3]string{string(card.Brand), card.Country, string(card.Funding)}, token)
	}
	ch, err := charge("tok_riskLevelElevated")
	require.NoError(t, err)
	require.EqualValues(t, "elevated", ch.Outcome.RiskLevel)
	for _, token := range []string{"tok_radarBlock", "tok_chargeDeclinedFraudulent", "tok_riskLevelHighest"} {
		_, err = charge(token)
		e := stripeError(t, err)
		require.EqualValues(t, "card_declined", e.Code)
		require.EqualValues(t, "fraudulent", e.DeclineCode)
		ch, err = s.api.Charges.Get(e.ChargeID, nil)
		require.NoError(t, err)
		require.Equal(t, "blocked", ch.Outcome.Type)
		require.EqualValues(t, "not_sent_to_network", ch.Outcome.NetworkStatus)
	}
	_, err = charge("tok_visa_chargeDeclinedVelocityLimitExceeded")
	require.EqualValues(t, "card_velocity_exceeded", stripeError(t, err).DeclineCode)
	_, err = charge("tok_createDisputeProductNotReceived")
	require.NoError(t, err)
	list := s.api.Disputes.List(nil)
	require.True(t, list.Next())
	require.EqualValues(t, "product_not_received", list.Dispute().Reason)
}

func TestRefund_EventsGoByTheirNewNamesToo(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	pi := s.paid(hosted(1000, "usd"), lostRefund)
	r, err := s.api.Refunds.New(refundOf(pi, 400))
	require.NoError(t, err)
	s.event("refund.created")
	s.press("refunds/" + r.ID + "/fail")
	s.event("refund.updated")
	var failed stripe.Refund
	require.NoError(t, json.Unmarshal(s.event("refund.failed").Data.Raw, &failed))
	require.Equal(t, r.ID, failed.ID)
	require.EqualValues(t, "failed", failed.Status)
}

// TestDispute_ALostOneGivesBackWhatWasRefunded: 25.00 are withdrawn, and the 10.00 that
// the payer already had come back. A part that was only held was never theirs.
func TestDispute_ALostOneGivesBackWhatWasRefunded(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	pi := s.paid(hosted(2500, "usd"), good)
	_, err := s.api.Refunds.New(refundOf(pi, 1000))
	require.NoError(t, err)
	require.Equal(t, []int64{-2500, 1000}, s.lose(pi))
	s.event("charge.dispute.funds_reinstated")

	held := s.paid(manual(hosted(2500, "usd")), good)
	_, err = s.api.PaymentIntents.Capture(held.ID, &stripe.PaymentIntentCaptureParams{AmountToCapture: stripe.Int64(700)})
	require.NoError(t, err)
	require.Equal(t, []int64{-700}, s.lose(held))
}

// lose disputes a payment, loses the dispute and returns the amounts of its lines.
func (s *stand) lose(pi *stripe.PaymentIntent) (lines []int64) {
	s.t.Helper()
	s.press("charges/" + pi.LatestCharge.ID + "/dispute")
	d := s.disputeOf(pi)
	s.press("disputes/" + d.ID + "/lose")
	for _, line := range s.disputeOf(pi).BalanceTransactions {
		lines = append(lines, line.Amount)
	}
	return lines
}

func (s *stand) disputeOf(pi *stripe.PaymentIntent) *stripe.Dispute {
	s.t.Helper()
	list := s.api.Disputes.List(&stripe.DisputeListParams{PaymentIntent: &pi.ID})
	require.True(s.t, list.Next())
	return list.Dispute()
}

func TestDispute_AWonOneCanBeRefunded(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	pi := s.paid(hosted(1000, "usd"), alwaysFought)
	_, err := s.api.Refunds.New(refundOf(pi, 100))
	require.EqualValues(t, "charge_disputed", stripeError(t, err).Code)
	s.press("disputes/" + s.disputeOf(pi).ID + "/win")
	_, err = s.api.Refunds.New(refundOf(pi, 100))
	require.NoError(t, err)
}

func TestDispute_APreventedOneTakesTheMoneyWithoutAFee(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	pi := s.paid(hosted(1000, "usd"), good)
	_, err := s.api.Refunds.New(refundOf(pi, 300))
	require.NoError(t, err)
	s.press("charges/"+pi.LatestCharge.ID+"/dispute", "kind", "prevented")
	d := s.disputeOf(pi)
	require.EqualValues(t, "prevented", d.Status)
	require.Len(t, d.BalanceTransactions, 1)
	require.EqualValues(t, -700, d.BalanceTransactions[0].Amount)
	require.Zero(t, d.BalanceTransactions[0].Fee)
	s.event("charge.dispute.created")
	_, err = s.api.Refunds.New(refundOf(pi, 100))
	require.EqualValues(t, "charge_disputed", stripeError(t, err).Code)
	status, _, _ := s.post("/dashboard/disputes/" + d.ID + "/win")
	require.Equal(t, http.StatusConflict, status, "it is over")
}

func TestVoucher_IsPaidLaterOrRunsOut(t *testing.T) {
	t.Parallel()
	for currency, method := range map[string]string{"mxn": "oxxo", "brl": "boleto", "jpy": "konbini"} {
		t.Run(method, func(t *testing.T) {
			t.Parallel()
			s := newStand(t)
			paid, late := s.voucher(currency, method), s.voucher(currency, method)
			s.press("payment_intents/" + paid.ID + "/succeed")
			s.event("checkout.session.async_payment_succeeded")
			got, err := s.api.PaymentIntents.Get(paid.ID, nil)
			require.NoError(t, err)
			require.EqualValues(t, "succeeded", got.Status)
			require.Nil(t, got.NextAction)
			s.clock.advance(73 * time.Hour)
			s.event("checkout.session.async_payment_failed")
			s.event("payment_intent.payment_failed")
			got, err = s.api.PaymentIntents.Get(late.ID, nil)
			require.NoError(t, err)
			require.EqualValues(t, "payment_intent_payment_attempt_expired", got.LastPaymentError.Code)
			require.Len(t, s.server.Books().Captures, 1)
		})
	}
	s := newStand(t)
	status, _, _ := s.post(s.create(hosted(1000, "usd")).URL, "method", "voucher")
	require.Equal(t, http.StatusPaymentRequired, status, "only in a currency that has one")
	status, _, _ = s.post(s.create(manual(hosted(1000, "mxn"))).URL, "method", "voucher")
	require.Equal(t, http.StatusPaymentRequired, status, "it cannot be held")
}

// voucher has a payer take a voucher.
func (s *stand) voucher(currency, method string) *stripe.PaymentIntent {
	s.t.Helper()
	cs := s.create(hosted(1000, currency))
	status, _, body := s.post(cs.URL, "method", "voucher")
	require.Equal(s.t, http.StatusSeeOther, status, body)
	pi := s.intent(cs.ID)
	require.EqualValues(s.t, "requires_action", pi.Status)
	require.EqualValues(s.t, method+"_display_details", pi.NextAction.Type)
	cs, err := s.api.CheckoutSessions.Get(cs.ID, nil)
	require.NoError(s.t, err)
	require.EqualValues(s.t, "complete", cs.Status)
	require.EqualValues(s.t, "unpaid", cs.PaymentStatus)
	return pi
}
