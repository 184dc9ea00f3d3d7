package ledger

import (
	"time"

	"github.com/superpayhub/superpay/sdk"
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
	// PendingReason is why the provider does not say yes or no yet, in its own word;
	// empty if it is not pending, or the provider did not say.
	PendingReason string `json:"pending_reason,omitempty"`
	Booked
	Posted    int       `json:"posted"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

// PendingReason is why the provider has not taken an attempt's money yet, in its own
// word; empty if nothing of it is pending, or the provider did not say.
func (o *Order) PendingReason(attemptID string) string {
	for _, c := range o.Captures {
		if c.AttemptID == attemptID && c.Status == sdk.MovementPending && c.PendingReason != "" {
			return c.PendingReason
		}
	}
	return ""
}

func (c *Capture) money() sdk.Money {
	return sdk.Money{Amount: c.Amount, Currency: c.Currency, Exponent: c.Exponent}
}

// capturedSince reports whether the provider captured something of the attempt
// since the operation was asked for.
func (d *decision) capturedSince(a *Attempt, op *Operation) bool {
	for _, c := range d.o.Captures {
		if c.AttemptID == a.ID && c.Status != sdk.MovementFailed && !c.CreatedAt.Before(op.CreatedAt) {
			return true
		}
	}
	return false
}
