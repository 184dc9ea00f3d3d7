package main

import (
	"github.com/superpayhub/superpay/sdk"
	"github.com/superpayhub/superpay/sdk/once"
)

// dispute is Acmepay's.
type dispute struct {
	ID        string `json:"id"`
	CaptureID string `json:"capture_id"`
	Status    string `json:"status"`
	Amount    string `json:"amount"`
	Withdrawn string `json:"withdrawn"`
	Currency  string `json:"currency"`
}

var disputeStatuses = map[string]sdk.DisputeStatus{
	"open": sdk.DisputeOpen, "won": sdk.DisputeWon, "lost": sdk.DisputeLost,
}

// read tells a dispute of Acmepay's in the contract's words. Of a lost one part of the
// money may be given back, so how much is withdrawn is read by itself.
func (o dispute) read() (*sdk.Dispute, error) {
	status, known := disputeStatuses[o.Status]
	amount, err := fromWire(o.Amount, o.Currency)
	if o.ID == "" || !known || err != nil {
		return nil, once.ErrUnreadable
	}
	out := &sdk.Dispute{ID: o.ID, CaptureID: o.CaptureID, Status: status, Amount: amount}
	if o.Withdrawn == "" {
		return out, nil
	}
	out.Withdrawn, err = fromWire(o.Withdrawn, o.Currency)
	if err != nil {
		return nil, once.ErrUnreadable
	}
	out.FundsWithdrawn = out.Withdrawn.Amount > 0
	return out, nil
}
