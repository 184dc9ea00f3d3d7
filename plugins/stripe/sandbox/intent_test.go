package sandbox_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/stripe/stripe-go/v76"
)

const back = "http://shop.test/back"

// legacy is "finalize card payments on the server".
func legacy(method string) *stripe.PaymentIntentParams {
	return &stripe.PaymentIntentParams{
		Amount: stripe.Int64(1000), Currency: stripe.String("usd"), PaymentMethod: &method, Confirm: stripe.Bool(true),
		ConfirmationMethod: stripe.String("manual"), PaymentMethodTypes: stripe.StringSlice([]string{"card"}),
		UseStripeSDK: stripe.Bool(true), Metadata: map[string]string{"attempt": "att_1"},
	}
}

// deferred is "finalize payments on the server": automatic confirmation.
func deferred(token string) *stripe.PaymentIntentParams {
	p := &stripe.PaymentIntentParams{
		Amount: stripe.Int64(1000), Currency: stripe.String("usd"), ConfirmationToken: &token, Confirm: stripe.Bool(true),
		AutomaticPaymentMethods: &stripe.PaymentIntentAutomaticPaymentMethodsParams{Enabled: stripe.Bool(true)},
		ReturnURL:               stripe.String(back), Metadata: map[string]string{"attempt": "att_1"},
		MandateData: &stripe.PaymentIntentMandateDataParams{CustomerAcceptance: &stripe.PaymentIntentMandateDataCustomerAcceptanceParams{
			Type: stripe.String("online"), Online: &stripe.PaymentIntentMandateDataCustomerAcceptanceOnlineParams{
				IPAddress: stripe.String("127.0.0.1"), UserAgent: stripe.String("test"),
			},
		}},
	}
	p.AddExpand("latest_charge")
	return p
}

func (s *stand) newIntent(p *stripe.PaymentIntentParams) *stripe.PaymentIntent {
	s.t.Helper()
	pi, err := s.api.PaymentIntents.New(p)
	require.NoError(s.t, err)
	return pi
}

func (s *stand) getIntent(id string) *stripe.PaymentIntent {
	s.t.Helper()
	p := &stripe.PaymentIntentParams{}
	p.AddExpand("latest_charge")
	pi, err := s.api.PaymentIntents.Get(id, p)
	require.NoError(s.t, err)
	return pi
}

func (s *stand) confirmToken(method string) string {
	s.t.Helper()
	ct, err := s.api.TestHelpersConfirmationTokens.New(&stripe.TestHelpersConfirmationTokenParams{PaymentMethod: &method})
	require.NoError(s.t, err)
	return ct.ID
}

