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
func (j *journal) group(provider, movementID, stage string, posted *int, into, outOf string, amount int64, currency string, exponent int) {
	if amount == 0 {
		return
	}
	*posted++
	for _, line := range []struct {
		account string
		amount  int64
	}{{into, amount}, {outOf, -amount}} {
		j.lines = append(j.lines, Posting{
			ID: j.env.NewID(PostingID), OrderID: j.o.ID, Provider: provider, MovementID: movementID,
			Stage: fmt.Sprintf("%d.%s", *posted, stage), Account: line.account,
			Amount: line.amount, Currency: currency, Exponent: exponent, At: j.env.Now,
		})
	}
}

// post writes the journal of what changed between two states of an order: a
// movement is posted when it succeeds, and mirrored when that is taken back.
func post(before, after *Order, env Env) []Posting {
	j := &journal{o: after, env: env}
	for i, c := range after.Captures {
		was := i < len(before.Captures) && before.Captures[i].Status == sdk.MovementSucceeded
		if is := c.Status == sdk.MovementSucceeded; is && !was {
			j.group(c.Provider, c.ID, "capture", &c.Posted, providerAccount(c.Provider), j.owed(c.Provider, c.Currency), c.Amount, c.Currency, c.Exponent)
		} else if was && !is {
			old := before.Captures[i]
			j.group(c.Provider, c.ID, "capture_failed", &c.Posted, j.owed(c.Provider, old.Currency), providerAccount(c.Provider), old.Amount, old.Currency, old.Exponent)
		}
		var fee sdk.Money
		if i < len(before.Captures) {
			fee = before.Captures[i].feeTaken()
		}
		j.fee(c.Provider, c.ID, &c.Posted, fee, c.feeTaken())
	}
	for i, r := range after.Refunds {
		was := i < len(before.Refunds) && before.Refunds[i].Status == sdk.MovementSucceeded
		if is := r.Status == sdk.MovementSucceeded; is && !was {
			j.group(r.Provider, r.ID, "refund", &r.Posted, j.owed(r.Provider, r.Currency), providerAccount(r.Provider), r.Amount, r.Currency, r.Exponent)
		} else if was && !is {
			old := before.Refunds[i]
			j.group(r.Provider, r.ID, "refund_failed", &r.Posted, providerAccount(r.Provider), j.owed(r.Provider, old.Currency), old.Amount, old.Currency, old.Exponent)
		}
	}
	for i, d := range after.Disputes {
		var was Dispute
		if i < len(before.Disputes) {
			was = *before.Disputes[i]
		}
		j.dispute(was, d)
		j.fee(d.Provider, d.ID, &d.Posted, was.money(), d.money())
	}
	return j.lines
}

// fee posts what the provider keeps of a movement. Another fee than was posted
// undoes that first.
func (j *journal) fee(provider, movementID string, posted *int, was, is sdk.Money) {
	if was == is {
		return
	}
	j.group(provider, movementID, "fee_undone", posted, providerAccount(provider), feesAccount(provider), was.Amount, was.Currency, was.Exponent)
	j.group(provider, movementID, "fee", posted, feesAccount(provider), providerAccount(provider), is.Amount, is.Currency, is.Exponent)
}

// owed is whom the money belongs to: the app, unless it is of another currency
// than the order and nobody knows yet what it is for.
func (j *journal) owed(provider, currency string) string {
	if currency != j.o.Currency {
		return unmatchedAccount(provider)
	}
	return appAccount(j.o.AppID)
}

// dispute posts funds that are withdrawn, given back, or lost for good.
func (j *journal) dispute(was Dispute, d *Dispute) {
	frozen := func(x Dispute) bool { return x.FundsWithdrawn && x.Status != sdk.DisputeLost }
	lost := func(x Dispute) bool { return x.FundsWithdrawn && x.Status == sdk.DisputeLost }
	step := func(stage, into, outOf string, amount int64) {
		j.group(d.Provider, d.ID, stage, &d.Posted, into, outOf, amount, d.Currency, d.Exponent)
	}
	provider, disputed, owed := providerAccount(d.Provider), disputedAccount(d.Provider), j.owed(d.Provider, d.Currency)
	if lost(was) && (!lost(*d) || was.Amount != d.Amount) {
		step("lost_undone", disputed, owed, was.Amount)
	}
	if (frozen(was) || lost(was)) && (!d.FundsWithdrawn || was.Amount != d.Amount) {
		step("reinstated", provider, disputed, was.Amount)
		was = Dispute{}
	}
	if d.FundsWithdrawn && !frozen(was) && !lost(was) {
		step("withdrawn", disputed, provider, d.Amount)
	}
	if lost(*d) && !lost(was) {
		step("lost", owed, disputed, d.Amount)
	}
}
