package ledger

import (
	"math"

	"github.com/superpayhub/superpay/sdk"
)

// Correction is what a person found at the provider about one movement that the
// hub has wrong.
type Correction struct {
	MovementID string    // the hub's or the provider's id of the capture, refund or dispute
	Was        int64     // its amount as the person saw it, in minor units
	Is         sdk.Money // what it should be; without a currency, in the movement's own
	Void       bool      // instead of Is: it never happened
	ProviderID string    // of a refund that the provider did not name to the hub: it is there, under this id
}

// Correct takes over what a person says of a movement, for good reasons. Nothing
// posted is changed: the journal undoes it and posts the right amount. What the
// provider says when it is read next counts for more.
func (o *Order) Correct(in Correction, by Operator, env Env) (Change, error) {
	d := start(o, env)
	for _, c := range d.o.Captures {
		if in.MovementID == c.ID || in.MovementID == c.ProviderID {
			m, err := o.corrected(in, c.money(), true)
			if err != nil {
				return Change{}, err
			}
			kind := "capture.corrected"
			if in.Void {
				kind, m = "capture.failed", c.money()
				c.Status = sdk.MovementFailed
			}
			d.note(c.AttemptID, kind, corrected(map[string]any{"id": c.ProviderID}, c.money(), m), by)
			c.Amount, c.Currency, c.Exponent = m.Amount, m.Currency, m.Exponent
			return d.finish(), nil
		}
	}
	for _, r := range d.o.Refunds {
		if in.MovementID == r.ID || r.ProviderID != nil && in.MovementID == *r.ProviderID {
			if err := d.correctRefund(r, in, by); err != nil {
				return Change{}, err
			}
			return d.finish(), nil
		}
	}
	for _, x := range d.o.Disputes {
		if in.MovementID == x.ID || in.MovementID == x.ProviderID {
			m, err := o.corrected(in, x.amount(), false)
			if err != nil {
				return Change{}, err
			}
			data := corrected(map[string]any{"id": x.ProviderID, "funds_withdrawn": x.FundsWithdrawn}, x.amount(), m)
			d.note(x.AttemptID, "dispute."+string(x.Status), data, by)
			x.Amount, x.Currency, x.Exponent = m.Amount, m.Currency, m.Exponent
			x.Withdrawn = nil // a person says what it is: all of it
			return d.finish(), nil
		}
	}
	return Change{}, ErrNotFound("movement of this order")
}

func (d *decision) correctRefund(r *Refund, in Correction, by Operator) error {
	m, err := d.o.corrected(in, r.money(), true)
	if err != nil {
		return err
	}
	switch {
	case r.ProviderID == nil && in.Void:
		return Invalidf("void", "the hub is still finding out what became of refund %s", r.ID)
	case r.ProviderID == nil && in.ProviderID == "":
		return Conflictf("wrong_state", "the provider has not named refund %s: the hub is still finding out what became of it; if you see it there, give its id", r.ID)
	case r.ProviderID != nil && in.ProviderID != "" && *r.ProviderID != in.ProviderID:
		return Conflictf("wrong_state", "refund %s is %s at the provider", r.ID, *r.ProviderID)
	}
	if op := d.o.OpenOperation(r.AttemptID); op != nil && op.Leased(d.env.Now) {
		return InFlight(op, d.env.Now)
	}
	kind, was := "refund.corrected", r.money()
	switch {
	case in.Void:
		kind, m = "refund.failed", was
		r.Status = sdk.MovementFailed
	case r.ProviderID == nil:
		kind = "refund.succeeded"
		id := in.ProviderID
		r.ProviderID = &id
		r.Status, r.Failure = sdk.MovementSucceeded, nil
	}
	d.note(r.AttemptID, kind, corrected(map[string]any{"refund_id": r.ID, "provider_id": *r.ProviderID}, was, m), by)
	d.amend(r, m)
	d.settleRefund(r, News{Source: FromOperator})
	return nil
}

// corrected is the amount that a correction comes to, or why it is none.
func (o *Order) corrected(in Correction, row sdk.Money, voidable bool) (sdk.Money, error) {
	m := in.Is
	if m.Currency == "" {
		m.Currency = row.Currency
	}
	exponent, known := sdk.Exponent(m.Currency)
	switch {
	case in.Was != row.Amount:
		return m, Conflictf("wrong_state", "it is of %s now; look at the order again and decide anew", row)
	case in.Void && !voidable:
		return m, Invalidf("void", "a dispute ends at the provider")
	case in.Void && m.Amount != 0:
		return m, Invalidf("amount", "what never happened has no amount")
	case in.Void:
		return sdk.Money{Currency: row.Currency, Exponent: row.Exponent}, nil
	case !known && m.Currency != row.Currency:
		return m, Invalidf("currency", "must be an ISO 4217 code in upper case, as USD")
	case m.Amount <= 0 || m.Amount > math.MaxInt64/100:
		return m, Invalidf("amount", "must be a positive number of minor units")
	}
	m.Exponent = row.Exponent
	if known {
		m.Exponent = exponent
	}
	return m, nil
}

// note records a person's act on the timeline.
func (d *decision) note(attemptID, kind string, data map[string]any, by Operator) {
	d.record(d.o.Attempt(attemptID), News{Source: FromOperator}, kind, by.signed(data))
}
