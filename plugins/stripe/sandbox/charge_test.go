package sandbox_test

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/stripe/stripe-go/v76"

	"github.com/superpayhub/superpay/plugins/stripe/sandbox"
)

func chargeParams(token string, amount int64) *stripe.ChargeParams {
	p := &stripe.ChargeParams{
		Amount: &amount, Currency: stripe.String("usd"), Description: stripe.String("A lamp"),
		ReceiptEmail: stripe.String("a@b.test"), StatementDescriptorSuffix: stripe.String("LAMP"),
	}
	_ = p.SetSource(token)
	p.AddMetadata("attempt", "att_1")
	return p
}

func held(p *stripe.ChargeParams) *stripe.ChargeParams {
	p.Capture = stripe.Bool(false)
	return p
}

func (s *stand) charge(p *stripe.ChargeParams) *stripe.Charge {
	s.t.Helper()
	ch, err := s.api.Charges.New(p)
	require.NoError(s.t, err)
	return ch
}

func (s *stand) token(number string) *stripe.Token {
	s.t.Helper()
	t, err := s.api.Tokens.New(&stripe.TokenParams{Card: &stripe.CardParams{
		Number: &number, ExpMonth: stripe.String("12"), ExpYear: stripe.String("2034"), CVC: stripe.String("123"), Name: stripe.String("Jane"),
	}})
	require.NoError(s.t, err)
	return t
}

func (s *stand) refundsOf(charge string) []*stripe.Refund {
	s.t.Helper()
	p := &stripe.RefundListParams{Charge: &charge}
	p.AddExpand("data.balance_transaction")
	var out []*stripe.Refund
	it := s.api.Refunds.List(p)
	for it.Next() {
		out = append(out, it.Refund())
	}
	require.NoError(s.t, it.Err())
	return out
}

func TestToken_PaysOnceAndPublishedOnesAlways(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	tok := s.token("4242424242424242")
	require.Equal(t, "4242", tok.Card.Last4)
	require.EqualValues(t, "Visa", tok.Card.Brand)
	ch := s.charge(chargeParams(tok.ID, 1000))
	require.EqualValues(t, "succeeded", ch.Status)
	require.True(t, ch.Paid && ch.Captured)
	require.Nil(t, ch.PaymentIntent)
	require.Equal(t, tok.Card.ID, ch.PaymentMethod)
	require.Equal(t, tok.Card.ID, ch.Source.ID)
	require.Equal(t, "a@b.test", ch.ReceiptEmail)
	var told stripe.Charge
	require.NoError(t, json.Unmarshal(s.event("charge.succeeded").Data.Raw, &told))
	require.Equal(t, ch.ID, told.ID)
	require.Nil(t, told.PaymentIntent)
	_, err := s.api.Charges.New(chargeParams(tok.ID, 1000))
	require.EqualValues(t, "token_already_used", stripeError(t, err).Code)
	tok, err = s.api.Tokens.Get(tok.ID, nil)
	require.NoError(t, err)
	require.True(t, tok.Used)

	other := s.charge(chargeParams("tok_visa", 500))
	s.charge(chargeParams("tok_visa", 500))
	_, err = s.api.Charges.New(chargeParams("tok_none", 500))
	require.Equal(t, "source", stripeError(t, err).Param)

	books := s.server.Books()
	require.Len(t, books.Payments, 3)
	require.Equal(t, ch.ID, books.Captures[0].PaymentID)
	require.Equal(t, map[string]string{"attempt": "att_1"}, books.Payments[0].Metadata)

	p := &stripe.ChargeListParams{}
	p.Limit, p.StartingAfter, p.Single = stripe.Int64(1), stripe.String(other.ID), true
	it := s.api.Charges.List(p)
	require.True(t, it.Next())
	require.Equal(t, ch.ID, it.Charge().ID)
	got, err := s.api.Charges.Update(ch.ID, &stripe.ChargeParams{Metadata: map[string]string{"more": "1"}})
	require.NoError(t, err)
	require.Equal(t, map[string]string{"attempt": "att_1", "more": "1"}, got.Metadata)
}

