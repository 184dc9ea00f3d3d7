package ledger

import (
	"fmt"
	"time"

	"github.com/superpayhub/superpay/sdk"
)

// Posting is one line of the double-entry journal. The lines of one stage of
// one movement are a group and sum to zero. Positive is debit.
type Posting struct {
	ID         string    `json:"id"`
	OrderID    string    `json:"order_id"`
	Provider   string    `json:"provider"`
	MovementID string    `json:"movement_id"`
	Stage      string    `json:"stage"`
	Account    string    `json:"account"`
	Amount     int64     `json:"amount"`
	Currency   string    `json:"currency"`
	Exponent   int       `json:"exponent"`
	At         time.Time `json:"at"`
}

// Accounts: what a provider holds for us, what we owe an app, what is frozen by
// disputes, what a provider kept for itself, what it changed into the currency of
// the balance, and money that fits no order.
func providerAccount(name string) string  { return "provider:" + name }
func appAccount(id string) string         { return "app:" + id }
func disputedAccount(name string) string  { return "disputed:" + name }
func feesAccount(name string) string      { return "fees:" + name }
func fxAccount(name string) string        { return "fx:" + name }
func unmatchedAccount(name string) string { return "unmatched:" + name }

// journal collects the groups of one change.
type journal struct {
	o     *Order
	env   Env
	lines []Posting
}

// group posts one movement of money: into one account, out of another. Stages
// are numbered, so that a movement that goes back and forth is posted each time.
func (j *journal) group(provider, movementID, stage string, posted *int, into, outOf string, m sdk.Money) {
	if m.Amount == 0 {
		return
	}
	*posted++
	for _, line := range []struct {
		account string
		amount  int64
	}{{into, m.Amount}, {outOf, -m.Amount}} {
		j.lines = append(j.lines, Posting{
			ID: j.env.NewID(PostingID), OrderID: j.o.ID, Provider: provider, MovementID: movementID,
			Stage: fmt.Sprintf("%d.%s", *posted, stage), Account: line.account,
			Amount: line.amount, Currency: m.Currency, Exponent: m.Exponent, At: j.env.Now,
		})
	}
}

// post writes the journal of what changed between two states of an order: a
// movement is posted when it succeeds, and mirrored when that is taken back.
func post(before, after *Order, env Env) []Posting {
	j := &journal{o: after, env: env}
	for i, c := range after.Captures {
		old := &Capture{}
		if i < len(before.Captures) {
			old = before.Captures[i]
		}
		is, was := c.Status == sdk.MovementSucceeded, old.Status == sdk.MovementSucceeded
		if was && (!is || old.money() != c.money()) {
			j.group(c.Provider, c.ID, undone("capture", is), &c.Posted, j.owed(c.Provider, old.Currency), providerAccount(c.Provider), old.money())
		}
		if is && (!was || old.money() != c.money()) {
			j.group(c.Provider, c.ID, "capture", &c.Posted, providerAccount(c.Provider), j.owed(c.Provider, c.Currency), c.money())
		}
		j.booked(c.Provider, c.ID, &c.Posted,
			stand{old.money(), old.Booked.taken(old.Status)}, stand{c.money(), c.Booked.taken(c.Status)})
	}
	for i, r := range after.Refunds {
		old := &Refund{}
		if i < len(before.Refunds) {
			old = before.Refunds[i]
		}
		is, was := r.Status == sdk.MovementSucceeded, old.Status == sdk.MovementSucceeded
		if was && (!is || old.money() != r.money()) {
			j.group(r.Provider, r.ID, undone("refund", is), &r.Posted, providerAccount(r.Provider), j.owed(r.Provider, old.Currency), old.money())
		}
		if is && (!was || old.money() != r.money()) {
			j.group(r.Provider, r.ID, "refund", &r.Posted, j.owed(r.Provider, r.Currency), providerAccount(r.Provider), r.money())
		}
		j.booked(r.Provider, r.ID, &r.Posted,
			stand{negative(old.money()), old.Booked.taken(old.Status)}, stand{negative(r.money()), r.Booked.taken(r.Status)})
	}
	for i, d := range after.Disputes {
		var was Dispute
		if i < len(before.Disputes) {
			was = *before.Disputes[i]
		}
		j.dispute(was, d)
		j.booked(d.Provider, d.ID, &d.Posted, stand{negative(was.gone()), was.Booked}, stand{negative(d.gone()), d.Booked})
	}
	return j.lines
}

// stand is what a movement did to the money at the provider, positive for more, and
// how the provider booked it.
type stand struct {
	effect sdk.Money
	Booked
}

// booked posts what the provider kept of a movement, and what it changed into the
// currency of the balance. What was posted otherwise is undone first.
func (j *journal) booked(provider, movementID string, posted *int, was, is stand) {
	at, fees, fx := providerAccount(provider), feesAccount(provider), fxAccount(provider)
	if was.fee() != is.fee() {
		j.group(provider, movementID, "fee_undone", posted, at, fees, was.fee())
		j.group(provider, movementID, "fee", posted, fees, at, is.fee())
	}
	gone, come := was.converted(was.effect.Currency), is.converted(is.effect.Currency)
	if gone == come && (come.IsZero() || was.effect == is.effect) {
		return
	}
	if !gone.IsZero() {
		j.group(provider, movementID, "converted_undone", posted, at, fx, was.effect)
		j.group(provider, movementID, "settled_undone", posted, fx, at, gone)
	}
	if !come.IsZero() {
		j.group(provider, movementID, "converted", posted, fx, at, is.effect)
		j.group(provider, movementID, "settled", posted, at, fx, come)
	}
}

func negative(m sdk.Money) sdk.Money {
	m.Amount = -m.Amount
	return m
}

// owed is whom the money belongs to: the app, unless it is of another currency
// than the order and nobody knows yet what it is for.
func (j *journal) owed(provider, currency string) string {
	if currency != j.o.Currency {
		return unmatchedAccount(provider)
	}
	return appAccount(j.o.AppID)
}

// undone names the group that mirrors another: of a movement that failed after
// all, or whose amount was wrong.
func undone(stage string, stands bool) string {
	if stands {
		return stage + "_undone"
	}
	return stage + "_failed"
}

// dispute posts funds that are withdrawn, given back, or lost for good. What was
// posted of another amount is undone first.
func (j *journal) dispute(was Dispute, d *Dispute) {
	frozen := func(x Dispute) bool { return x.FundsWithdrawn && x.Status != sdk.DisputeLost }
	lost := func(x Dispute) bool { return x.FundsWithdrawn && x.Status == sdk.DisputeLost }
	step := func(stage, into, outOf string, m sdk.Money) {
		j.group(d.Provider, d.ID, stage, &d.Posted, into, outOf, m)
	}
	provider, disputed := providerAccount(d.Provider), disputedAccount(d.Provider)
	other := was.gone() != d.gone()
	if lost(was) && (!lost(*d) || other) {
		step("lost_undone", disputed, j.owed(d.Provider, was.Currency), was.gone())
	}
	if (frozen(was) || lost(was)) && (!d.FundsWithdrawn || other) {
		step("reinstated", provider, disputed, was.gone())
		was = Dispute{}
	}
	if d.FundsWithdrawn && !frozen(was) && !lost(was) {
		step("withdrawn", disputed, provider, d.gone())
	}
	if lost(*d) && !lost(was) {
		step("lost", j.owed(d.Provider, d.Currency), disputed, d.gone())
	}
}
