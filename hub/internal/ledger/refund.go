package ledger

import (
	"fmt"
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
	Booked
	Posted    int       `json:"posted"`
	Asked     int64     `json:"asked,omitempty"`    // what the hub asked for, where the provider did something else
	PartOf    string    `json:"part_of,omitempty"`  // the refund whose further part it is: see Parts
	PartKey   string    `json:"part_key,omitempty"` // its own key at the provider, if it is one of several parts
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

func (r *Refund) money() sdk.Money {
	return sdk.Money{Amount: r.Amount, Currency: r.Currency, Exponent: r.Exponent}
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

// NewRefund is what a refund asks for. Amount 0 is all that is left, in the
// order's currency unless another is named.
type NewRefund struct {
	AttemptID          string
	Amount             Amount
	Currency           string
	Reason             string
	ExpectedRefundable *int64
}

// AskRefund reserves money and records the operation that gives it back. What
// is disputed may be taken back by the payer's bank: only an operator may give
// it back as well. What no single capture covers is given back in parts, one
// capture each: the operation is about the first.
func (o *Order) AskRefund(in NewRefund, ask Ask, env Env) (Change, *Operation, error) {
	if found := o.foundParts(ask, env); len(found) > 0 {
		return o.askParts(in, found, ask, env)
	}
	if in.ExpectedRefundable != nil {
		if now := o.RefundableIn(in.Currency); now.Amount != *in.ExpectedRefundable {
			was := now
			was.Amount = *in.ExpectedRefundable
			return Change{}, nil, Conflictf("refundable_changed", "%s can be refunded now, not %s; read the order and decide again", now, was)
		}
	}
	a, b, err := o.refundable(in, ask.Operator)
	if err != nil {
		return Change{}, nil, err
	}
	left := b.refundableBy(ask.Operator)
	amount := in.Amount.Of(left)
	if amount > left {
		return Change{}, nil, tooMuch(o, b, left)
	}
	shares, err := o.shares(a, b, amount, ask.Operator)
	if err != nil {
		return Change{}, nil, err
	}
	if len(o.Refunds)+len(shares) > MaxRefunds {
		return Change{}, nil, Conflictf("too_many_refunds", "an order can have %d refunds", MaxRefunds)
	}
	d := start(o, env)
	var parts []*Refund
	for _, s := range shares {
		r := d.refundOf(a, b, s, in.Reason)
		if len(parts) > 0 {
			r.PartOf = parts[0].ID
		}
		parts = append(parts, r)
	}
	op := d.operation(sdk.OpRefund, d.o.Attempt(a.ID), parts[0], ask)
	if len(parts) > 1 {
		for _, r := range parts {
			r.PartKey = op.PartKey(r.CaptureID)
		}
	}
	return d.finish(), op, nil
}

// RefundableIn is what all attempts together can give back of a currency; an
// empty one is the order's.
func (o *Order) RefundableIn(currency string) sdk.Money {
	if currency == "" || currency == o.Currency {
		return o.Money(o.Refundable)
	}
	var sum Balance
	for _, a := range o.Attempts {
		b := o.balance(a, currency)
		sum.Captured += b.Refundable()
		sum.Exponent = max(sum.Exponent, b.Exponent)
	}
	return sdk.Money{Amount: sum.Captured, Currency: currency, Exponent: sum.Exponent}
}

// refundable picks the attempt to refund: the one named, else the one with
// money left of that currency. It refuses while another operation of it is open.
func (o *Order) refundable(in NewRefund, by *Operator) (*Attempt, Balance, error) {
	currency := in.Currency
	if currency == "" {
		currency = o.Currency
	}
	var found *Attempt
	var balance Balance
	for _, a := range o.Attempts {
		b := o.balance(a, currency)
		if a.ID == in.AttemptID || in.AttemptID == "" && b.Captured > 0 && (found == nil || balance.refundableBy(by) == 0) {
			found, balance = a, b
		}
	}
	if found == nil && in.AttemptID != "" {
		return nil, balance, ErrNotFound("attempt of this order")
	}
	if in.Currency == "" && balance.refundableBy(by) == 0 {
		if e := o.unnamed(in.AttemptID, by); e != nil {
			return nil, balance, e
		}
	}
	if found == nil || balance.Captured == 0 {
		return nil, balance, Conflictf("nothing_to_refund", "no %s of this order was captured; its status is %s", currency, o.Status)
	}
	if op := o.OpenOperation(found.ID); op != nil {
		return nil, balance, Conflictf("operation_open", "a %s of this payment is not settled yet; read the order and try again", op.Kind)
	}
	if balance.refundableBy(by) == 0 {
		return nil, balance, tooMuch(o, balance, 0)
	}
	return found, balance, nil
}

// unnamed refuses a refund that names no currency where what can be given back
// is of another than the order's; nil if there is no such money.
func (o *Order) unnamed(attemptID string, by *Operator) error {
	for _, a := range o.Attempts {
		if attemptID != "" && a.ID != attemptID {
			continue
		}
		for _, b := range o.Balances(a) {
			if b.Currency == o.Currency || b.refundableBy(by) == 0 {
				continue
			}
			return &Error{
				Kind: Invalid, Code: "currency_required", Param: "currency", OrderID: o.ID, AttemptID: a.ID, Held: b.money(b.refundableBy(by)),
				Message: fmt.Sprintf("attempt %s took %s and the order is in %s: name the currency to give back, %s", a.ID, b.money(b.Captured), o.Currency, b.Currency),
			}
		}
	}
	return nil
}

func tooMuch(o *Order, b Balance, left int64) *Error {
	e := &Error{
		Kind: Invalid, Code: "refund_too_large", Param: "amount", OrderID: o.ID,
		Message: b.money(left).String() + " can still be refunded",
	}
	if b.Disputed > 0 {
		e.Message += "; " + b.money(b.Disputed).String() + " is disputed, and only an operator can refund it as well"
	}
	return e
}