func TestIntent_LegacyConfirmsTwice(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	pi := s.newIntent(legacy("pm_card_visa"))
	require.EqualValues(t, "succeeded", pi.Status)
	require.NotEmpty(t, pi.ClientSecret)
	s.eventually("payment_intent.created", "charge.succeeded", "payment_intent.succeeded")
	require.Equal(t, map[string]string{"attempt": "att_1"}, s.server.Books().Captures[0].Metadata)

	for _, end := range []string{"complete", "fail"} {
		pi = s.newIntent(legacy("pm_card_authenticationRequired"))
		require.EqualValues(t, "requires_action", pi.Status)
		require.EqualValues(t, "use_stripe_sdk", pi.NextAction.Type)
		page := s.base + "/3ds/" + pi.ID
		require.Contains(t, string(pi.LastResponse.RawJSON), `"sandbox_url": "`+page+`"`)
		require.Nil(t, pi.LatestCharge)
		resp, html := s.raw("GET", "/3ds/"+pi.ID+"?return="+url.QueryEscape("http://127.0.0.1:1/x?a=1"), nil, nil)
		require.Equal(t, http.StatusOK, resp.StatusCode)
		require.Contains(t, html, "10.00 USD")
		status, to, _ := s.post("/3ds/"+pi.ID+"?return="+url.QueryEscape("http://127.0.0.1:1/x?a=1"), "result", end)
		require.Equal(t, http.StatusSeeOther, status)
		require.Contains(t, to, "http://127.0.0.1:1/x?a=1&payment_intent="+pi.ID+"&redirect_status=")
		require.NotContains(t, to, "secret")
		if end == "fail" {
			got := s.getIntent(pi.ID)
			require.EqualValues(t, "requires_payment_method", got.Status)
			require.EqualValues(t, "payment_intent_authentication_failure", got.LastPaymentError.Code)
			_, err := s.api.PaymentIntents.Confirm(pi.ID, &stripe.PaymentIntentConfirmParams{})
			require.Contains(t, stripeError(t, err).Msg, "missing a payment method")
			continue
		}
		require.EqualValues(t, "requires_confirmation", s.getIntent(pi.ID).Status, "no money before the server's word")
		require.Len(t, s.server.Books().Captures, 1)
		got, err := s.api.PaymentIntents.Confirm(pi.ID, &stripe.PaymentIntentConfirmParams{})
		require.NoError(t, err)
		require.EqualValues(t, "succeeded", got.Status)
		_, err = s.api.PaymentIntents.Confirm(pi.ID, &stripe.PaymentIntentConfirmParams{})
		e := stripeError(t, err)
		require.EqualValues(t, "payment_intent_unexpected_state", e.Code)
		require.Equal(t, pi.ClientSecret, e.PaymentIntent.ClientSecret, "as leaky as the real one")
	}
	s.post("/3ds/"+pi.ID, "result", "complete")
	require.Len(t, s.server.Books().Captures, 2)

	poor := s.newIntent(legacy("pm_card_authenticationRequiredChargeDeclinedInsufficientFunds"))
	s.post("/3ds/"+poor.ID, "result", "complete")
	_, err := s.api.PaymentIntents.Confirm(poor.ID, &stripe.PaymentIntentConfirmParams{})
	require.EqualValues(t, "insufficient_funds", stripeError(t, err).DeclineCode)
}

func TestIntent_DeferredNeedsNoSecondConfirm(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	token := s.confirmToken("pm_card_visa")
	pi := s.newIntent(deferred(token))
	require.EqualValues(t, "succeeded", pi.Status)
	require.Equal(t, "4242", pi.LatestCharge.PaymentMethodDetails.Card.Last4)
	ct, err := s.api.ConfirmationTokens.Get(token, nil)
	require.NoError(t, err)
	require.Equal(t, pi.ID, ct.PaymentIntent)
	require.Equal(t, ct.Created+12*3600, ct.ExpiresAt)
	_, err = s.api.PaymentIntents.New(deferred(token))
	require.Equal(t, "confirmation_token", stripeError(t, err).Param)
	old := s.confirmToken("pm_card_visa")
	s.clock.advance(12*time.Hour + time.Second)
	_, err = s.api.PaymentIntents.New(deferred(old))
	require.Contains(t, stripeError(t, err).Msg, "expired")

	p := deferred(s.confirmToken("pm_card_authenticationRequired"))
	p.CaptureMethod = stripe.String("manual")
	pi = s.newIntent(p)
	require.EqualValues(t, "use_stripe_sdk", pi.NextAction.Type, "the token says so")
	_, to, _ := s.post("/3ds/"+pi.ID, "result", "complete")
	require.True(t, strings.HasPrefix(to, back+"?payment_intent="+pi.ID+"&payment_intent_client_secret="+pi.ClientSecret), to)
	got := s.getIntent(pi.ID)
	require.EqualValues(t, "requires_capture", got.Status)
	require.EqualValues(t, "authenticated", got.LatestCharge.PaymentMethodDetails.Card.ThreeDSecure.Result)
	s.event("payment_intent.amount_capturable_updated")
	got, err = s.api.PaymentIntents.Capture(pi.ID, &stripe.PaymentIntentCaptureParams{AmountToCapture: stripe.Int64(600)})
	require.NoError(t, err)
	require.EqualValues(t, 600, got.AmountReceived)

	p = deferred("")
	p.ConfirmationToken, p.PaymentMethod = nil, stripe.String("pm_card_authenticationRequired")
	pi = s.newIntent(p)
	require.EqualValues(t, "redirect_to_url", pi.NextAction.Type)
	require.Equal(t, s.base+"/3ds/"+pi.ID, pi.NextAction.RedirectToURL.URL)
	require.Equal(t, back, pi.NextAction.RedirectToURL.ReturnURL)
	_, to, _ = s.post("/3ds/"+pi.ID, "result", "complete")
	require.Contains(t, to, "redirect_status=succeeded")
	require.EqualValues(t, "succeeded", s.getIntent(pi.ID).Status)
}

