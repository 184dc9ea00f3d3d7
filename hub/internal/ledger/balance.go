package ledger

import "github.com/superpayhub/superpay/sdk"

// Balance is what an attempt's movements of one currency come to. A provider
// can take another currency than was asked: what the order and the attempt keep
// as totals are those of the order's own.
type Balance struct {
	Currency string
	Exponent int
	Captured int64
	Refunded int64
	Reserved int64 // refunds that are asked for, and not done yet
	Disputed int64

	lost   int64 // the part of Disputed that is gone for good
	coming int64 // captures that are pending
}

// Refundable is what may still be asked back.
func (b Balance) Refundable() int64 { return b.refundableBy(nil) }

// RefundableWith is Refundable, of disputed money too where an operator overrides
// disputes.
func (b Balance) RefundableWith(override bool) int64 {
	return b.refundableBy(&Operator{OverrideDispute: override})
}

// refundableBy is Refundable for who asks: an operator may override disputes.
func (b Balance) refundableBy(by *Operator) int64 {
	if by != nil && by.OverrideDispute {
		return max(0, b.Captured-b.Refunded-b.Reserved)
	}
	return max(0, b.Captured-b.Refunded-b.Reserved-b.Disputed)
}

// held is what the provider took and has neither given back nor lost.
func (b Balance) held() int64 { return max(0, b.Captured-b.Refunded-b.lost) }

func (b Balance) money(amount int64) sdk.Money {
	return sdk.Money{Amount: amount, Currency: b.Currency, Exponent: b.Exponent}
}

// balance sums up an attempt's movements of one currency.
func (o *Order) balance(a *Attempt, currency string) Balance {
	b := Balance{Currency: currency, Exponent: o.Exponent}
	if currency != o.Currency {
		b.Exponent = o.exponentOf(a, currency)
	}
	for _, c := range o.Captures {
		if c.AttemptID != a.ID || c.Currency != currency {
			continue
		}
		switch c.Status {
		case sdk.MovementSucceeded:
			b.Captured += c.Amount
		case sdk.MovementPending:
			b.coming += c.Amount
		}
	}
	for _, r := range o.Refunds {
		if r.AttemptID != a.ID || r.Currency != currency {
			continue
		}
		switch r.Status {
		case sdk.MovementSucceeded:
			b.Refunded += r.Amount
		case sdk.MovementPending, RefundUnknown:
			b.Reserved += r.Amount
		}
	}
	for _, d := range o.Disputes {
		if d.AttemptID != a.ID || d.Currency != currency {
			continue
		}
		b.Disputed += d.Gone()
		if d.Status == sdk.DisputeLost {
			b.lost += d.Gone()
		}
	}
	return b
}

// exponentOf is that of another currency than the order's: ISO's, or what the
// provider said where the hub does not know the currency.
func (o *Order) exponentOf(a *Attempt, currency string) int {
	if exponent, ok := sdk.Exponent(currency); ok {
		return exponent
	}
	for _, c := range o.Captures {
		if c.AttemptID == a.ID && c.Currency == currency {
			return c.Exponent
		}
	}
	for _, r := range o.Refunds {
		if r.AttemptID == a.ID && r.Currency == currency {
			return r.Exponent
		}
	}
	for _, d := range o.Disputes {
		if d.AttemptID == a.ID && d.Currency == currency {
			return d.Exponent
		}
	}
	return 0
}

// Balances are the attempt's, a currency each: the order's own first. None
// where no money moved.
func (o *Order) Balances(a *Attempt) []Balance {
	var out []Balance
	add := func(attemptID, currency string) {
		if attemptID != a.ID {
			return
		}
		for _, b := range out {
			if b.Currency == currency {
				return
			}
		}
		out = append(out, o.balance(a, currency))
	}
	for _, c := range o.Captures {
		if c.Currency == o.Currency {
			add(c.AttemptID, c.Currency)
		}
	}
	for _, c := range o.Captures {
		add(c.AttemptID, c.Currency)
	}
	for _, r := range o.Refunds {
		add(r.AttemptID, r.Currency)
	}
	for _, d := range o.Disputes {
		add(d.AttemptID, d.Currency)
	}
	return out
}

// took returns money that the provider captured by this attempt, in whatever
// currency, and still has.
func (o *Order) took(a *Attempt) (sdk.Money, bool) {
	for _, c := range o.Captures {
		if c.AttemptID != a.ID || c.Status != sdk.MovementSucceeded {
			continue
		}
		b := o.balance(a, c.Currency)
		if held := b.held(); held > 0 {
			return b.money(held), true
		}
	}
	return sdk.Money{}, false
}

// holds returns money of the order that the provider has by this attempt:
// captured and not given back, on its way, or authorised. How much is
// authorised in another currency than the order's is not known: 0.
func (o *Order) holds(a *Attempt) (sdk.Money, bool) {
	if m, ok := o.took(a); ok {
		return m, true
	}
	for _, c := range o.Captures {
		if c.AttemptID == a.ID && c.Status == sdk.MovementPending {
			return o.balance(a, c.Currency).money(c.Amount), true
		}
	}
	if a.Status == sdk.RequiresCapture {
		return o.Money(a.Authorized), true
	}
	return sdk.Money{}, false
}

// Taken returns the first attempt whose provider captured money of the order and
// still has it, with how much that is; nil if none has.
func (o *Order) Taken() (*Attempt, sdk.Money) {
	for _, a := range o.Attempts {
		if m, ok := o.took(a); ok {
			return a, m
		}
	}
	return nil, sdk.Money{}
}

// moneyHeld returns the refusal to have the order paid once more, or called
// off, while a provider has money of it; nil if none has. Only what was captured
// counts where the rest can still be called off.
func (o *Order) moneyHeld(holds func(*Attempt) (sdk.Money, bool)) error {
	for _, a := range o.Attempts {
		m, ok := holds(a)
		if !ok {
			continue
		}
		e := Conflictf("money_held", "attempt %s holds %s of this order, which does not settle it: refund that, naming the attempt and the currency, "+
			"or have an operator accept it as payment", a.ID, m)
		switch {
		case a.Status == sdk.RequiresCapture && a.Abandoned:
			e = Conflictf("money_held", "attempt %s holds %s of this order: cancel it first", a.ID, m)
		case a.Status == sdk.RequiresCapture:
			e = Conflictf("money_held", "attempt %s holds %s of this order: cancel or capture it first", a.ID, m)
		}
		e.OrderID, e.AttemptID, e.Held = o.ID, a.ID, m
		return e
	}
	return nil
}
