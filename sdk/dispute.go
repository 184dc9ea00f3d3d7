package sdk

import "time"

// DisputeStatus is the state of a challenge of a capture.
type DisputeStatus string

const (
	DisputeInquiry DisputeStatus = "inquiry" // a question; no funds moved
	DisputeOpen    DisputeStatus = "open"    // under discussion
	DisputeWon     DisputeStatus = "won"
	DisputeLost    DisputeStatus = "lost"
	DisputeClosed  DisputeStatus = "closed" // ended without a verdict
)

// Dispute is a challenge of a capture, identified by the provider's own id.
type Dispute struct {
	ID             string
	CaptureID      string
	Status         DisputeStatus
	Amount         Money
	FundsWithdrawn bool   // the provider has taken money back, or holds it, at the moment
	Withdrawn      Money  // how much, in the currency of Amount; without a currency it did not say: all of Amount
	Fee            Money  // what the provider keeps for it so far; without a currency it did not say
	Lines          []Line // as in Capture: what was withdrawn, and what reinstated
	Reason         string
	DueBy          time.Time // when evidence is due
	At             time.Time
}
