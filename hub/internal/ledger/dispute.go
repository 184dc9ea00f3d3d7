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
	Withdrawn      *int64            `json:"withdrawn"` // nil: all of Amount, where funds are withdrawn
	Amount         int64             `json:"amount"`
	Currency       string            `json:"currency"`
	Exponent       int               `json:"exponent"`
	Reason         string            `json:"reason"`
	DueBy          time.Time         `json:"due_by,omitzero"`
	Lines          int               `json:"lines"` // balance lines told so far: a provider adds some, and takes none away
	Booked
	Posted    int       `json:"posted"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

// Gone is how much of the money the provider has taken back, or holds, at the moment.
func (d *Dispute) Gone() int64 {
	switch {
	case !d.FundsWithdrawn:
		return 0
	case d.Withdrawn != nil:
		return *d.Withdrawn
	}
	return d.Amount
}

// withdraws reports whether the provider says no other sum than is on record.
func (d *Dispute) withdraws(x sdk.Dispute) bool {
	told, err := x.Withdrawn.Rescale(d.Exponent)
	return x.Withdrawn.Currency == "" || err == nil && told.Amount == d.Gone() && told.Currency == d.Currency
}

// knows reports whether all that is told of a dispute is on record.
func (d *Dispute) knows(x sdk.Dispute, amount sdk.Money) bool {
	return d.Status == x.Status && d.FundsWithdrawn == x.FundsWithdrawn && d.amount() == amount && d.withdraws(x)
}

func (d *Dispute) gone() sdk.Money {
	return sdk.Money{Amount: d.Gone(), Currency: d.Currency, Exponent: d.Exponent}
}

func (d *Dispute) amount() sdk.Money {
	return sdk.Money{Amount: d.Amount, Currency: d.Currency, Exponent: d.Exponent}
}
