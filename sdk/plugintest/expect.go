package plugintest

import (
	"slices"

	"github.com/superpayhub/superpay/sdk"
)

// shows reports whether a read shows what an event says that it must: the hub
// reads until one does, so what the plugin's own read leaves out may not be
// expected.
func shows(p *sdk.Payment, e sdk.Expectation) bool {
	switch e.Kind {
	case sdk.ExpectCapture:
		return slices.ContainsFunc(p.Captures.Items, func(c sdk.Capture) bool { return c.ID == e.ID && !behind(c.Status, e.AtLeast) })
	case sdk.ExpectRefund:
		return slices.Contains(p.Refunds.LeftOut, e.ID) ||
			slices.ContainsFunc(p.Refunds.Items, func(r sdk.Refund) bool { return r.ID == e.ID && !behind(r.Status, e.AtLeast) })
	case sdk.ExpectRefunded:
		sum := e.Amount
		for _, r := range p.Refunds.Items {
			if r.CaptureID == e.ID && r.Status != sdk.MovementFailed {
				sum.Amount -= r.Amount.Amount
			}
		}
		return sum.Amount <= 0
	case sdk.ExpectDispute:
		return slices.ContainsFunc(p.Disputes.Items, func(d sdk.Dispute) bool { return d.ID == e.ID })
	case sdk.ExpectPayment:
		return !slices.Contains([]sdk.Status{"", sdk.RequiresAction}, p.Status)
	}
	return false
}

// behind: what is pending may have ended since, and what succeeded may fail.
func behind(is sdk.MovementStatus, atLeast string) bool {
	rank := func(s sdk.MovementStatus) int {
		return slices.Index([]sdk.MovementStatus{sdk.MovementPending, sdk.MovementSucceeded, sdk.MovementFailed}, s)
	}
	return rank(is) < rank(sdk.MovementStatus(atLeast))
}
