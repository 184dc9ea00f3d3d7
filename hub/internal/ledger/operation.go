package ledger

import (
	"time"

	"github.com/superpayhub/superpay/sdk"
)

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
	DerivedKey     *string           `json:"provider_key"` // see ProviderKey; written once
	KeyHash        *string           `json:"key_hash"`     // in place of IdempotencyKey, where only a provider's metadata told of it
	Arrived        bool              `json:"arrived"`      // the provider said that it knows the key
	CreatedAt      time.Time         `json:"created_at"`
	UpdatedAt      time.Time         `json:"updated_at"`

	Request []byte `json:"-"` // what the plugin was asked; encrypted, erased on close
	Asked   any    `json:"-"` // the same, not encoded: only where it was just made
}

// Open reports whether its effect is not known yet.
func (op *Operation) Open() bool {
	return op.Outcome == OutcomePending || op.Outcome == OutcomeUnknown
}

// Leased reports whether a caller may still be waiting for its answer.
func (op *Operation) Leased(now time.Time) bool { return op.Open() && now.Before(op.Deadline) }

// Operation returns the order's operation of that id, or nil.
func (o *Order) Operation(id string) *Operation {
	for _, op := range o.Operations {
		if op.ID == id {
			return op
		}
	}
	return nil
}
