package sandbox_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/stripe/stripe-go/v76"
	"github.com/stripe/stripe-go/v76/webhook"

	"github.com/superpayhub/superpay/plugins/stripe/sandbox"
)

func refundOf(pi *stripe.PaymentIntent, amount int64) *stripe.RefundParams {
	p := &stripe.RefundParams{PaymentIntent: &pi.ID}
	if amount > 0 {
		p.Amount = &amount
	}
	return p
}

func TestRefund_NeverExceedsCaptured(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	pi := s.paid(hosted(1000, "usd"), good)
	first, err := s.api.Refunds.New(refundOf(pi, 400))
	require.NoError(t, err)
	require.EqualValues(t, "succeeded", first.Status)

	event := s.event("charge.refunded")
	require.NotContains(t, string(event.Data.Raw), first.ID, "the event tells totals, not refunds")
	var ch stripe.Charge
	require.NoError(t, json.Unmarshal(event.Data.Raw, &ch))
	require.EqualValues(t, 400, ch.AmountRefunded)
	require.False(t, ch.Refunded)

	_, err = s.api.Refunds.New(refundOf(pi, 601))
	require.Contains(t, stripeError(t, err).Msg, "greater than unrefunded amount")
	_, err = s.api.Refunds.New(&stripe.RefundParams{PaymentIntent: &pi.ID, Amount: stripe.Int64(0)})
	require.EqualValues(t, "parameter_invalid_integer", stripeError(t, err).Code)
	_, err = s.api.Refunds.New(&stripe.RefundParams{PaymentIntent: &pi.ID, Reason: stripe.String("because")})
	require.Equal(t, "reason", stripeError(t, err).Param)
	rest, err := s.api.Refunds.New(refundOf(pi, 0))
	require.NoError(t, err)
	require.EqualValues(t, 600, rest.Amount)
	_, err = s.api.Refunds.New(refundOf(pi, 0))
	require.EqualValues(t, "charge_already_refunded", stripeError(t, err).Code)

	p := &stripe.RefundListParams{Charge: &pi.LatestCharge.ID}
	p.Limit = stripe.Int64(1)
	var ids []string
	for it := s.api.Refunds.List(p); it.Next(); { // pages by itself
		ids = append(ids, it.Refund().ID)
	}
	require.Equal(t, []string{rest.ID, first.ID}, ids)
}

func TestRefund_AtOnceFromManySidesStillFits(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	pi := s.paid(hosted(1000, "usd"), good)
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() { _, _ = s.api.Refunds.New(refundOf(pi, 100)) })
	}
	all.Wait()
	require.Len(t, s.server.Books().Refunds, 10)
}

func TestWebhookEndpoint_GetsWhatItAskedForUnderItsOwnSecret(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	bodies, signatures := make(chan []byte, 10), make(chan string, 10)
	second := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		bodies <- body
		signatures <- r.Header.Get("Stripe-Signature")
	}))
	defer second.Close()
	we, err := s.api.WebhookEndpoints.New(&stripe.WebhookEndpointParams{
		URL: &second.URL, EnabledEvents: stripe.StringSlice([]string{"charge.succeeded"}),
	})
	require.NoError(t, err)
	s.paid(hosted(1000, "usd"), good)
	event, err := webhook.ConstructEvent(<-bodies, <-signatures, we.Secret)
	require.NoError(t, err)
	require.EqualValues(t, "charge.succeeded", event.Type)
	require.Empty(t, bodies)
}

func TestRefund_DisabledRuleLetsTooMuchThrough(t *testing.T) {
	t.Parallel()
	s := newStand(t, func(o *sandbox.Options) { o.Disable = []string{"over_refund"} })
	pi := s.paid(hosted(1000, "usd"), good)
	_, err := s.api.Refunds.New(refundOf(pi, 5000))
	require.NoError(t, err)
}

