package ledger

import (
	"time"

	"github.com/superpayhub/superpay/sdk"
)

// Adoption is a payment that a provider tells of, that this hub made, and that
// the database has lost.
type Adoption struct {
	Claim            PaymentClaim // proven
	Provider, Plugin string
	Payment          *sdk.Payment
	// Browser says that the payer's browser made the payment, and may have written
	// into it what it liked: only a read with the checks of the flow shows whose
	// it is.
	Browser bool
	// HashTaken says that another operation on record has the hash of the app's key.
	HashTaken bool
	TTL       time.Duration // of an order whose payment names no end
}

// Adopt puts a lost attempt on record again, under the id that its metadata name.
// o is its order, or another one of the app that took the reference meanwhile, or
// nil: then the order is made anew under its own id, with what the metadata keep.
// What the provider says of the payment counts as a fact and is read at once. Each
// other attempt of the order that can still be paid is read as well: it is closed
// if this one was paid (see Superseded).
func Adopt(o *Order, x Adoption, env Env) Change {
	var d *decision
	if o == nil {
		d = start(&Order{}, env)
		d.orderAgain(x)
	} else {
		d = start(o, env)
	}
	for _, other := range d.o.Attempts {
		if other.Live() && !other.Abandoned {
			d.soon[other.ID] = true
		}
	}
	p := x.Payment
	a := &Attempt{
		ID: x.Claim.AttemptID, OrderID: d.o.ID, Provider: x.Provider, Plugin: x.Plugin, Flow: x.Claim.Flow, Mode: p.Mode,
		CaptureMode: x.Claim.CaptureMode, Status: AttemptUnknown, Refs: []sdk.Ref{}, Candidates: []sdk.Ref{}, CreatedAt: MadeAt(x.Claim.AttemptID),
	}
	d.o.Attempts = append(d.o.Attempts, a)
	d.soon[a.ID] = true
	op := d.createdAgain(a, x)
	n := News{AttemptID: a.ID, Source: FromRead, Payment: p}
	if x.Browser {
		d.record(a, n, "payment."+string(sdk.RequiresAction), map[string]any{"was": AttemptCreated})
		a.Status = sdk.RequiresAction
		a.Candidates = append(a.Candidates, p.Refs[:min(len(p.Refs), maxCandidates)]...)
		d.settle(op, n, OutcomeSucceeded, nil)
		return d.finish()
	}
	outcome, failure := answered(sdk.OpCreate, n)
	d.settle(op, n, outcome, failure)
	d.payment(a, n, false)
	return d.finish()
}

// orderAgain makes the order of a lost payment. The app's description, line items,
// customer and metadata are lost.
func (d *decision) orderAgain(x Adoption) {
	exponent, _ := sdk.Exponent(x.Claim.Amount.Currency)
	amount, _ := x.Claim.Amount.Rescale(exponent) // the digest covers it in these units
	made := MadeAt(x.Claim.OrderID)
	d.o = &Order{
		ID: x.Claim.OrderID, AppID: x.Claim.AppID, Reference: x.Claim.Reference,
		Amount: amount.Amount, Currency: amount.Currency, Exponent: exponent,
		Status: OrderOpen, Attention: []Attention{}, CreatedAt: made, ExpiresAt: x.Payment.ExpiresAt.UTC().Truncate(time.Microsecond),
	}
	if x.Payment.ExpiresAt.IsZero() {
		d.o.ExpiresAt = made.Add(x.TTL)
	}
	d.events = append(d.events, Event{
		ID: d.env.NewID(EventID), OrderID: d.o.ID, At: d.env.Now, Kind: "order.created", Source: FromHub,
		Data: map[string]any{"amount": d.o.Amount, "currency": d.o.Currency, "app": d.o.AppID, "recovered": true},
	})
}

// createdAgain makes the operation that had asked for a lost payment. The app's
// repeat is answered from it.
func (d *decision) createdAgain(a *Attempt, x Adoption) *Operation {
	op := &Operation{
		ID: d.env.NewID(OperationID), AppID: d.o.AppID, OrderID: d.o.ID, AttemptID: &a.ID, Kind: sdk.OpCreate,
		Outcome: OutcomeUnknown, Sends: 1, Arrived: true, FirstSentAt: a.CreatedAt, Deadline: d.env.Now, CreatedAt: d.env.Now,
	}
	if x.Claim.KeyHash != "" && !x.HashTaken {
		op.KeyHash = &x.Claim.KeyHash
	}
	d.o.Operations = append(d.o.Operations, op)
	d.record(a, News{Source: FromHub}, paymentRecovered, map[string]any{"operation": op.ID, "order": x.Claim.OrderID})
	return op
}

// Superseded reports whether an attempt that can still be paid must be closed,
// because another one has money of the order or can be paid as well and is newer.
// Two of them exist where a lost one was found again.
func (o *Order) Superseded(a *Attempt) bool {
	if a.Abandoned || a.Status != sdk.RequiresAction && a.Status != sdk.RequiresConfirmation {
		return false
	}
	for _, other := range o.Attempts {
		if other.ID == a.ID {
			continue
		}
		_, held := o.holds(other)
		payable := other.Live() && !other.Abandoned && other.CreatedAt.After(a.CreatedAt)
		if held || payable {
			return true
		}
	}
	return false
}
