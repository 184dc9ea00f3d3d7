package paytest

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/superpayhub/superpay/sdk"
)

// Repeats are those of the scripted provider: keys are remembered for a day,
// and an effect may be invisible for ten seconds.
func Repeats() map[sdk.OperationKind]sdk.Repeat {
	out := map[sdk.OperationKind]sdk.Repeat{}
	for _, kind := range []sdk.OperationKind{sdk.OpCreate, sdk.OpConfirm, sdk.OpCapture, sdk.OpCancel, sdk.OpRefund} {
		out[kind] = sdk.Repeat{Deduplicated: true, KeyLifetime: 24 * time.Hour, Settling: 10 * time.Second}
	}
	return out
}

// Honest keeps the provider's payments and does what it is asked: it has no
// limit, compares nothing, and answers a repeated key with the first answer.
type Honest struct {
	mu       sync.Mutex
	payments map[string]*sdk.Payment // by attempt id
	answers  map[string]any          // by key
	counter  int
}

// name makes the next provider id of a kind: "cap-1". Called with the lock held.
func (h *Honest) name(kind string) string {
	h.counter++
	return fmt.Sprintf("%s-%d", kind, h.counter)
}

// Payment returns a copy of the provider's payment of an attempt, or nil.
func (h *Honest) Payment(attemptID string) *sdk.Payment {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.copy(attemptID)
}

// copy is called with the lock held.
func (h *Honest) copy(attemptID string) *sdk.Payment {
	p := h.payments[attemptID]
	if p == nil {
		return nil
	}
	c := *p
	c.Refs = slices.Clone(p.Refs)
	c.Captures.Items = slices.Clone(p.Captures.Items)
	c.Refunds.Items = slices.Clone(p.Refunds.Items)
	c.Disputes.Items = slices.Clone(p.Disputes.Items)
	return &c
}

// Edit changes the provider's payment of an attempt, as a merchant's dashboard,
// a bank or the payer does, and returns it. No callback is sent.
func (h *Honest) Edit(attemptID string, change func(*sdk.Payment)) *sdk.Payment {
	h.mu.Lock()
	defer h.mu.Unlock()
	change(h.payments[attemptID])
	return h.copy(attemptID)
}

// Pay captures the payment of an attempt whole, as a payer on the provider's
// page does, and returns it.
func (h *Honest) Pay(attemptID string) *sdk.Payment {
	h.mu.Lock()
	id := h.name("cap")
	h.mu.Unlock()
	return h.Edit(attemptID, func(p *sdk.Payment) {
		p.Status = sdk.Succeeded
		p.NextAction = nil
		p.Captures.Items = append(p.Captures.Items, sdk.Capture{ID: id, Status: sdk.MovementSucceeded, Amount: p.Amount})
	})
}

// Authorize holds the payment of an attempt whole, for a manual capture.
func (h *Honest) Authorize(attemptID string) *sdk.Payment {
	return h.Edit(attemptID, func(p *sdk.Payment) {
		p.Status = sdk.RequiresCapture
		p.Authorized, p.Capturable = p.Amount, p.Amount
	})
}

// repeated answers a key that was used before. Called with the lock held.
func repeated[A any](h *Honest, key string) (*A, bool) {
	a, ok := h.answers[key].(*A)
	if !ok {
		return nil, false
	}
	c := *a
	return &c, true
}

// answered remembers an answer under its key. Called with the lock held.
func answered[A any](h *Honest, key string, a *A) (*A, error) {
	if h.answers == nil {
		h.answers = map[string]any{}
	}
	kept := *a
	h.answers[key] = &kept
	return a, nil
}

// CreateCheckout makes a payment; the flow charge takes or holds the money.
func (h *Honest) CreateCheckout(_ context.Context, r sdk.CheckoutRequest) (*sdk.Payment, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if a, ok := repeated[sdk.Payment](h, r.Key); ok {
		return a, nil
	}
	p := &sdk.Payment{
		Mode: sdk.Test, Status: sdk.RequiresAction, Amount: r.Amount,
		Refs:       []sdk.Ref{{Kind: "payment", Value: h.name("pay")}},
		Captures:   sdk.Captures{Complete: true},
		Refunds:    sdk.Refunds{Complete: true},
		Disputes:   sdk.Disputes{Complete: true},
		NextAction: &sdk.NextAction{Type: sdk.ActionRedirect, URL: "https://pay.example/" + r.AttemptID},
	}
	p.ReadMetadata(r.HubMetadata())
	if r.Flow == FlowCharge {
		p.NextAction = nil
		p.Status = sdk.RequiresCapture
		p.Authorized, p.Capturable = r.Amount, r.Amount
		if r.CaptureMode != sdk.CaptureManual {
			p.Status = sdk.Succeeded
			p.Captures.Items = []sdk.Capture{{ID: h.name("cap"), Status: sdk.MovementSucceeded, Amount: r.Amount}}
		}
	}
	h.payments[r.AttemptID] = p
	return answered(h, r.Key, h.copy(r.AttemptID))
}

