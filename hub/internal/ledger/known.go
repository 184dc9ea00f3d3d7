package ledger

import "github.com/superpayhub/superpay/sdk"

// Knows reports whether all money that a provider's list tells of is on record
// as it says, and whatever may become money. What is not is a reason to read,
// no more: a list may lag behind, and is believed as little as a callback.
func (o *Order) Knows(a *Attempt, p *sdk.Payment) bool {
	switch p.Status {
	case sdk.RequiresConfirmation, sdk.Pending, sdk.RequiresCapture, sdk.Succeeded:
		if news(edge(attemptEdges, statuses, a.Status, p.Status)) {
			return false
		}
	}
	for _, c := range p.Captures.Items {
		if !o.knowsCapture(a, c) {
			return false
		}
	}
	d := start(o, Env{})
	for _, r := range p.Refunds.Items {
		row := d.findRefund(a, r)
		if row == nil || row.ProviderID == nil || !r.Amount.IsZero() && !row.money().Equal(r.Amount) || news(edge(refundEdges, movementStatuses, row.Status, listed(r.Status))) {
			return false
		}
	}
	for _, x := range p.Disputes.Items {
		if !o.knowsDispute(a, x) {
			return false
		}
	}
	return true
}

// news reports whether a fact on that edge would move something, or ask for a read.
func news(m Mark) bool { return judge(m, false) != ignore }

func (o *Order) knowsCapture(a *Attempt, c sdk.Capture) bool {
	for _, row := range o.Captures {
		if row.Provider == a.Provider && row.ProviderID == c.ID {
			return row.money().Equal(c.Amount) && !news(edge(captureEdges, movementStatuses, row.Status, listed(c.Status)))
		}
	}
	return false
}

func (o *Order) knowsDispute(a *Attempt, x sdk.Dispute) bool {
	for _, row := range o.Disputes {
		if row.Provider == a.Provider && row.ProviderID == x.ID {
			return row.Status == x.Status && row.FundsWithdrawn == x.FundsWithdrawn && row.withdraws(x) || disputeRank[x.Status] < disputeRank[row.Status]
		}
	}
	return false
}

// Other reports whether the provider's payment is not the one that the attempt
// has, though it carries its name: somebody paid it twice.
func (a *Attempt) Other(p *sdk.Payment) bool {
	if len(p.Refs) == 0 || hasRef(a.Refs, p.Refs[0]) {
		return false
	}
	_, ok := a.Ref(p.Refs[0].Kind)
	return ok
}
