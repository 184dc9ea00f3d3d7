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
			if r.CaptureID == e.ID { // also one that has failed since: it had been made
				sum.Amount -= r.Amount.Amount
			}
		}
		return sum.Amount <= 0
	case sdk.ExpectDispute:
		return slices.ContainsFunc(p.Disputes.Items, func(d sdk.Dispute) bool {
			return d.ID == e.ID && disputeRank[d.Status] >= disputeRank[sdk.DisputeStatus(e.AtLeast)]
		})
	case sdk.ExpectPayment:
		return reached(p.Status, sdk.Status(e.AtLeast))
	}
	return false
}

// disputeRank orders the states of a dispute, as a hub does.
var disputeRank = map[sdk.DisputeStatus]int{
	sdk.DisputeInquiry: 0, sdk.DisputeOpen: 1, sdk.DisputeWon: 2, sdk.DisputeLost: 2, sdk.DisputeClosed: 2,
}

// course is how a payment goes on; the last three are ends.
var course = []sdk.Status{
	sdk.RequiresAction, sdk.RequiresConfirmation, sdk.Pending, sdk.RequiresCapture, sdk.Succeeded, sdk.Failed, sdk.Canceled,
}

// reached reports whether a payment has come as far as a status. An end without
// money answers for all but success, as in a hub.
func reached(is, atLeast sdk.Status) bool {
	at := slices.Index(course, is)
	switch atLeast {
	case sdk.Failed, sdk.Canceled:
		return at >= slices.Index(course, sdk.Succeeded)
	case sdk.Succeeded:
		return is == sdk.Succeeded
	}
	return at >= slices.Index(course, atLeast)
}

// behind: what is pending may have ended since, and what succeeded may fail.
func behind(is sdk.MovementStatus, atLeast string) bool {
	rank := func(s sdk.MovementStatus) int {
		return slices.Index([]sdk.MovementStatus{sdk.MovementPending, sdk.MovementSucceeded, sdk.MovementFailed}, s)
	}
	return rank(is) < rank(sdk.MovementStatus(atLeast))
}
