package jobs_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/hub/internal/jobs"
	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/hub/internal/notifications"
	"github.com/superpayhub/superpay/hub/internal/payments"
	"github.com/superpayhub/superpay/hub/internal/payments/paytest"
	"github.com/superpayhub/superpay/sdk"
)

// hub is a payments service with a worker, and two providers.
type hub struct {
	*paytest.Env
	other  *paytest.Provider
	worker *jobs.Worker
}

const other = "other"

func newHub(t *testing.T, options ...func(*payments.Options)) *hub {
	t.Helper()
	h := &hub{other: paytest.NewProvider(), worker: jobs.New()}
	h.Env = paytest.New(t, paytest.Options{
		Others: map[string]*paytest.Provider{other: h.other},
		Service: func(o *payments.Options) {
			o.Kick, o.CallTimeout = h.worker.Kick, time.Minute
			for _, set := range options {
				set(o)
			}
		},
	})
	log := slog.New(slog.DiscardHandler)
	h.worker.DB, h.worker.Payments, h.worker.Logger, h.worker.Now = h.DB, h.Service, log, h.Clock.Now
	h.worker.Sender = notifications.New(h.DB, log, 1, true)
	h.worker.Keep = jobs.Retention{Callbacks: time.Hour, Answers: time.Hour, Notifications: time.Hour}
	return h
}

// start runs the worker until stop is called, which waits for its end.
func (h *hub) start() (stop func(), ended <-chan struct{}) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(h.T.Context()))
	done := make(chan struct{})
	go func() {
		defer close(done)
		h.worker.Run(ctx)
	}()
	h.T.Cleanup(func() {
		cancel()
		<-done
	})
	return cancel, done
}

func (h *hub) eventually(what func() bool) {
	h.T.Helper()
	require.Eventually(h.T, what, time.Minute, 10*time.Millisecond)
}

// begin makes an order at a provider, which has a payer who paid, and no callback.
func (h *hub) begin(name string, p *paytest.Provider) *ledger.Order {
	h.T.Helper()
	in := h.Input(paytest.FlowPage)
	in.Provider = name
	a, err := h.Service.Checkout(h.T.Context(), h.Caller(), in)
	require.NoError(h.T, err)
	p.Honest.Pay(a.Order.Attempts[0].ID)
	return a.Order
}

func (h *hub) paid(o *ledger.Order) bool { return h.Order(o.ID).Status == ledger.OrderPaid }

// TestWorker_OneThatHangsHoldsUpNobody: a provider that answers nothing has its
// share of the worker, and no more. What waited for it is done when it answers.
func TestWorker_OneThatHangsHoldsUpNobody(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	const share = 8
	var slow []*ledger.Order
	for range 3 * share {
		slow = append(slow, h.begin(paytest.Name, h.Provider))
	}
	held, arrived, release := paytest.Held(h.Provider.Honest.GetPayment)
	h.Provider.Script(func(s *paytest.Script) { s.GetPayment = held })
	h.Clock.Advance(2 * time.Minute) // all of them are due
	h.start()
	for range share {
		<-arrived
	}
	quick := []*ledger.Order{h.begin(other, h.other), h.begin(other, h.other)}
	h.Clock.Advance(2 * time.Minute)
	h.worker.Kick()
	h.eventually(func() bool { return h.paid(quick[0]) && h.paid(quick[1]) })
	require.Len(t, h.Provider.Calls("GetPayment"), share)
	release()
	for _, o := range slow {
		h.eventually(func() bool { return h.paid(o) })
	}
	h.Verified()
}

// TestWorker_FinishesWhatItBegan: who stops it waits for what is under way, and
// nothing new is begun.
func TestWorker_FinishesWhatItBegan(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	o := h.begin(paytest.Name, h.Provider)
	held, arrived, release := paytest.Held(h.Provider.Honest.GetPayment)
	h.Provider.Script(func(s *paytest.Script) { s.GetPayment = held })
	h.Clock.Advance(2 * time.Minute)
	stop, ended := h.start()
	<-arrived
	stop()
	late := h.begin(paytest.Name, h.Provider)
	h.Clock.Advance(2 * time.Minute)
	h.worker.Kick()
	select {
	case <-ended:
		t.Fatal("it ended before what it had begun")
	case <-time.After(50 * time.Millisecond):
	}
	release()
	<-ended
	require.True(t, h.paid(o))
	require.False(t, h.paid(late))
}

// TestWorker_BoundsHowOftenAProviderIsAsked, as long as its clock stands still.
func TestWorker_BoundsHowOftenAProviderIsAsked(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.worker.Reads = map[string]float64{paytest.Name: 2, "": 1000}
	var all []*ledger.Order
	for range 6 {
		all = append(all, h.begin(paytest.Name, h.Provider))
	}
	quick := h.begin(other, h.other)
	h.Clock.Advance(2 * time.Minute)
	h.start()
	h.eventually(func() bool { return h.paid(quick) && len(h.Provider.Calls("GetPayment")) == 2 })
	h.Clock.Advance(time.Second)
	h.eventually(func() bool { return len(h.Provider.Calls("GetPayment")) >= 4 })
	require.Len(t, h.Provider.Calls("GetPayment"), 4)
	h.eventually(func() bool {
		h.Clock.Advance(100 * time.Millisecond)
		n := 0
		for _, o := range all {
			if h.paid(o) {
				n++
			}
		}
		return n == len(all)
	})
}

// TestWorker_LooksIntoCallbacksAgain, and reads what
// the providers list.
func TestWorker_LooksIntoCallbacksAgain(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	early := h.Fact("evt-early", "", true, sdk.Payment{
		Status: sdk.Succeeded, Refs: []sdk.Ref{{Kind: "payment", Value: "pay-1"}}, Amount: paytest.USD(10_000),
		Captures: sdk.Captures{Items: []sdk.Capture{{ID: "cap-early", Status: sdk.MovementSucceeded, Amount: paytest.USD(10_000)}}},
	})
	_, err := h.Callback(early)
	require.NoError(t, err)
	o := h.Checkout(paytest.FlowPage)
	for _, name := range []string{paytest.Name, other} {
		require.NoError(t, h.DB.CameUp(t.Context(), name, h.Clock.Now(), time.Hour))
	}
	h.start()
	h.Clock.Advance(3 * time.Second)
	h.worker.Kick()
	h.eventually(func() bool { return h.paid(o) })
	h.eventually(func() bool { return len(h.Provider.Calls("List")) > 0 && len(h.other.Calls("List")) > 0 })
}
