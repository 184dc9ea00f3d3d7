package payments_test

import (
	"time"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/hub/internal/payments"
	"github.com/superpayhub/superpay/hub/internal/payments/paytest"
	"github.com/superpayhub/superpay/sdk"
)

// walked is an order in some state.
type walked struct {
	id      string
	caller  payments.Caller // of its checkout
	input   payments.CheckoutInput
	release func() // ends a call that is held
}

// begin makes an order by a flow.
func begin(e *paytest.Env, flow string, mode sdk.CaptureMode) *walked {
	w := &walked{caller: e.Caller(), input: e.Input(flow), release: func() {}}
	w.input.Capture = mode
	a, err := e.Service.Checkout(e.T.Context(), w.caller, w.input)
	require.NoError(e.T, err)
	w.id = a.Order.ID
	return w
}

// truth changes what the provider knows, and has the hub told.
func (w *walked) truth(e *paytest.Env, change func(attempt string) *sdk.Payment) *walked {
	e.Told(change(e.Order(w.id).Attempts[0].ID))
	return w
}

// asked asks a verb that must be allowed.
func (w *walked) asked(e *paytest.Env, _ any, err error) *walked {
	require.NoError(e.T, err)
	return w
}

// state makes an order that is in it.
type state struct {
	name  string
	reach func(e *paytest.Env) *walked
}

// broken scripts answers that are lost from now on: what is unknown stays so.
func broken(e *paytest.Env) {
	e.Provider.Script(func(s *paytest.Script) {
		s.CreateCheckout = paytest.Fails[sdk.CheckoutRequest, sdk.Payment](paytest.ErrBroken)
		s.Capture = paytest.Fails[sdk.CaptureRequest, sdk.Payment](paytest.ErrBroken)
		s.Refund = paytest.Fails[sdk.RefundRequest, sdk.Refund](paytest.ErrBroken)
		s.Cancel = paytest.Fails[sdk.CancelRequest, sdk.Payment](paytest.ErrBroken)
		s.Confirm = paytest.Fails[sdk.ConfirmRequest, sdk.Payment](paytest.ErrBroken)
		s.GetRefund = paytest.Fails[sdk.GetRefundRequest, sdk.Refund](paytest.ErrBroken)
		s.GetPayment = paytest.Fails[sdk.PaymentRequest, sdk.Payment](paytest.ErrBroken)
	})
}

// under makes a call be under way while the verbs are asked.
func under(e *paytest.Env, w *walked, arrived <-chan struct{}, release func(), ask func() error) *walked {
	done := make(chan error, 1)
	go func() { done <- ask() }()
	<-arrived
	w.release = func() {
		release()
		<-done
	}
	return w
}