func TestIntent_DeclineLeavesItOpen(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	_, err := s.api.PaymentIntents.New(legacy("pm_card_chargeDeclined"))
	e := stripeError(t, err)
	require.Equal(t, 402, e.HTTPStatusCode)
	require.EqualValues(t, "generic_decline", e.DeclineCode)
	require.EqualValues(t, "requires_payment_method", e.PaymentIntent.Status)
	require.EqualValues(t, "card_declined", e.PaymentIntent.LastPaymentError.Code)
	require.NotEmpty(t, e.PaymentMethod.ID)
	pi := s.getIntent(e.PaymentIntent.ID)
	require.Equal(t, e.ChargeID, pi.LatestCharge.ID)
	require.EqualValues(t, "failed", pi.LatestCharge.Status)
	s.event("payment_intent.payment_failed")

	_, err = s.api.PaymentIntents.Confirm(pi.ID, &stripe.PaymentIntentConfirmParams{PaymentMethod: &e.PaymentMethod.ID})
	require.Contains(t, stripeError(t, err).Msg, "may not be used again")
	got, err := s.api.PaymentIntents.Confirm(pi.ID, &stripe.PaymentIntentConfirmParams{PaymentMethod: stripe.String("pm_card_visa")})
	require.NoError(t, err)
	require.EqualValues(t, "succeeded", got.Status)
	require.Nil(t, got.LastPaymentError)

	waiting := s.newIntent(legacy("pm_card_authenticationRequired"))
	again, err := s.api.PaymentIntents.Confirm(waiting.ID, &stripe.PaymentIntentConfirmParams{UseStripeSDK: stripe.Bool(true)})
	require.NoError(t, err)
	require.EqualValues(t, "requires_action", again.Status, "confirming does not stand in for the payer")

	p := legacy("pm_card_authenticationRequired")
	p.ErrorOnRequiresAction = stripe.Bool(true)
	_, err = s.api.PaymentIntents.New(p)
	require.EqualValues(t, "authentication_required", stripeError(t, err).Code)
	p = legacy("pm_card_authenticationRequired")
	p.OffSession = stripe.Bool(true)
	_, err = s.api.PaymentIntents.New(p)
	require.EqualValues(t, "authentication_required", stripeError(t, err).DeclineCode)
	require.NotEmpty(t, stripeError(t, err).ChargeID)
}

func TestIntent_RulesOfTheAPIVersion(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	refused := func(param string, change func(*stripe.PaymentIntentParams)) {
		t.Helper()
		p := &stripe.PaymentIntentParams{
			Amount: stripe.Int64(1000), Currency: stripe.String("usd"), PaymentMethod: stripe.String("pm_card_visa"), Confirm: stripe.Bool(true),
		}
		change(p)
		_, err := s.api.PaymentIntents.New(p)
		require.Equal(t, param, stripeError(t, err).Param)
	}
	refused("return_url", func(*stripe.PaymentIntentParams) {})
	refused("error_on_requires_action", func(p *stripe.PaymentIntentParams) {
		p.ReturnURL, p.ErrorOnRequiresAction = stripe.String(back), stripe.Bool(true)
	})
	refused("confirmation_method", func(p *stripe.PaymentIntentParams) { p.ConfirmationMethod = stripe.String("manual") })
	refused("return_url", func(p *stripe.PaymentIntentParams) { p.ReturnURL, p.Confirm = stripe.String(back), nil })
	refused("payment_method", func(p *stripe.PaymentIntentParams) { p.PaymentMethod = nil })
	refused("amount", func(p *stripe.PaymentIntentParams) { p.Amount = stripe.Int64(49) })
	refused("payment_method_types[0]", func(p *stripe.PaymentIntentParams) { p.PaymentMethodTypes = stripe.StringSlice([]string{"ideal"}) })
	refused("payment_method_types", func(p *stripe.PaymentIntentParams) {
		p.PaymentMethodTypes = stripe.StringSlice([]string{"card"})
		p.AutomaticPaymentMethods = &stripe.PaymentIntentAutomaticPaymentMethodsParams{Enabled: stripe.Bool(true)}
	})
	require.Empty(t, s.server.Books().Payments, "what is refused leaves nothing behind")

	never := &stripe.PaymentIntentParams{
		Amount: stripe.Int64(1000), Currency: stripe.String("usd"), PaymentMethod: stripe.String("pm_card_authenticationRequired"),
		Confirm: stripe.Bool(true), AutomaticPaymentMethods: &stripe.PaymentIntentAutomaticPaymentMethodsParams{
			Enabled: stripe.Bool(true), AllowRedirects: stripe.String("never"),
		},
	}
	pi := s.newIntent(never)
	require.EqualValues(t, "requires_action", pi.Status)
	require.EqualValues(t, "never", pi.AutomaticPaymentMethods.AllowRedirects)
}