// GetPayment reads a payment by the attempt's id, or by the hash of the app's key.
func (h *Honest) GetPayment(_ context.Context, r sdk.PaymentRequest) (*sdk.Payment, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if p := h.copy(r.AttemptID); p != nil {
		return p, nil
	}
	for id, p := range h.payments {
		if r.FindKeyHash != "" && p.KeyHash == r.FindKeyHash || len(r.Refs) > 0 && slices.Contains(p.Refs, r.Refs[0]) {
			return h.copy(id), nil
		}
	}
	return nil, sdk.ErrNotFound
}

// Result is what the payer of an attempt brings back, in the parameter result.
func Result(attemptID string) string { return "paid+" + attemptID }

// Confirm captures the payment whole; by the flow return only with its own result.
func (h *Honest) Confirm(_ context.Context, r sdk.ConfirmRequest) (*sdk.Payment, error) {
	return h.change(r.PaymentRequest, r.Key, func(p *sdk.Payment) {
		if r.Flow == FlowReturn && r.Return.Value("result") != Result(r.AttemptID) {
			return
		}
		p.Status = sdk.Succeeded
		p.NextAction = nil
		p.Captures.Items = append(p.Captures.Items, sdk.Capture{ID: h.name("cap"), Status: sdk.MovementSucceeded, Amount: p.Amount})
	})
}

// Capture takes what is asked, however much that is, and releases the rest.
func (h *Honest) Capture(_ context.Context, r sdk.CaptureRequest) (*sdk.Payment, error) {
	return h.change(r.PaymentRequest, r.Key, func(p *sdk.Payment) {
		p.Status = sdk.Succeeded
		p.Capturable = sdk.Money{}
		p.Captures.Items = append(p.Captures.Items, sdk.Capture{ID: h.name("cap"), Status: sdk.MovementSucceeded, Amount: r.Capture})
	})
}

// Cancel releases the payment.
func (h *Honest) Cancel(_ context.Context, r sdk.CancelRequest) (*sdk.Payment, error) {
	return h.change(r.PaymentRequest, r.Key, func(p *sdk.Payment) {
		p.Status = sdk.Canceled
		p.NextAction = nil
	})
}

func (h *Honest) change(r sdk.PaymentRequest, key string, change func(*sdk.Payment)) (*sdk.Payment, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if a, ok := repeated[sdk.Payment](h, key); ok {
		return a, nil
	}
	p := h.payments[r.AttemptID]
	if p == nil {
		return nil, sdk.Rejected(sdk.Failure{Code: sdk.FailureState, Message: "no such payment"})
	}
	change(p)
	return answered(h, key, h.copy(r.AttemptID))
}

// Refund gives back what is asked, however much that is.
func (h *Honest) Refund(_ context.Context, r sdk.RefundRequest) (*sdk.Refund, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if a, ok := repeated[sdk.Refund](h, r.Key); ok {
		return a, nil
	}
	p := h.payments[r.AttemptID]
	if p == nil {
		return nil, sdk.Rejected(sdk.Failure{Code: sdk.FailureState, Message: "no such payment"})
	}
	refund := sdk.Refund{
		ID: h.name("re"), CaptureID: r.CaptureID, Status: sdk.MovementSucceeded, Amount: r.Refund,
	}
	refund.ReadMetadata(r.HubMetadata())
	p.Refunds.Items = append(p.Refunds.Items, refund)
	return answered(h, r.Key, &refund)
}

// GetRefund reads a refund by the provider's id, the hub's, or the hash of the
// app's key.
func (h *Honest) GetRefund(_ context.Context, r sdk.GetRefundRequest) (*sdk.Refund, error) {
	p := h.Payment(r.AttemptID)
	if p == nil {
		return nil, sdk.ErrNotFound
	}
	for _, refund := range p.Refunds.Items {
		if refund.ID == r.ProviderID || r.RefundID != "" && refund.RefundID == r.RefundID || r.FindKeyHash != "" && refund.KeyHash == r.FindKeyHash {
			return &refund, nil
		}
	}
	return nil, sdk.ErrNotFound
}

// List returns every payment on one page.
func (h *Honest) List(context.Context, sdk.ListRequest) (*sdk.ListPage, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	page := &sdk.ListPage{}
	for id := range h.payments {
		page.Payments = append(page.Payments, *h.copy(id))
	}
	slices.SortFunc(page.Payments, func(a, b sdk.Payment) int {
		if a.AttemptID < b.AttemptID {
			return -1
		}
		return 1
	})
	return page, nil
}
