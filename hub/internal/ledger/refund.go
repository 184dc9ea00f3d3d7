package ledger

import (
	"time"

	"github.com/superpayhub/superpay/sdk"
)

// RefundUnknown: asked, and the answer was lost.
const RefundUnknown sdk.MovementStatus = "unknown"

// Refund is money back, asked by an app or made at the provider.
type Refund struct {
	ID         string             `json:"id"`
	OrderID    string             `json:"order_id"`
	AttemptID  string             `json:"attempt_id"`
	Provider   string             `json:"provider"`
	ProviderID *string            `json:"provider_id"` // nil until the provider named it
	CaptureID  string             `json:"capture_id"`  // the provider's id of the capture
	Origin     Origin             `json:"origin"`
	Status     sdk.MovementStatus `json:"status"`
	Amount     int64              `json:"amount"`
	Currency   string             `json:"currency"`
	Exponent   int                `json:"exponent"`
	Reason     string             `json:"reason"`
	Failure    *sdk.Failure       `json:"failure"`
	Posted     int                `json:"posted"`
	CreatedAt  time.Time          `json:"created_at"`
	UpdatedAt  time.Time          `json:"updated_at"`
}

// Refund returns the order's refund of that id, or nil.
func (o *Order) Refund(id string) *Refund {
	for _, r := range o.Refunds {
		if r.ID == id {
			return r
		}
	}
	return nil
}

// NewRefund is what a refund asks for. Amount 0 is all that is left.
type NewRefund struct {
	AttemptID          string
	Amount             int64
	Reason             string
	ExpectedRefundable *int64
}

// AskRefund reserves money and records the operation that gives it back. What
// is disputed may be taken back by the payer's bank: only an operator may give
// it back as well.
func (o *Order) AskRefund(in NewRefund, ask Ask, env Env) (Change, *Operation, error) {
	if in.ExpectedRefundable != nil && *in.ExpectedRefundable != o.Refundable {
		return Change{}, nil, Conflictf("refundable_changed", "%s can be refunded now, not %s; read the order and decide again",
			o.Money(o.Refundable), o.Money(*in.ExpectedRefundable))
	}
	a, err := o.refundable(in.AttemptID, ask.Operator)
	if err != nil {
		return Change{}, nil, err
	}
	left := a.refundableBy(ask.Operator)
	if in.Amount == 0 {
		in.Amount = left
	}
	if in.Amount > left {
		return Change{}, nil, tooMuch(o, left)
	}
	if len(o.Refunds) >= MaxRefunds {
		return Change{}, nil, Conflictf("too_many_refunds", "an order can have %d refunds", MaxRefunds)
	}
	capture, err := o.captureFor(a, in.Amount)
	if err != nil {
		return Change{}, nil, err
	}
	d := start(o, env)
	r := &Refund{
		ID: env.NewID(RefundID), OrderID: o.ID, AttemptID: a.ID, Provider: a.Provider, CaptureID: capture.ProviderID,
		Origin: ByHub, Status: sdk.MovementPending, Amount: in.Amount, Currency: o.Currency, Exponent: o.Exponent,
		Reason: in.Reason, CreatedAt: env.Now,
	}
	d.o.Refunds = append(d.o.Refunds, r)
	op := d.operation(sdk.OpRefund, d.o.Attempt(a.ID), r, ask)
	return d.finish(), op, nil
}

// refundable picks the attempt to refund: the one named, else the one with
// money left. It refuses while another operation of it is open.
func (o *Order) refundable(attemptID string, by *Operator) (*Attempt, error) {
	var found *Attempt
	for _, a := range o.Attempts {
		if a.ID == attemptID || attemptID == "" && a.Captured > 0 && (found == nil || found.refundableBy(by) == 0) {
			found = a
		}
	}
	switch {
	case found == nil && attemptID != "":
		return nil, ErrNotFound("attempt of this order")
	case found == nil || found.Captured == 0:
		return nil, Conflictf("nothing_to_refund", "no money of this order was captured; its status is %s", o.Status)
	}
	if op := o.OpenOperation(found.ID); op != nil {
		return nil, Conflictf("operation_open", "a %s of this payment is not settled yet; read the order and try again", op.Kind)
	}
	if found.refundableBy(by) == 0 {
		return nil, tooMuch(o, 0)
	}
	return found, nil
}

// captureFor picks the capture that the refund gives back: one with enough left.
func (o *Order) captureFor(a *Attempt, amount int64) (*Capture, error) {
	var most int64
	for _, c := range o.Captures {
		if c.AttemptID != a.ID || c.Status != sdk.MovementSucceeded || c.Currency != o.Currency {
			continue
		}
		left := c.Amount
		for _, r := range o.Refunds {
			if r.CaptureID == c.ProviderID && r.Status != sdk.MovementFailed {
				left -= r.Amount
			}
		}
		if left >= amount {
			return c, nil
		}
		most = max(most, left)
	}
	return nil, tooMuch(o, most)
}

func tooMuch(o *Order, left int64) *Error {
	e := &Error{
		Kind: Invalid, Code: "refund_too_large", Param: "amount", OrderID: o.ID,
		Message: o.Money(left).String() + " can still be refunded",
	}
	if o.Disputed > 0 {
		e.Message += "; " + o.Money(o.Disputed).String() + " is disputed, and only an operator can refund it as well"
	}
	return e
}