func TestRefund_CardsThatChangeTheirMind(t *testing.T) {
	t.Parallel()
	for card, want := range map[string][2]string{slowRefund: {"pending", "succeeded"}, lostRefund: {"succeeded", "failed"}} {
		t.Run(card, func(t *testing.T) {
			t.Parallel()
			s := newStand(t)
			pi := s.paid(hosted(1000, "usd"), card)
			r, err := s.api.Refunds.New(refundOf(pi, 400))
			require.NoError(t, err)
			require.EqualValues(t, want[0], r.Status)
			s.clock.advance(61 * time.Minute)
			require.Eventually(t, func() bool {
				r, err = s.api.Refunds.Get(r.ID, nil)
				return err == nil && string(r.Status) == want[1]
			}, 30*time.Second, 10*time.Millisecond)
			s.event("charge.refund.updated")
			ch, err := s.api.Charges.Get(pi.LatestCharge.ID, nil)
			require.NoError(t, err)
			owed := map[string]int64{"succeeded": 400, "failed": 0}[want[1]]
			require.EqualValues(t, owed, ch.AmountRefunded)
		})
	}
}

func TestRefund_FromTheDashboardLooksTheSame(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	pi := s.paid(hosted(1000, "usd"), good)
	s.press("charges/"+pi.LatestCharge.ID+"/refund", "amount", "4.00")
	s.event("charge.refunded")
	books := s.server.Books()
	require.Len(t, books.Refunds, 1)
	require.Equal(t, "4.00", books.Refunds[0].Amount)
	status, _, html := s.post("/dashboard/charges/"+pi.LatestCharge.ID+"/refund", "amount", "6.01")
	require.Equal(t, http.StatusConflict, status)
	require.Contains(t, html, "greater than unrefunded amount")
	s.press("refunds/" + books.Refunds[0].ID + "/fail")
	s.event("charge.refund.updated")

	for _, path := range []string{"/dashboard", "/dashboard/payments/" + pi.ID} {
		resp, err := http.Get(s.base + path)
		require.NoError(t, err)
		resp.Body.Close()
		require.Equal(t, http.StatusOK, resp.StatusCode)
	}
}

func TestManualCapture_TakesPartAndReleasesTheRest(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	pi := s.paid(manual(hosted(1000, "usd")), good)
	require.EqualValues(t, "requires_capture", pi.Status)
	require.EqualValues(t, 1000, pi.AmountCapturable)
	require.Empty(t, s.server.Books().Captures)
	s.eventually("payment_intent.created", "charge.succeeded", "payment_intent.amount_capturable_updated", "checkout.session.completed")

	_, err := s.api.Refunds.New(&stripe.RefundParams{Charge: &pi.LatestCharge.ID})
	require.Contains(t, stripeError(t, err).Msg, "must cancel the PaymentIntent")
	_, err = s.api.PaymentIntents.Capture(pi.ID, &stripe.PaymentIntentCaptureParams{AmountToCapture: stripe.Int64(1001)})
	require.EqualValues(t, "amount_too_large", stripeError(t, err).Code)
	got, err := s.api.PaymentIntents.Capture(pi.ID, &stripe.PaymentIntentCaptureParams{AmountToCapture: stripe.Int64(700)})
	require.NoError(t, err)
	require.EqualValues(t, 700, got.AmountReceived)
	s.event("charge.captured")
	s.event("charge.refunded")
	released := s.refundsOf(pi.LatestCharge.ID)
	require.Len(t, released, 1, "Stripe lists the rest as a refund")
	require.EqualValues(t, 300, released[0].Amount)
	require.Nil(t, released[0].BalanceTransaction)
	s.event("payment_intent.succeeded")
	_, err = s.api.PaymentIntents.Capture(pi.ID, &stripe.PaymentIntentCaptureParams{})
	require.EqualValues(t, "payment_intent_unexpected_state", stripeError(t, err).Code)
	_, err = s.api.Charges.Capture(pi.LatestCharge.ID, &stripe.ChargeCaptureParams{})
	require.EqualValues(t, "charge_already_captured", stripeError(t, err).Code)
	_, err = s.api.Refunds.New(refundOf(pi, 701))
	require.Error(t, err, "what was only held cannot be refunded")
	books := s.server.Books()
	require.Equal(t, "7.00", books.Captures[0].Amount)
	require.Empty(t, books.Refunds)
}

