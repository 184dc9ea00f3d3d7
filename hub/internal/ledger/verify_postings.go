package ledger

import (
	"slices"
	"strconv"
	"strings"

	"github.com/superpayhub/superpay/sdk"
)

// account is one account in one currency.
type account struct{ name, currency string }

// postings derives from the movements alone what each account must hold of the
// order, and how many groups of lines each movement has.
func (c *checker) postings() {
	balance, groups := map[account]int64{}, map[string]int64{}
	stages := map[string]map[string]bool{} // by movement
	known := map[string]movement{}
	for _, m := range c.movements() {
		known[m.id], stages[m.id] = m, map[string]bool{}
	}
	for _, p := range c.Postings {
		balance[account{p.Account, p.Currency}] += p.Amount
		groups[p.MovementID+" "+p.Stage+" "+p.Currency] += p.Amount
		m, ok := known[p.MovementID]
		if !ok {
			c.doubt(LawPostings, p.ID, "postings.movement_id", "a movement of the order", p.MovementID)
			continue
		}
		stages[m.id][p.Stage] = true
		c.equal(LawOwner, p.ID, "postings.provider", m.provider, p.Provider)
		if kind, name, _ := strings.Cut(p.Account, ":"); kind == "app" {
			c.equal(LawOwner, p.ID, "postings.account", appAccount(c.o.AppID), p.Account)
		} else {
			c.equal(LawOwner, p.ID, "postings.account", kind+":"+m.provider, kind+":"+name)
		}
		c.postingExponent(m, p)
	}
	c.feeExponents(known)
	for group, sum := range groups {
		if sum != 0 {
			c.doubt(LawPostings, group, "postings.amount", "a sum of 0", sum)
		}
	}
	for id, m := range known {
		c.equal(LawPostings, id, m.table+".posted", len(stages[id]), m.posted)
	}
	want := c.derived()
	for a := range balance {
		want[a] += 0 // also what should hold nothing
	}
	for a, amount := range want {
		c.equal(LawPostings, a.name+" "+a.currency, "postings.amount", amount, balance[a])
	}
}

func (c *checker) postingExponent(m movement, p *Posting) {
	switch {
	case ofFee(p): // see feeExponents
	case ofConversion(p) && p.Currency != m.currency: // the provider's own digits
	case p.Currency == m.currency:
		c.equal(LawCurrency, p.ID, "postings.exponent", m.exponent, p.Exponent)
	case p.Currency == c.o.Currency:
		c.equal(LawCurrency, p.ID, "postings.exponent", c.o.Exponent, p.Exponent)
	}
}

// feeExponents compares the digits of posted fees with what the provider gave,
// which may be more than the currency has. A fee that was corrected since was in
// units of its own, and is undone in the same.
func (c *checker) feeExponents(known map[string]movement) {
	open := map[string]*Posting{} // the fee that stands, by movement and account
	for _, p := range slices.SortedStableFunc(slices.Values(c.Postings), func(a, b *Posting) int { return stageNumber(a) - stageNumber(b) }) {
		key := p.MovementID + " " + p.Account
		switch fee := open[key]; {
		case strings.HasSuffix(p.Stage, ".fee"):
			open[key] = p
		case ofFee(p) && fee != nil:
			c.equal(LawCurrency, p.ID, "postings.exponent", fee.Exponent, p.Exponent)
			delete(open, key)
		}
	}
	for _, p := range open {
		if m, ok := known[p.MovementID]; ok {
			c.equal(LawCurrency, p.ID, "postings.exponent", m.feeExponent, p.Exponent)
		}
	}
}

// ofFee reports whether a posting is of a fee, or undoes one.
func ofFee(p *Posting) bool {
	return strings.HasSuffix(p.Stage, ".fee") || strings.HasSuffix(p.Stage, ".fee_undone")
}

// ofConversion reports whether a posting is of the currency of the balance, beside the
// movement's own.
func ofConversion(p *Posting) bool {
	return strings.HasSuffix(p.Stage, ".settled") || strings.HasSuffix(p.Stage, ".settled_undone")
}

// stageNumber is which group of its movement's a posting belongs to.
func stageNumber(p *Posting) int {
	number, _, _ := strings.Cut(p.Stage, ".")
	n, _ := strconv.Atoi(number)
	return n
}

// derived is what each account must hold of the order. Unlike post it knows
// nothing of how the movements came to be as they are, so that each of the two
// finds a fault of the other.
func (c *checker) derived() map[account]int64 {
	balance := map[account]int64{}
	move := func(into, outOf string, amount int64, currency string) {
		balance[account{into, currency}] += amount
		balance[account{outOf, currency}] -= amount
	}
	// book is how the provider books a movement with this effect on the money there.
	book := func(provider string, effect int64, currency string, b Booked) {
		move(feesAccount(provider), providerAccount(provider), b.Fee, b.FeeCurrency)
		if b.Gross != nil && b.FeeCurrency != currency {
			move(fxAccount(provider), providerAccount(provider), effect, currency)
			move(providerAccount(provider), fxAccount(provider), *b.Gross, b.FeeCurrency)
		}
	}
	owed := func(provider, currency string) string {
		if currency != c.o.Currency {
			return unmatchedAccount(provider)
		}
		return appAccount(c.o.AppID)
	}
	for _, x := range c.o.Captures {
		if x.Status == sdk.MovementSucceeded {
			move(providerAccount(x.Provider), owed(x.Provider, x.Currency), x.Amount, x.Currency)
			book(x.Provider, x.Amount, x.Currency, x.Booked)
		}
	}
	for _, x := range c.o.Refunds {
		if x.Status == sdk.MovementSucceeded {
			move(owed(x.Provider, x.Currency), providerAccount(x.Provider), x.Amount, x.Currency)
			book(x.Provider, -x.Amount, x.Currency, x.Booked)
		}
	}
	for _, x := range c.o.Disputes {
		into := disputedAccount(x.Provider)
		if x.Status == sdk.DisputeLost {
			into = owed(x.Provider, x.Currency)
		}
		if x.FundsWithdrawn {
			move(into, providerAccount(x.Provider), x.Gone(), x.Currency)
		}
		book(x.Provider, -x.Gone(), x.Currency, x.Booked)
	}
	return balance
}