func TestToken_ForgetsTheNumber(t *testing.T) {
	t.Parallel()
	file := t.TempDir() + "/stripe.json"
	s := newStand(t, func(o *sandbox.Options) { o.StateFile = file })
	for number, want := range map[string]string{"4111111111111111": "incorrect_number", "": "parameter_invalid_empty"} {
		p := &stripe.TokenParams{Card: &stripe.CardParams{Number: &number, ExpMonth: stripe.String("1"), ExpYear: stripe.String("2034")}}
		_, err := s.api.Tokens.New(p)
		require.EqualValues(t, want, stripeError(t, err).Code)
	}
	old := &stripe.TokenParams{Card: &stripe.CardParams{
		Number: stripe.String("4242424242424242"), ExpMonth: stripe.String("1"), ExpYear: stripe.String("2020"),
	}}
	_, err := s.api.Tokens.New(old)
	require.EqualValues(t, "invalid_expiry_year", stripeError(t, err).Code)

	key := map[string]string{"Idempotency-Key": "k"}
	form := url.Values{"card[number]": {"4242424242424242"}, "card[exp_month]": {"1"}, "card[exp_year]": {"34"}, "card[cvc]": {"987"}}
	_, first := s.raw("POST", "/v1/tokens", key, form)
	_, again := s.raw("POST", "/v1/tokens", key, form)
	require.Equal(t, first, again)
	require.Contains(t, first, `"exp_year": 2034`)
	s.post("/token-form", "card_number", good)
	log, err := s.doors.Requests(t.Context())
	require.NoError(t, err)
	kept, err := json.Marshal(log)
	require.NoError(t, err)
	require.NoError(t, s.server.Close())
	for _, text := range []string{string(kept), read(t, file)} {
		require.NotContains(t, strings.ReplaceAll(text, " ", ""), "4242424242424242")
		require.NotContains(t, strings.ReplaceAll(text, " ", ""), "4111111111111111")
	}
	require.NotContains(t, read(t, file), "%5Bcvc%5D", "nor its CVC")
}

func TestCharge_DeclineIsAnErrorWithACharge(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	for token, want := range map[string][2]string{
		"tok_chargeDeclined":                  {"card_declined", "generic_decline"},
		"tok_chargeDeclinedInsufficientFunds": {"card_declined", "insufficient_funds"},
		"tok_chargeDeclinedExpiredCard":       {"expired_card", ""},
		"tok_chargeDeclinedStolenCard":        {"card_declined", "stolen_card"},
		"tok_authenticationRequired":          {"authentication_required", "authentication_required"},
	} {
		_, err := s.api.Charges.New(chargeParams(token, 1000))
		e := stripeError(t, err)
		require.Equal(t, 402, e.HTTPStatusCode)
		require.EqualValues(t, "card_error", e.Type)
		require.EqualValues(t, want[0], e.Code)
		require.EqualValues(t, want[1], e.DeclineCode)
		ch, err := s.api.Charges.Get(e.ChargeID, nil)
		require.NoError(t, err)
		require.EqualValues(t, "failed", ch.Status)
		require.Equal(t, want[0], ch.FailureCode)
		_, err = s.api.Refunds.New(&stripe.RefundParams{Charge: &ch.ID})
		require.Error(t, err)
		_, err = s.api.Charges.Capture(ch.ID, &stripe.ChargeCaptureParams{})
		require.Error(t, err)
	}
	s.event("charge.failed")
	require.Empty(t, s.server.Books().Captures)
	require.Equal(t, "failed", s.server.Books().Payments[0].Status)

	p := chargeParams("tok_chargeDeclined", 1000)
	p.SetIdempotencyKey("k")
	_, first := s.api.Charges.New(p)
	_, again := s.api.Charges.New(p)
	require.Equal(t, stripeError(t, first).ChargeID, stripeError(t, again).ChargeID, "a decline is replayed")
	resp, body := s.raw("POST", "/v1/charges", nil, url.Values{"amount": {"100"}, "currency": {"usd"}, "source": {"tok_visa"}, "captured": {"false"}})
	require.Equal(t, 400, resp.StatusCode)
	require.Contains(t, body, "parameter_unknown")
}