func TestManualCapture_CancelReleases(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	pi := s.paid(manual(hosted(1000, "usd")), good)
	got, err := s.api.PaymentIntents.Cancel(pi.ID, &stripe.PaymentIntentCancelParams{CancellationReason: stripe.String("abandoned")})
	require.NoError(t, err)
	require.EqualValues(t, "canceled", got.Status)
	require.EqualValues(t, "abandoned", got.CancellationReason)
	s.event("payment_intent.canceled")
	var released stripe.Charge
	require.NoError(t, json.Unmarshal(s.event("charge.refunded").Data.Raw, &released))
	require.False(t, released.Captured, "reads as refunded, and never was paid")
	require.Empty(t, s.server.Books().Refunds)
}

func TestManualCapture_LapsesAfterSevenDays(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	pi := s.paid(manual(hosted(1000, "usd")), good)
	require.Equal(t, pi.LatestCharge.Created+7*24*3600, pi.LatestCharge.PaymentMethodDetails.Card.CaptureBefore)
	s.clock.advance(7*24*time.Hour + time.Minute)
	s.event("charge.expired")
	got, err := s.api.PaymentIntents.Get(pi.ID, nil)
	require.NoError(t, err)
	require.EqualValues(t, "canceled", got.Status)
	require.EqualValues(t, "automatic", got.CancellationReason)
	_, err = s.api.PaymentIntents.Capture(pi.ID, &stripe.PaymentIntentCaptureParams{})
	require.EqualValues(t, "payment_intent_unexpected_state", stripeError(t, err).Code)
}

func TestDispute_OpensWinsAndLoses(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	pi := s.paid(hosted(1000, "usd"), alwaysFought)
	s.event("charge.dispute.created")
	s.event("charge.dispute.funds_withdrawn")
	list := s.api.Disputes.List(&stripe.DisputeListParams{PaymentIntent: &pi.ID})
	require.True(t, list.Next())
	d := list.Dispute()
	require.EqualValues(t, "needs_response", d.Status)
	_, err := s.api.Refunds.New(refundOf(pi, 100))
	require.EqualValues(t, "charge_disputed", stripeError(t, err).Code)
	s.press("disputes/" + d.ID + "/respond")
	s.event("charge.dispute.updated")
	s.press("disputes/" + d.ID + "/win")
	s.event("charge.dispute.funds_reinstated")
	d, err = s.api.Disputes.Get(d.ID, nil)
	require.NoError(t, err)
	require.EqualValues(t, "won", d.Status)
	require.Len(t, d.BalanceTransactions, 2)

	other := s.paid(hosted(1000, "usd"), good)
	s.press("charges/" + other.LatestCharge.ID + "/dispute")
	books := s.server.Books()
	s.press("disputes/" + books.Disputes[1].ID + "/lose")
	require.Equal(t, "lost", s.server.Books().Disputes[1].Status)
	asked := s.paid(hosted(1000, "usd"), good)
	s.press("charges/"+asked.LatestCharge.ID+"/dispute", "kind", "inquiry")
	require.Equal(t, "warning_needs_response", s.server.Books().Disputes[2].Status)
}

func TestState_SurvivesARestart(t *testing.T) {
	t.Parallel()
	file := t.TempDir() + "/state/stripe.json"
	s := newStand(t, func(o *sandbox.Options) { o.StateFile = file })
	pi := s.paid(hosted(1000, "usd"), slowRefund)
	p := refundOf(pi, 400)
	p.SetIdempotencyKey("refund-1")
	first, err := s.api.Refunds.New(p)
	require.NoError(t, err)
	before := s.server.Books()
	require.NoError(t, s.server.Close())

	again := newStand(t, func(o *sandbox.Options) { o.StateFile = file })
	require.Equal(t, before, again.server.Books())
	replayed, err := again.api.Refunds.New(p)
	require.NoError(t, err)
	require.Equal(t, first.ID, replayed.ID, "keys are part of the state")
	require.Len(t, again.server.Books().Refunds, 1)
	again.clock.advance(2 * time.Hour)
	require.Equal(t, "succeeded", again.server.Books().Refunds[0].Status)
}
