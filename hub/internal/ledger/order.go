// Package ledger holds the nouns and laws of the hub: orders, attempts,
// movements, operations, and the one function, Apply, by which what a provider
// says changes them. It is pure: no clock, no network, no database.
package ledger

import (
	"slices"
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
	ExpiresAt      time.Time         `json:"expires_at"`
	CreatedAt      time.Time         `json:"created_at"`
	UpdatedAt      time.Time         `json:"updated_at"`
	Version        int64             `json:"version"`

	Attempts   []*Attempt   `json:"-"`
	Captures   []*Capture   `json:"-"`
	Refunds    []*Refund    `json:"-"`
	Disputes   []*Dispute   `json:"-"`
	Operations []*Operation `json:"-"`
}

// Reasons for attention.
const (
	AmountMismatch    = "amount_mismatch"    // the provider's amount is not the one asked
	CurrencyMismatch  = "currency_mismatch"  // nor is its currency
	ReferenceMismatch = "reference_mismatch" // it answered about another payment, or one that settled another order
	ForeignPayment    = "foreign_payment"    // the client presented a payment that is not this order's
	ModeMismatch      = "mode_mismatch"      // test money for a live order, or the reverse
	MoneyMissing      = "money_missing"      // the provider says succeeded and names no money
	Contradiction     = "contradiction"      // it said one end, and now another
	SecondPayment     = "second_payment"     // the order was paid twice
	PaidAfterClose    = "paid_after_close"   // paid after it was canceled or expired
	OverRefunded      = "over_refunded"      // more went back than was taken
	RefundFailedLate  = "refund_failed_late" // a refund counted as done came back
	InDispute         = "in_dispute"
	RefundMismatch    = "refund_mismatch"
	Exhausted         = "exhausted" // the provider's truth could not be had in time
)

// Attention is one thing about an order that a person has to look at.
type Attention struct {
	Reason     string    `json:"reason"`
	AttemptID  string    `json:"attempt_id,omitempty"`
	At         time.Time `json:"at"`
	ResolvedAt time.Time `json:"resolved_at,omitzero"`
}

// Attempt is one try at one provider. Amounts are in the order's currency and
// exponent and are sums of movements.
type Attempt struct {
	ID            string          `json:"id"`
	OrderID       string          `json:"order_id"`
	Provider      string          `json:"provider"`
	Plugin        string          `json:"plugin"`
	Flow          string          `json:"flow"`
	Mode          sdk.Mode        `json:"mode"`
	CaptureMode   sdk.CaptureMode `json:"capture_mode"`
	Status        sdk.Status      `json:"status"`
	Failure       *sdk.Failure    `json:"failure"`
	Authorized    int64           `json:"authorized"`
	Captured      int64           `json:"captured"`
	Refunded      int64           `json:"refunded"`
	Reserved      int64           `json:"reserved"`
	Disputed      int64           `json:"disputed"`
	Abandoned     bool            `json:"abandoned"`
	CaptureBefore time.Time       `json:"capture_before,omitzero"`
	ExpiresAt     time.Time       `json:"expires_at,omitzero"`
	Refs          []sdk.Ref       `json:"refs"`
	Candidates    []sdk.Ref       `json:"candidates"` // what a callback says may be its payment; believed only after a read
	Approved      bool            `json:"approved"`   // the payer approved, and nothing was done about it yet
	Continues     int             `json:"continues"`  // how often the hub confirmed by itself
	Payer         *sdk.Payer      `json:"payer"`
	DueAt         time.Time       `json:"due_at,omitzero"`
	Tries         int             `json:"tries"`
	CreatedAt     time.Time       `json:"created_at"`
	UpdatedAt     time.Time       `json:"updated_at"`

	NextAction *sdk.NextAction `json:"-"` // encrypted at rest
	Opaque     []byte          `json:"-"` // encrypted at rest
}

// Statuses of an attempt that no provider reports.
const (
	AttemptCreated sdk.Status = "created" // recorded, not answered yet
	AttemptUnknown sdk.Status = "unknown" // asked, and the answer was lost
)

// Origin says who asked for a movement.
type Origin string

const (
	ByHub      Origin = "hub"
	ByProvider Origin = "provider" // made in the provider's dashboard, or by the provider
)

// Capture is money taken.
type Capture struct {
	ID         string             `json:"id"`
	OrderID    string             `json:"order_id"`
	AttemptID  string             `json:"attempt_id"`
	Provider   string             `json:"provider"`
	ProviderID string             `json:"provider_id"`
	Status     sdk.MovementStatus `json:"status"`
	Amount     int64              `json:"amount"`
	Currency   string             `json:"currency"`
	Exponent   int                `json:"exponent"`
	Posted     int                `json:"posted"`
	CreatedAt  time.Time          `json:"created_at"`
	UpdatedAt  time.Time          `json:"updated_at"`
}

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

// Dispute is a challenge of a capture.
type Dispute struct {
	ID             string            `json:"id"`
	OrderID        string            `json:"order_id"`
	AttemptID      string            `json:"attempt_id"`
	Provider       string            `json:"provider"`
	ProviderID     string            `json:"provider_id"`
	CaptureID      string            `json:"capture_id"`
	Status         sdk.DisputeStatus `json:"status"`
	FundsWithdrawn bool              `json:"funds_withdrawn"`
	Amount         int64             `json:"amount"`
	Currency       string            `json:"currency"`
	Exponent       int               `json:"exponent"`
	Reason         string            `json:"reason"`
	DueBy          time.Time         `json:"due_by,omitzero"`
	Posted         int               `json:"posted"`
	CreatedAt      time.Time         `json:"created_at"`
	UpdatedAt      time.Time         `json:"updated_at"`
}

