package paytest

import (
	"context"
	"errors"
	"sync"

	"github.com/superpayhub/superpay/sdk"
)

// ErrBroken is an answer that was lost: the provider may have done what it was asked.
var ErrBroken = errors.New("the connection broke")

// USD is an amount of US dollars, in cents.
func USD(cents int64) sdk.Money { return sdk.Money{Amount: cents, Currency: "USD", Exponent: 2} }

// EUR is an amount of euros, in cents.
func EUR(cents int64) sdk.Money { return sdk.Money{Amount: cents, Currency: "EUR", Exponent: 2} }

// Fails answers every call with err, and does nothing.
func Fails[R, A any](err error) func(context.Context, R) (*A, error) {
	return func(context.Context, R) (*A, error) { return nil, err }
}

// Answers is a method that always says that.
func Answers[R, A any](a *A) func(context.Context, R) (*A, error) {
	return func(context.Context, R) (*A, error) { return a, nil }
}

// Lost does what is asked and loses the answer.
func Lost[R, A any](does func(context.Context, R) (*A, error)) func(context.Context, R) (*A, error) {
	return func(ctx context.Context, r R) (*A, error) {
		_, _ = does(ctx, r)
		return nil, ErrBroken
	}
}

// Changed does what is asked, and says something else. What the provider keeps
// stays as it is; a reading tells that.
func Changed[R, A any](does func(context.Context, R) (*A, error), change func(*A)) func(context.Context, R) (*A, error) {
	return func(ctx context.Context, r R) (*A, error) {
		a, err := does(ctx, r)
		if err == nil {
			change(a)
		}
		return a, err
	}
}

// Held does what is asked when release is called; arrived tells of each call
// that waits for that. The hub stops waiting after its call timeout.
func Held[R, A any](does func(context.Context, R) (*A, error)) (held func(context.Context, R) (*A, error), arrived <-chan struct{}, release func()) {
	waits, opened := make(chan struct{}, 1000), make(chan struct{})
	held = func(ctx context.Context, r R) (*A, error) {
		waits <- struct{}{}
		select {
		case <-opened:
			return does(ctx, r)
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return held, waits, sync.OnceFunc(func() { close(opened) })
}

// Approve has the payer do their part: the server has to confirm.
func (h *Honest) Approve(attemptID string) *sdk.Payment {
	return h.Edit(attemptID, func(p *sdk.Payment) { p.Status = sdk.RequiresConfirmation })
}

// Decide moves the payment of an attempt to a status that moves no money.
func (h *Honest) Decide(attemptID string, s sdk.Status) *sdk.Payment {
	return h.Edit(attemptID, func(p *sdk.Payment) {
		p.Status = s
		if s != sdk.RequiresAction && s != sdk.RequiresConfirmation {
			p.NextAction = nil
		}
	})
}

// Refunded gives money of the payment back, as the merchant's dashboard does.
func (h *Honest) Refunded(attemptID string, amount sdk.Money) *sdk.Payment {
	h.mu.Lock()
	id := h.name("re")
	h.mu.Unlock()
	return h.Edit(attemptID, func(p *sdk.Payment) {
		r := sdk.Refund{ID: id, Status: sdk.MovementSucceeded, Amount: amount}
		if len(p.Captures.Items) > 0 {
			r.CaptureID = p.Captures.Items[0].ID
		}
		p.Refunds.Items = append(p.Refunds.Items, r)
	})
}

// Disputed has the payer's bank withdraw money of the payment.
func (h *Honest) Disputed(attemptID string, amount sdk.Money) *sdk.Payment {
	h.mu.Lock()
	id := h.name("dp")
	h.mu.Unlock()
	return h.Edit(attemptID, func(p *sdk.Payment) {
		p.Disputes.Items = append(p.Disputes.Items, sdk.Dispute{
			ID: id, CaptureID: p.Captures.Items[0].ID, Status: sdk.DisputeOpen, FundsWithdrawn: true, Amount: amount,
		})
	})
}
