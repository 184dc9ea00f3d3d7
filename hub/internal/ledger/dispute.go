package ledger

import (
	"time"

	"github.com/superpayhub/superpay/sdk"
)

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
	Kept
	Posted    int       `json:"posted"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

func (d *Dispute) amount() sdk.Money {
	return sdk.Money{Amount: d.Amount, Currency: d.Currency, Exponent: d.Exponent}
}