// Outcome is how an operation ended.
type Outcome string

const (
	OutcomePending   Outcome = "pending"
	OutcomeSucceeded Outcome = "succeeded"
	OutcomeDeclined  Outcome = "declined" // the provider said no; Failure says why
	OutcomeNotSent   Outcome = "not_sent" // it provably never left; the same key may try again
	OutcomeUnknown   Outcome = "unknown"  // it may have happened
)

// Operation is one thing asked of a provider. It is committed before its call
// and never deleted.
type Operation struct {
	ID             string            `json:"id"`
	AppID          string            `json:"app_id"`
	OrderID        string            `json:"order_id"`
	AttemptID      *string           `json:"attempt_id"`
	RefundID       *string           `json:"refund_id"`
	Kind           sdk.OperationKind `json:"kind"`
	IdempotencyKey *string           `json:"idempotency_key"` // the app's; nil for the hub's own
	RequestHash    string            `json:"request_hash"`
	Outcome        Outcome           `json:"outcome"`
	Rejected       bool              `json:"rejected"` // declined by a refusal without effect
	Failure        *sdk.Failure      `json:"failure"`
	FirstSentAt    time.Time         `json:"first_sent_at"`
	Deadline       time.Time         `json:"deadline"` // end of the lease: until then its caller may still be waiting
	Sends          int               `json:"sends"`
	PluginVersion  string            `json:"plugin_version"`
	CreatedAt      time.Time         `json:"created_at"`
	UpdatedAt      time.Time         `json:"updated_at"`

	Request []byte `json:"-"` // what the plugin was asked; encrypted, erased on close
}

// ProviderKey is the operation's idempotency key at the provider.
func (op *Operation) ProviderKey() string { return op.ID }

// Open reports whether its effect is not known yet.
func (op *Operation) Open() bool {
	return op.Outcome == OutcomePending || op.Outcome == OutcomeUnknown
}

// Leased reports whether a caller may still be waiting for its answer.
func (op *Operation) Leased(now time.Time) bool { return op.Open() && now.Before(op.Deadline) }

// Event is one line of an order's timeline. Events are only ever added.
type Event struct {
	ID        string         `json:"id"`
	OrderID   string         `json:"order_id"`
	AttemptID string         `json:"attempt_id,omitempty"`
	At        time.Time      `json:"at"`
	Kind      string         `json:"kind"`
	Source    Source         `json:"source"`
	RequestID string         `json:"request_id"`
	Data      map[string]any `json:"data"`
}

// Source says where a change comes from.
type Source string

const (
	FromApp       Source = "app"
	FromCallback  Source = "callback"
	FromRead      Source = "read"
	FromOperation Source = "operation"
	FromHub       Source = "hub"
	FromOperator  Source = "operator"
)

// Callback is one line of the inbox: an inbound call that was proven genuine.
type Callback struct {
	ID         string      `json:"id"`
	Provider   string      `json:"provider"`
	EventID    string      `json:"event_id"`
	Type       string      `json:"type"`
	OrderID    string      `json:"order_id,omitempty"`
	Outcome    CallbackOut `json:"outcome"`
	Note       string      `json:"note"`
	DueAt      time.Time   `json:"due_at,omitzero"`
	Tries      int         `json:"tries"`
	ReceivedAt time.Time   `json:"received_at"`
	UpdatedAt  time.Time   `json:"updated_at"`

	Raw []byte `json:"-"` // the request as received; encrypted
}

// CallbackOut is what came of a callback.
type CallbackOut string

const (
	CallbackApplied   CallbackOut = "applied"
	CallbackNoNews    CallbackOut = "no_news"   // genuine, and everything in it was known
	CallbackIgnored   CallbackOut = "ignored"   // an event that means nothing to a hub
	CallbackUnmatched CallbackOut = "unmatched" // of no attempt yet; tried again
	CallbackForeign   CallbackOut = "foreign"   // of no attempt of ours
)

// Attempt returns the order's attempt of that id, or nil.
func (o *Order) Attempt(id string) *Attempt {
	for _, a := range o.Attempts {
		if a.ID == id {
			return a
		}
	}
	return nil
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

// Operation returns the order's operation of that id, or nil.
func (o *Order) Operation(id string) *Operation {
	for _, op := range o.Operations {
		if op.ID == id {
			return op
		}
	}
	return nil
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
	for _, a := range o.Attempts {
		switch {
		case best == nil, a.Captured > best.Captured, best.Captured == 0 && (a.Live() || !best.Live()):
			best = a
		}
	}
	return best
}

// Money is an amount of the order's currency.
func (o *Order) Money(amount int64) sdk.Money {
	return sdk.Money{Amount: amount, Currency: o.Currency, Exponent: o.Exponent}
}

// Live reports whether the attempt can still become money.
func (a *Attempt) Live() bool {
	return a.Status != sdk.Failed && a.Status != sdk.Canceled && a.Status != sdk.Succeeded
}

// Refundable is what may still be asked back of this attempt.
func (a *Attempt) Refundable() int64 {
	return max(0, a.Captured-a.Refunded-a.Reserved-a.Disputed)
}

// Ref returns the attempt's first ref of that kind.
func (a *Attempt) Ref(kind string) (string, bool) {
	i := slices.IndexFunc(a.Refs, func(r sdk.Ref) bool { return r.Kind == kind })
	if i < 0 {
		return "", false
	}
	return a.Refs[i].Value, true
}