func TestCharge_HeldIsCapturedInPart(t *testing.T) {
	t.Parallel()
	for _, booked := range []bool{false, true} {
		s := newStand(t, func(o *sandbox.Options) { o.BookReleases = booked })
		ch := s.charge(held(chargeParams("tok_visa", 1000)))
		require.True(t, ch.Paid && !ch.Captured)
		require.Equal(t, "requires_capture", s.server.Books().Payments[0].Status)
		require.Empty(t, s.server.Books().Captures)
		_, err := s.api.Charges.Capture(ch.ID, &stripe.ChargeCaptureParams{Amount: stripe.Int64(1001)})
		require.Equal(t, "amount", stripeError(t, err).Param)
		ch, err = s.api.Charges.Capture(ch.ID, &stripe.ChargeCaptureParams{Amount: stripe.Int64(700)})
		require.NoError(t, err)
		require.EqualValues(t, 700, ch.AmountCaptured)
		require.EqualValues(t, 300, ch.AmountRefunded)
		require.False(t, ch.Refunded)
		s.eventually("charge.succeeded", "charge.captured", "charge.refunded")
		_, err = s.api.Charges.Capture(ch.ID, &stripe.ChargeCaptureParams{})
		require.EqualValues(t, "charge_already_captured", stripeError(t, err).Code)
		_, err = s.api.Refunds.New(&stripe.RefundParams{Charge: &ch.ID, Amount: stripe.Int64(701)})
		require.Equal(t, "amount", stripeError(t, err).Param)
		_, err = s.api.Refunds.New(&stripe.RefundParams{Charge: &ch.ID})
		require.NoError(t, err)
		books := s.server.Books()
		require.Equal(t, "7.00", books.Captures[0].Amount)
		require.Len(t, books.Refunds, 1)
		require.Equal(t, "7.00", books.Refunds[0].Amount)
		release := s.refundsOf(ch.ID)[1]
		require.Equal(t, booked, release.BalanceTransaction != nil)
		if booked {
			require.EqualValues(t, "partial_capture_reversal", release.BalanceTransaction.ReportingCategory)
		}
	}
}

func TestCharge_RefundOfAHoldReleasesIt(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	ch := s.charge(held(chargeParams("tok_visa", 1000)))
	_, err := s.api.Refunds.New(&stripe.RefundParams{Charge: &ch.ID, Amount: stripe.Int64(400)})
	require.Contains(t, stripeError(t, err).Msg, "partially refund an uncaptured charge")
	re, err := s.api.Refunds.New(&stripe.RefundParams{Charge: &ch.ID, Metadata: map[string]string{"why": "cancel"}})
	require.NoError(t, err)
	require.EqualValues(t, 1000, re.Amount)
	require.Nil(t, re.BalanceTransaction)
	require.Equal(t, "cancel", re.Metadata["why"])
	_, err = s.api.Charges.Capture(ch.ID, &stripe.ChargeCaptureParams{})
	require.EqualValues(t, "charge_already_refunded", stripeError(t, err).Code)
	_, err = s.api.Refunds.New(&stripe.RefundParams{Charge: &ch.ID})
	require.EqualValues(t, "charge_already_refunded", stripeError(t, err).Code)
	books := s.server.Books()
	require.Equal(t, "canceled", books.Payments[0].Status)
	require.Empty(t, books.Refunds)

	late := s.charge(held(chargeParams("tok_visa", 1000)))
	s.clock.advance(7*24*time.Hour + time.Minute)
	s.event("charge.expired")
	_, err = s.api.Charges.Capture(late.ID, &stripe.ChargeCaptureParams{})
	require.EqualValues(t, "charge_expired_for_capture", stripeError(t, err).Code)
	require.EqualValues(t, "expired_uncaptured_charge", s.refundsOf(late.ID)[0].Reason)
}

func TestCharge_DisputedAndShownOnTheDashboard(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	ch := s.charge(chargeParams("tok_createDispute", 1000))
	s.event("charge.dispute.funds_withdrawn")
	d := s.server.Books().Disputes[0]
	require.Equal(t, ch.ID, d.PaymentID)
	status, to, _ := s.post("/dashboard/disputes/" + d.ID + "/win")
	require.Equal(t, 303, status)
	require.Equal(t, s.base+"/dashboard/payments/"+ch.ID, to)
	s.event("charge.dispute.funds_reinstated")
	s.charge(chargeParams("tok_createDisputeInquiry", 1000))
	require.Equal(t, "warning_needs_response", s.server.Books().Disputes[1].Status)

	plain := s.charge(chargeParams("tok_visa", 1000))
	s.press("charges/"+plain.ID+"/refund", "amount", "4.00")
	s.press("charges/" + plain.ID + "/dispute")
	s.press("disputes/" + s.server.Books().Disputes[2].ID + "/lose")
	kept := s.charge(held(chargeParams("tok_visa", 1000)))
	_, html := s.raw("GET", "/dashboard/payments/"+kept.ID, nil, nil)
	require.Contains(t, html, "Let the approval lapse")
	s.press("charges/"+kept.ID+"/capture", "amount", "6.00")
	require.Equal(t, "6.00", s.server.Books().Captures[3].Amount)
	gone := s.charge(held(chargeParams("tok_visa", 1000)))
	s.press("charges/" + gone.ID + "/lapse")
	_, html = s.raw("GET", "/dashboard", nil, nil)
	for _, id := range []string{ch.ID, plain.ID, kept.ID, gone.ID} {
		require.Contains(t, html, id)
	}
	_, html = s.raw("GET", "/dashboard/payments/"+kept.ID, nil, nil)
	require.Contains(t, html, "never taken")
}
