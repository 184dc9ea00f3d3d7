package plugintest

import (
	"github.com/superpayhub/superpay/sdk"
)

// rule is one sentence of the contract. It is asked of the plugin, or of each
// flow that it applies to.
type rule struct {
	name    string
	advice  string // to an author whose plugin breaks it
	plugin  func(*sheet)
	flow    func(*sheet)
	hears   bool                            // it is about callbacks: see basics
	applies func(*FlowPaper, sdk.Flow) bool // nil: to every flow
}

func can(c sdk.Capability) func(*FlowPaper, sdk.Flow) bool {
	return func(_ *FlowPaper, f sdk.Flow) bool { return f.Can(c) }
}

// createsItself: not a flow in which the browser creates the payment.
func createsItself(_ *FlowPaper, f sdk.Flow) bool { return !f.Can(sdk.CreatedByBrowser) }

// payerActs: the payment is open until the payer does something.
func payerActs(p *FlowPaper, f sdk.Flow) bool {
	return f.Can(sdk.PayerActs) && len(p.Success.Payer) > 0
}

func hasAction(p *FlowPaper, _ sdk.Flow) bool { return p.Action != nil }

func hasPending(p *FlowPaper, _ sdk.Flow) bool { return p.Pending != nil || p.PendingFails != nil }

func hasExpired(p *FlowPaper, _ sdk.Flow) bool { return p.Expired != nil }

func hasOtherMoney(p *FlowPaper, _ sdk.Flow) bool {
	return p.OtherAmount != nil || p.OtherCurrency != nil
}

func hasDispute(p *FlowPaper, _ sdk.Flow) bool {
	return p.Dispute != nil || p.DisputeWon != nil || p.DisputeLost != nil || p.DisputePart != nil
}

func hasRefundPending(p *FlowPaper, f sdk.Flow) bool {
	return f.Can(sdk.CanRefund) && p.RefundPending != nil
}

// searches: a payment without refs can be looked for.
func searches(p *FlowPaper, f sdk.Flow) bool { return createsItself(p, f) && p.NoSearch == "" }

func hasRefundFails(p *FlowPaper, f sdk.Flow) bool {
	return f.Can(sdk.CanRefund) && p.RefundFails != nil
}