func TestIntent_IsUpdatedCanceledAndListed(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	open := s.newIntent(&stripe.PaymentIntentParams{Amount: stripe.Int64(1000), Currency: stripe.String("usd")})
	require.EqualValues(t, "requires_payment_method", open.Status)
	require.True(t, open.AutomaticPaymentMethods.Enabled)
	got, err := s.api.PaymentIntents.Update(open.ID, &stripe.PaymentIntentParams{
		Amount: stripe.Int64(1500), PaymentMethod: stripe.String("pm_card_visa"), Metadata: map[string]string{"a": "b"},
	})
	require.NoError(t, err)
	require.EqualValues(t, "requires_confirmation", got.Status)
	require.EqualValues(t, 1500, got.Amount)
	p := &stripe.PaymentIntentConfirmParams{ReturnURL: stripe.String(back)}
	p.AddExpand("payment_method")
	got, err = s.api.PaymentIntents.Confirm(open.ID, p)
	require.NoError(t, err)
	require.EqualValues(t, 1500, got.AmountReceived)
	require.Equal(t, "4242", got.PaymentMethod.Card.Last4)
	_, err = s.api.PaymentIntents.Update(open.ID, &stripe.PaymentIntentParams{Amount: stripe.Int64(1)})
	require.EqualValues(t, "payment_intent_unexpected_state", stripeError(t, err).Code)
	_, err = s.api.PaymentIntents.Cancel(open.ID, &stripe.PaymentIntentCancelParams{})
	require.Equal(t, open.ClientSecret, stripeError(t, err).PaymentIntent.ClientSecret)

	hold, waiting := legacy("pm_card_visa"), legacy("pm_card_authenticationRequired")
	hold.CaptureMethod = stripe.String("manual")
	chosen := legacy("pm_card_visa")
	chosen.Confirm = nil
	for _, p := range []*stripe.PaymentIntentParams{
		{Amount: stripe.Int64(1000), Currency: stripe.String("usd")}, chosen, waiting, hold,
	} {
		pi := s.newIntent(p)
		got, err := s.api.PaymentIntents.Cancel(pi.ID, &stripe.PaymentIntentCancelParams{})
		require.NoError(t, err, pi.Status)
		require.EqualValues(t, "canceled", got.Status)
		require.Nil(t, got.NextAction)
		_, err = s.api.PaymentIntents.Confirm(pi.ID, &stripe.PaymentIntentConfirmParams{PaymentMethod: stripe.String("pm_card_visa")})
		require.EqualValues(t, "payment_intent_unexpected_state", stripeError(t, err).Code)
	}
	var statuses []string
	for it := s.api.PaymentIntents.List(&stripe.PaymentIntentListParams{}); it.Next(); {
		statuses = append(statuses, string(it.PaymentIntent().Status))
	}
	require.Equal(t, []string{"canceled", "canceled", "canceled", "canceled", "succeeded"}, statuses)
	require.Len(t, s.server.Books().Captures, 1)
	var released stripe.Charge
	require.NoError(t, json.Unmarshal(s.event("charge.refunded").Data.Raw, &released))
	require.True(t, released.Refunded && !released.Captured)
}
