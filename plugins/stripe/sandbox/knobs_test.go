package sandbox_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/stripe/stripe-go/v76"

	"github.com/superpayhub/superpay/plugins/stripe/sandbox"
)

// turn sets the knobs and returns the status.
func (s *stand) turn(knobs string) int {
	s.t.Helper()
	req, err := http.NewRequest(http.MethodPut, s.base+"/_sandbox/knobs", strings.NewReader(knobs))
	require.NoError(s.t, err)
	resp, err := web.Do(req)
	require.NoError(s.t, err)
	require.NoError(s.t, resp.Body.Close())
	return resp.StatusCode
}

func (s *stand) refunds() ([]string, error) {
	var ids []string
	it := s.api.Refunds.List(&stripe.RefundListParams{})
	for it.Next() {
		ids = append(ids, it.Refund().ID)
	}
	return ids, it.Err()
}

func TestKnobs_ListsAreSlowRefusedOrForgetful(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	pi := s.paid(hosted(1000, "usd"), good)
	r, err := s.api.Refunds.New(refundOf(pi, 100))
	require.NoError(t, err)

	for status, code := range map[string]string{"403": "more_permissions_required", "429": "rate_limit", "500": ""} {
		require.Equal(t, http.StatusNoContent, s.turn(`{"list_status":`+status+`}`))
		_, err := s.refunds()
		e := stripeError(t, err)
		require.Equal(t, status, strconv.Itoa(e.HTTPStatusCode))
		require.EqualValues(t, code, e.Code)
		_, err = s.api.Refunds.Get(r.ID, nil)
		require.NoError(t, err, "only lists are refused")
	}

	require.Equal(t, http.StatusNoContent, s.turn(`{"list_delay":"300ms"}`))
	began := time.Now()
	ids, err := s.refunds()
	require.NoError(t, err)
	require.Equal(t, []string{r.ID}, ids)
	require.Greater(t, time.Since(began), 300*time.Millisecond)

	require.Equal(t, http.StatusNoContent, s.turn(`{"list_memory":"1h"}`))
	ids, err = s.refunds()
	require.NoError(t, err)
	require.Equal(t, []string{r.ID}, ids)
	s.clock.advance(2 * time.Hour)
	ids, err = s.refunds()
	require.NoError(t, err)
	require.Empty(t, ids, "the list has forgotten it")
	_, err = s.api.Refunds.Get(r.ID, nil)
	require.NoError(t, err, "the refund is there all the same")

	require.Equal(t, http.StatusNoContent, s.turn(`{}`))
	ids, err = s.refunds()
	require.NoError(t, err)
	require.Equal(t, []string{r.ID}, ids)
	for _, wrong := range []string{`{"list_status":404}`, `{"list_delay":"-1s"}`, `{"fee_delay":"soon"}`, `{"lists":1}`} {
		require.Equal(t, http.StatusBadRequest, s.turn(wrong), wrong)
	}
}

func TestKnobs_AReusedKeyAnswersWithAnotherBodysObject(t *testing.T) {
	t.Parallel()
	s := newStand(t, func(o *sandbox.Options) { o.Knobs = sandbox.Knobs{ReplayAny: true} })
	pi := s.paid(hosted(1000, "usd"), good)
	refund := func(amount int64) (*stripe.Refund, error) {
		p := refundOf(pi, amount)
		p.SetIdempotencyKey("same")
		return s.api.Refunds.New(p)
	}
	first, err := refund(100)
	require.NoError(t, err)
	second, err := refund(250)
	require.NoError(t, err)
	require.Equal(t, first.ID, second.ID)
	require.EqualValues(t, 100, second.Amount, "what was done, not what was asked")
	require.Len(t, s.server.Books().Refunds, 1)
	require.Equal(t, http.StatusNoContent, s.turn(`{}`))
	_, err = refund(250)
	require.EqualValues(t, "idempotency_error", stripeError(t, err).Type)
}

// TestKnobs_AFeeCanComeLate: first the charge has no balance transaction, and an event
// tells when it has one.
func TestKnobs_AFeeCanComeLate(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	async := hosted(1000, "usd")
	async.PaymentIntentData.CaptureMethod = stripe.String("automatic_async")
	for _, c := range []struct {
		knobs string
		wait  time.Duration
		how   *stripe.CheckoutSessionParams
	}{{`{"fee_delay":"20m"}`, 20 * time.Minute, hosted(1000, "usd")}, {`{}`, time.Hour, async}} {
		require.Equal(t, http.StatusNoContent, s.turn(c.knobs))
		ch := s.paid(c.how, good).LatestCharge
		require.Nil(t, ch.BalanceTransaction)
		s.clock.advance(c.wait + time.Second)
		require.Eventually(t, func() bool {
			got, err := s.api.Charges.Get(ch.ID, nil)
			return err == nil && got.BalanceTransaction != nil
		}, 30*time.Second, 5*time.Millisecond)
		s.event("charge.updated")
	}
}
