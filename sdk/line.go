package sdk

import "time"

// LineKind says what changed the merchant's balance. A reader takes a kind that it
// does not know for LineOther.
type LineKind string

const (
	LineCapture LineKind = "capture"
	LineRefund  LineKind = "refund"
	LineDispute LineKind = "dispute" // withdrawn or reinstated, by the sign of Gross
	LineFee     LineKind = "fee"     // a fee that the provider books by itself
	LineOther   LineKind = "other"
)

// Line is one change of the merchant's balance at the provider, as the provider books
// it: what Stripe calls a balance transaction. Gross - Fee is by how much the balance
// rose. Both are in the currency of the balance, which need not be the payment's.
type Line struct {
	ID          string // the provider's own, or one made of the movement's; the same at each read
	Kind        LineKind
	Type        string // the provider's own word for it
	Gross       Money  // negative: money went out
	Fee         Money  // what the provider kept; negative: gave back; without a currency: nothing
	At          time.Time
	AvailableAt time.Time // from when it can be paid out; zero: the provider did not say
}
