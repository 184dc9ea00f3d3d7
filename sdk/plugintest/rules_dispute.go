package plugintest

import (
	"time"

	"github.com/superpayhub/superpay/sdk"
)

// contested are the cases of a dispute, with what a read must show in the end.
func (p *FlowPaper) contested() []contest {
	return []contest{
		{"open", p.Dispute, sdk.DisputeOpen, all},
		{"won", p.DisputeWon, sdk.DisputeWon, none},
		{"lost", p.DisputeLost, sdk.DisputeLost, all},
		{"lost in part", p.DisputePart, sdk.DisputeLost, some},
	}
}

type contest struct {
	what   string
	which  *Case
	status sdk.DisputeStatus
	gone   share
}

// share is how much of the disputed money is withdrawn.
type share string

const (
	none share = "none"
	some share = "a part"
	all  share = "all"
)

// withdrawn is that share, as a plugin tells it.
func withdrawn(d sdk.Dispute) share {
	switch {
	case !d.FundsWithdrawn:
		return none
	case d.Withdrawn.Currency == "" || d.Withdrawn.Amount >= d.Amount.Amount:
		return all
	}
	return some
}

// disputesRead: money that a payer's bank took back is in the list of disputes.
func disputesRead(s *sheet) {
	for _, c := range s.paper.contested() {
		if c.which == nil {
			continue
		}
		a := s.attempt(c.which).create()
		a.pay()
		if a.request.CaptureMode == sdk.CaptureManual {
			a.take(a.request.Amount)
		}
		a.later()
		p := a.contestedAs(c)
		d := p.Disputes.Items[0]
		switch {
		case !p.Disputes.Complete || p.Status != sdk.Succeeded:
			s.Errorf("dispute %s: GetPayment says %q, and that its list of disputes is whole: %v", c.what, p.Status, p.Disputes.Complete)
		case d.ID == "" || d.CaptureID != a.capture().ID || d.Amount.Amount <= 0 || d.Amount.Currency != a.request.Amount.Currency:
			s.Errorf("dispute %s: it needs an id, its capture %s and an amount: %+v", c.what, a.capture().ID, d)
		}
	}
}

// contestedAs waits until the payment's one dispute stands as the case says.
func (a *attempt) contestedAs(c contest) *sdk.Payment {
	a.Helper()
	for deadline := time.Now().Add(a.settling()); ; time.Sleep(30 * time.Millisecond) {
		p := a.read()
		if l := p.Disputes.Items; len(l) == 1 && l[0].Status == c.status && withdrawn(l[0]) == c.gone {
			return p
		}
		if time.Now().After(deadline) {
			a.fatalf("dispute %s: GetPayment lists %+v; want one that is %s, with %s of the money withdrawn", c.what, p.Disputes.Items, c.status, c.gone)
		}
	}
}
