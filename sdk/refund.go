package sdk

import "time"

// Refund is money back, identified by the provider's own id.
type Refund struct {
	ID         string // the provider's
	RefundID   string // the hub's, as found in metadata, not as asked; empty if the hub did not make it
	InstanceID string // as found in metadata
	KeyHash    string // likewise
	Digest     string // likewise
	CaptureID  string // the capture it gives back, if the provider says
	Status     MovementStatus
	Amount     Money
	Failure    *Failure
	At         time.Time
	Lines      []Line // as in Capture
	Reversed   bool   // taken back by a bank or the provider against the merchant's will: a person is told
}
