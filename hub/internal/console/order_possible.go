package console

import (
	"slices"

	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/sdk"
)

// action is one thing that can be done to an order, or why it cannot.
type action struct {
	Verb   string
	Post   bool // one step: no form
	First  bool // what the order most likely waits for
	Reason string
}

// possible tells what can be done now, and why the rest cannot.
func (s *server) possible(p *page, o *ledger.Order) (can, not []action) {
	for _, verb := range []string{"refund", "capture", "cancel", "sync"} {
		why := map[string]func(*page, *ledger.Order) string{"refund": s.whyNoRefund, "capture": s.whyNoCapture, "cancel": s.whyNoCancel, "sync": s.whyNoSync}[verb](p, o)
		if why == "" && !p.May("operator") {
			why = p.T("not.role", p.T("role.operator"))
		}
		if why == "" {
			can = append(can, action{Verb: verb, Post: verb == "sync", First: len(can) == 0 && (verb == "refund" && o.Refundable > 0 || verb == "capture")})
		} else {
			not = append(not, action{Verb: verb, Reason: why})
		}
	}
	return can, not
}

// unsettled says that an operation has to be settled first.
func unsettled(p *page, o *ledger.Order) string {
	for _, a := range o.Attempts {
		if op := o.OpenOperation(a.ID); op != nil {
			return p.T("not.open", p.T("operation."+string(op.Kind)), op.ID)
		}
	}
	return ""
}

func (s *server) whyNoRefund(p *page, o *ledger.Order) string {
	if !slices.ContainsFunc(o.Attempts, o.Took) {
		return p.T("not.taken")
	}
	if open := unsettled(p, o); open != "" {
		return open
	}
	if otherLeft(o) {
		return s.whyNoFlow(p, o, sdk.CanRefund, o.Took)
	}
	if o.Refundable == 0 && o.Disputed > 0 {
		if p.May("admin") && o.Captured > o.Refunded {
			return "" // an admin may override
		}
		return p.T("not.disputed", moneyText(o.Disputed, o.Currency, o.Exponent))
	}
	if o.Refundable == 0 {
		return p.T("not.left", moneyText(o.Captured, o.Currency, o.Exponent))
	}
	return s.whyNoFlow(p, o, sdk.CanRefund, func(a *ledger.Attempt) bool { return a.Refundable() > 0 })
}

// otherLeft reports whether money of another currency than the order's can be
// given back.
func otherLeft(o *ledger.Order) bool {
	for _, a := range o.Attempts {
		for _, b := range o.Balances(a) {
			if b.Currency != o.Currency && b.Refundable() > 0 {
				return true
			}
		}
	}
	return false
}

func (s *server) whyNoCapture(p *page, o *ledger.Order) string {
	held := slices.ContainsFunc(o.Attempts, holding)
	switch {
	case !held && o.Captured > 0:
		return p.T("not.at_once")
	case !held:
		return p.T("not.held")
	case !slices.ContainsFunc(o.Attempts, capturable):
		return p.T("not.given_up")
	}
	if open := unsettled(p, o); open != "" {
		return open
	}
	return s.whyNoFlow(p, o, sdk.CanCapture, capturable)
}

// holding reports whether the attempt's money is held, to be captured or released.
func holding(a *ledger.Attempt) bool { return a.Status == sdk.RequiresCapture }

// capturable reports whether it may be captured: not what was given up.
func capturable(a *ledger.Attempt) bool { return holding(a) && !a.Abandoned }

func (s *server) whyNoCancel(p *page, o *ledger.Order) string {
	authorized := slices.ContainsFunc(o.Attempts, holding)
	held, m := o.Taken()
	switch {
	case held != nil && !authorized && o.Captured == 0:
		return p.T("not.money", letter(o, held.ID), moneyText(m.Amount, m.Currency, m.Exponent))
	case o.Captured > 0 && !authorized:
		return p.T("not.paid")
	case o.Status != ledger.OrderOpen && o.Status != ledger.OrderPending && o.Status != ledger.OrderAuthorized:
		return p.T("not.closed")
	}
	return unsettled(p, o)
}

func (s *server) whyNoSync(p *page, o *ledger.Order) string {
	for _, a := range o.Attempts {
		provider, ok := s.Providers.Get(a.Provider)
		if !ok {
			return p.T("not.configured", a.Provider)
		}
		if !provider.Up() {
			return p.T("not.up", a.Provider)
		}
	}
	return ""
}

// whyNoFlow says that the flow of the attempt that it would be cannot do it.
func (s *server) whyNoFlow(p *page, o *ledger.Order, ability sdk.Capability, would func(*ledger.Attempt) bool) string {
	why := ""
	for _, a := range o.Attempts {
		if !would(a) {
			continue
		}
		provider, ok := s.Providers.Get(a.Provider)
		switch {
		case !ok:
			why = p.T("not.configured", a.Provider)
		case !provider.Up():
			why = p.T("not.up", a.Provider)
		default:
			if flow, _ := provider.Description().Flow(a.Flow); flow.Can(ability) {
				return ""
			}
			why = p.T("not.flow", a.Provider+"."+a.Flow)
		}
	}
	return why
}
