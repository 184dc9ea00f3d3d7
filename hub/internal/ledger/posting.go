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
// disputes, what a provider kept for itself, and money that fits no order.
func providerAccount(name string) string  { return "provider:" + name }
func appAccount(id string) string         { return "app:" + id }
func disputedAccount(name string) string  { return "disputed:" + name }
func feesAccount(name string) string      { return "fees:" + name }
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
		var fee sdk.Money
		if i < len(before.Captures) {
			fee = before.Captures[i].feeTaken()
		}
		j.fee(c.Provider, c.ID, &c.Posted, fee, c.feeTaken())
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
	}
	for i, d := range after.Disputes {
		var was Dispute
		if i < len(before.Disputes) {
			was = *before.Disputes[i]
		}
		j.dispute(was, d)
		j.fee(d.Provider, d.ID, &d.Posted, was.kept(), d.kept())
	}
	return j.lines
}

// fee posts what the provider keeps of a movement. Another fee than was posted
// undoes that first.
func (j *journal) fee(provider, movementID string, posted *int, was, is sdk.Money) {
	if was == is {
		return
	}
	j.group(provider, movementID, "fee_undone", posted, providerAccount(provider), feesAccount(provider), was)
	j.group(provider, movementID, "fee", posted, feesAccount(provider), providerAccount(provider), is)
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
