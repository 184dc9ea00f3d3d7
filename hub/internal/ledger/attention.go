package ledger

import (
	"slices"
	"time"

	"github.com/superpayhub/superpay/sdk"
)

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
	// AuthorizedAfterClose: money is held since the order was canceled or expired.
	AuthorizedAfterClose = "authorized_after_close"
	OverRefunded         = "over_refunded"      // more went back than was taken
	RefundFailedLate     = "refund_failed_late" // a refund counted as done came back
	InDispute            = "in_dispute"
	Reversed             = "reversed"         // a bank or the provider took a payment back
	RefundMismatch       = "refund_mismatch"  // a refund of another amount or currency than asked
	DisputeMismatch      = "dispute_mismatch" // a dispute in a currency or unit that is not the order's
	Exhausted            = "exhausted"        // the provider's truth could not be had in time
	CallbackStuck        = "callback_stuck"   // a callback of it could not be applied, time and again
	LedgerDoubt          = "ledger_doubt"     // what is on record of it contradicts itself
	// EventNotConfirmed: a proven event, or the provider's own answer, named what
	// reads do not show after the provider's settling time.
	EventNotConfirmed = "event_not_confirmed"
)

// Attention is one thing about an order that a person has to look at.
type Attention struct {
	Reason     string    `json:"reason"`
	AttemptID  string    `json:"attempt_id,omitempty"`
	MovementID string    `json:"movement_id,omitempty"`
	CallbackID string    `json:"callback_id,omitempty"`
	At         time.Time `json:"at"`
	ResolvedAt time.Time `json:"resolved_at,omitzero"`
	Money      string    `json:"money,omitempty"` // what a person made of money that did not fit
	Said       string    `json:"said,omitempty"`  // what did not fit, of a mismatch: see mismatch
}

// raise adds a thing to look at, once per attempt, and never again after a
// person resolved it.
func (d *decision) raise(reason, attemptID string) {
	d.raiseAbout(Attention{Reason: reason, AttemptID: attemptID})
}

// raiseAbout is raise for what can happen to each movement or callback anew.
func (d *decision) raiseAbout(x Attention) {
	d.found[x] = true
	for _, known := range d.o.Attention {
		known.At, known.ResolvedAt, known.Money = x.At, x.ResolvedAt, x.Money
		if known == x {
			return
		}
	}
	d.attend(x)
}

// attend adds a thing to look at. What did not fit is not told: apps read the
// timeline, and it may be another app's.
func (d *decision) attend(x Attention) {
	x.At = d.env.Now
	d.o.Attention = append(d.o.Attention, x)
	d.record(&Attempt{ID: x.AttemptID}, News{Source: FromHub}, "attention."+x.Reason, nil)
}

// settled ends what is said of a callback that could not be applied: it is now.
func (d *decision) settled(a *Attempt, callbackID string) {
	for i := range d.o.Attention {
		x := &d.o.Attention[i]
		if x.Reason != CallbackStuck || x.CallbackID != callbackID || !x.ResolvedAt.IsZero() {
			continue
		}
		x.ResolvedAt = d.env.Now
		d.record(a, News{Source: FromHub}, "attention.resolved", map[string]any{
			"reason": x.Reason, "id": callbackID, "why": "the callback was tried again, and could be applied",
		})
	}
}

// reached ends what is said of a provider that could not be read: it was.
func (d *decision) reached(a *Attempt) {
	if !d.told[a.ID] || d.o.OpenOperation(a.ID) != nil {
		return
	}
	a.Failures = 0
	d.over(a, Exhausted, "the provider's truth is known again")
}

// released ends what is said of money that is held for a closed order: it is not
// held any more.
func (d *decision) released(a *Attempt) {
	if a.Status != sdk.RequiresCapture {
		d.over(a, AuthorizedAfterClose, "the money is not held any more")
	}
}

// over ends what is said of an attempt for a reason that holds no more.
func (d *decision) over(a *Attempt, reason, why string) {
	d.o.Attention = slices.DeleteFunc(d.o.Attention, func(x Attention) bool {
		if x.Reason != reason || x.AttemptID != a.ID {
			return false
		}
		if x.ResolvedAt.IsZero() {
			d.record(a, News{Source: FromHub}, AttentionResolved, map[string]any{"reason": reason, "why": why})
		}
		return true // also what a person resolved, so that the next time is told anew
	})
}
