// Package ledger holds the nouns and laws of the hub: orders, attempts,
// movements, operations, and the one function, Apply, by which what a provider
// says changes them. It is pure: no clock, no network, no database.
package ledger

import (
	"time"

	"github.com/superpayhub/superpay/sdk"
)

// OrderStatus is computed by one function, statusOf, from attempts and money.
type OrderStatus string

const (
	OrderOpen              OrderStatus = "open"       // nobody has paid yet
	OrderPending           OrderStatus = "pending"    // money may be on its way
	OrderAuthorized        OrderStatus = "authorized" // held, waiting for Capture
	OrderPaid              OrderStatus = "paid"
	OrderPartiallyRefunded OrderStatus = "partially_refunded"
	OrderRefunded          OrderStatus = "refunded"
	OrderCanceled          OrderStatus = "canceled"
	OrderExpired           OrderStatus = "expired"
)

// Limits on what can grow in one order, so that a load stays one small read.
const (
	MaxAttempts = 20
	MaxRefunds  = 200
)

// Order is what an app wants paid, with everything that happened to it. Its
// version guards all of it: whatever is written is written at the version read.
// Field tags are the column names.
type Order struct {
	ID             string            `json:"id"`
	AppID          string            `json:"app_id"`
	Reference      string            `json:"reference"`
	Amount         int64             `json:"amount"`
	Currency       string            `json:"currency"`
	Exponent       int               `json:"exponent"`
	Status         OrderStatus       `json:"status"`
	Attention      []Attention       `json:"attention"`
	NeedsAttention bool              `json:"needs_attention"`
	Authorized     int64             `json:"authorized"`
	Captured       int64             `json:"captured"`
	Refunded       int64             `json:"refunded"`
	Disputed       int64             `json:"disputed"`
	Refundable     int64             `json:"refundable"`
	Description    string            `json:"description"`
	LineItems      []sdk.LineItem    `json:"line_items"`
	Customer       sdk.Customer      `json:"customer"`
	Metadata       map[string]string `json:"metadata"`
	ReturnURL      string            `json:"return_url"`
	CancelURL      string            `json:"cancel_url"`
	CancelAskedAt  time.Time         `json:"cancel_asked_at,omitzero"`
	ErasedAt       time.Time         `json:"erased_at,omitzero"` // when the payer was forgotten
	ExpiresAt      time.Time         `json:"expires_at"`
	CreatedAt      time.Time         `json:"created_at"`
	UpdatedAt      time.Time         `json:"updated_at"`
	Version        int64             `json:"version"`

	// Of its current attempt, kept beside it so that long lists can be narrowed.
	Provider string   `json:"provider"`
	Flow     string   `json:"flow"`
	Mode     sdk.Mode `json:"mode"`

	// VersionFloor is added to the version for apps: what they were told before
	// the database went back is older than anything that it says now.
	VersionFloor int64 `json:"-"`

	Attempts   []*Attempt   `json:"-"`
	Captures   []*Capture   `json:"-"`
	Refunds    []*Refund    `json:"-"`
	Disputes   []*Dispute   `json:"-"`
	Operations []*Operation `json:"-"`
}

// OpenOperation returns the attempt's one open operation, or nil.
func (o *Order) OpenOperation(attemptID string) *Operation {
	for _, op := range o.Operations {
		if op.Open() && op.AttemptID != nil && *op.AttemptID == attemptID {
			return op
		}
	}
	return nil
}

// Current is the attempt that matters now: the one with money, else a live
// one, else the newest.
func (o *Order) Current() *Attempt {
	var best *Attempt
	for _, a := range inSequence(o.Attempts) {
		switch {
		case best == nil, a.Captured > best.Captured:
			best = a
		case best.Captured > 0:
		case o.tookAny(best) && !o.tookAny(a): // of another currency than the order's
		case a.Live(), !best.Live():
			best = a
		}
	}
	return best
}

// AppVersion is the version that apps see. It only grows, also where the database
// is restored from a backup.
func (o *Order) AppVersion() int64 { return o.VersionFloor + o.Version }

func (o *Order) tookAny(a *Attempt) bool {
	_, took := o.took(a)
	return took
}

// Money is an amount of the order's currency.
func (o *Order) Money(amount int64) sdk.Money {
	return sdk.Money{Amount: amount, Currency: o.Currency, Exponent: o.Exponent}
}

// paidBy returns another attempt that paid the order, or whose money a provider
// has in any currency, or nil.
func (o *Order) paidBy(notThis string) *Attempt {
	for _, a := range o.Attempts {
		if a.ID == notThis {
			continue
		}
		_, took := o.took(a)
		if took || a.Captured > 0 && !o.flagged(a.ID) {
			return a
		}
	}
	return nil
}