var states = []state{
	{"created, under way", func(e *paytest.Env) *walked {
		held, arrived, release := paytest.Held(e.Provider.Honest.CreateCheckout)
		e.Provider.Script(func(s *paytest.Script) { s.CreateCheckout = held })
		w := &walked{caller: e.Caller(), input: e.Input(paytest.FlowPage)}
		under(e, w, arrived, release, func() error {
			_, err := e.Service.Checkout(e.T.Context(), w.caller, w.input)
			return err
		})
		calls := e.Provider.Calls("CreateCheckout")
		w.id = calls[len(calls)-1].Request.(sdk.CheckoutRequest).OrderID
		return w
	}},
	{"unknown", func(e *paytest.Env) *walked {
		broken(e)
		return begin(e, paytest.FlowPage, "")
	}},
	{"requires_action", func(e *paytest.Env) *walked { return begin(e, paytest.FlowPage, "") }},
	{"requires_confirmation", func(e *paytest.Env) *walked {
		return begin(e, paytest.FlowPage, "").truth(e, e.Provider.Honest.Approve)
	}},
	{"pending", func(e *paytest.Env) *walked {
		return begin(e, paytest.FlowPage, "").truth(e, func(id string) *sdk.Payment { return e.Provider.Honest.Decide(id, sdk.Pending) })
	}},
	{"authorized", func(e *paytest.Env) *walked { return begin(e, paytest.FlowCharge, sdk.CaptureManual) }},
	{"authorized, flagged", func(e *paytest.Env) *walked {
		return begin(e, paytest.FlowCharge, sdk.CaptureManual).truth(e, func(id string) *sdk.Payment {
			return e.Provider.Honest.Edit(id, func(p *sdk.Payment) { p.Amount = paytest.USD(9_999) })
		})
	}},
	{"capture unknown", func(e *paytest.Env) *walked {
		w := begin(e, paytest.FlowCharge, sdk.CaptureManual)
		broken(e)
		a, err := e.Service.Capture(e.T.Context(), e.Caller(), w.id, payments.CaptureInput{Amount: ledger.All()})
		return w.asked(e, a, err)
	}},
	{"paid", func(e *paytest.Env) *walked { return begin(e, paytest.FlowCharge, "") }},
	{"captured in part", func(e *paytest.Env) *walked {
		w := begin(e, paytest.FlowCharge, sdk.CaptureManual)
		a, err := e.Service.Capture(e.T.Context(), e.Caller(), w.id, payments.CaptureInput{Amount: ledger.Minor(4_000)})
		return w.asked(e, a, err)
	}},
	{"partially refunded", func(e *paytest.Env) *walked {
		w := begin(e, paytest.FlowCharge, "")
		a, err := e.Service.Refund(e.T.Context(), e.Caller(), w.id, payments.RefundInput{Amount: ledger.Minor(4_000)})
		return w.asked(e, a, err)
	}},
	{"refund under way", func(e *paytest.Env) *walked {
		w := begin(e, paytest.FlowCharge, "")
		held, arrived, release := paytest.Held(e.Provider.Honest.Refund)
		e.Provider.Script(func(s *paytest.Script) { s.Refund = held })
		caller := e.Caller()
		return under(e, w, arrived, release, func() error {
			_, err := e.Service.Refund(e.T.Context(), caller, w.id, payments.RefundInput{Amount: ledger.Minor(1_000)})
			return err
		})
	}},
	{"refund unknown", func(e *paytest.Env) *walked {
		w := begin(e, paytest.FlowCharge, "")
		broken(e)
		a, err := e.Service.Refund(e.T.Context(), e.Caller(), w.id, payments.RefundInput{Amount: ledger.Minor(1_000)})
		return w.asked(e, a, err)
	}},
	{"refunded", func(e *paytest.Env) *walked {
		w := begin(e, paytest.FlowCharge, "")
		a, err := e.Service.Refund(e.T.Context(), e.Caller(), w.id, payments.RefundInput{Amount: ledger.All()})
		return w.asked(e, a, err)
	}},
	{"disputed", func(e *paytest.Env) *walked {
		return begin(e, paytest.FlowCharge, "").truth(e, func(id string) *sdk.Payment { return e.Provider.Honest.Disputed(id, paytest.USD(10_000)) })
	}},
	{"failed", func(e *paytest.Env) *walked {
		return begin(e, paytest.FlowPage, "").truth(e, func(id string) *sdk.Payment { return e.Provider.Honest.Decide(id, sdk.Failed) })
	}},
	{"not sent", func(e *paytest.Env) *walked {
		e.Provider.Script(func(s *paytest.Script) { s.CreateCheckout = paytest.Fails[sdk.CheckoutRequest, sdk.Payment](notSent) })
		return begin(e, paytest.FlowPage, "")
	}},
	{"canceled", func(e *paytest.Env) *walked {
		w := begin(e, paytest.FlowPage, "")
		a, err := e.Service.Cancel(e.T.Context(), e.Caller(), w.id, payments.CancelInput{})
		return w.asked(e, a, err)
	}},
	{"abandoned", func(e *paytest.Env) *walked {
		w := begin(e, paytest.FlowBare, "")
		a, err := e.Service.Cancel(e.T.Context(), e.Caller(), w.id, payments.CancelInput{})
		return w.asked(e, a, err)
	}},
	{"authorized, abandoned", func(e *paytest.Env) *walked {
		w := begin(e, paytest.FlowBare, sdk.CaptureManual).truth(e, e.Provider.Honest.Authorize)
		a, err := e.Service.Cancel(e.T.Context(), e.Caller(), w.id, payments.CancelInput{})
		return w.asked(e, a, err)
	}},
	{"paid after cancel", func(e *paytest.Env) *walked {
		w := begin(e, paytest.FlowBare, "")
		a, err := e.Service.Cancel(e.T.Context(), e.Caller(), w.id, payments.CancelInput{})
		return w.asked(e, a, err).truth(e, e.Provider.Honest.Pay)
	}},
	{"paid twice", func(e *paytest.Env) *walked {
		w := begin(e, paytest.FlowBare, "")
		e.Clock.Advance(time.Millisecond) // attempts are in the order of their making
		a, err := e.Service.CheckoutAgain(e.T.Context(), e.Caller(), w.id, payments.AgainInput{AttemptInput: payments.AttemptInput{Provider: paytest.Name, Flow: paytest.FlowCharge}})
		return w.asked(e, a, err).truth(e, e.Provider.Honest.Pay)
	}},
	{"action, provider down", func(e *paytest.Env) *walked { return down(e, begin(e, paytest.FlowPage, "")) }},
	{"authorized, provider down", func(e *paytest.Env) *walked { return down(e, begin(e, paytest.FlowCharge, sdk.CaptureManual)) }},
	{"paid, provider down", func(e *paytest.Env) *walked { return down(e, begin(e, paytest.FlowCharge, "")) }},
	{"expired", func(e *paytest.Env) *walked {
		w := begin(e, paytest.FlowPage, "")
		e.After(25 * time.Hour)
		return w
	}},
}

// down takes the provider down while the verbs are asked.
func down(e *paytest.Env, w *walked) *walked {
	p, ok := e.Registry.Get(paytest.Name)
	require.True(e.T, ok)
	w.release = p.TakeDown()
	return w
}
