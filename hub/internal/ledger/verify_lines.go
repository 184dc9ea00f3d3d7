package ledger

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/superpayhub/superpay/sdk"
)

// movementLines are those of the timeline about one movement.
type movementLines []*Event

func (l movementLines) tell(want map[string]string) bool {
	return slices.ContainsFunc(l, func(e *Event) bool {
		for key, value := range want {
			if key == "kind" && e.Kind != value || key != "kind" && e.data(key) != value {
				return false
			}
		}
		return true
	})
}

// last is the newest value of a key.
func (l movementLines) last(key string) string {
	if len(l) == 0 {
		return ""
	}
	if key == "kind" {
		return l[len(l)-1].Kind
	}
	return l[len(l)-1].data(key)
}

// told compares values of a row with the lines about it: at least one must tell
// them all.
func (c *checker) told(l movementLines, row, table string, values map[string]any) {
	want := map[string]string{}
	for key, v := range values {
		want[key] = valueText(v)
	}
	if l.tell(want) {
		return
	}
	// One line may tell each value without any that tells them all: then the
	// newest is compared whole.
	for _, key := range slices.Sorted(maps.Keys(want)) {
		field, said := table+"."+key, l.last(key)
		if key == "kind" {
			field = table + ".status"
		}
		if said != want[key] {
			c.doubt(LawTimeline, row, field, said, want[key])
		}
	}
}

// about collects the lines of movements of a noun by the row that they name, and
// doubts those whose row is not there.
func (c *checker) about(noun string, statuses func(string) bool, row func(e *Event, provider string) (string, bool)) map[string]movementLines {
	found := map[string]movementLines{}
	for _, e := range c.Events {
		status, ok := strings.CutPrefix(e.Kind, noun+".")
		if !ok || !statuses(status) {
			continue
		}
		provider := ""
		if a := c.attempts[e.AttemptID]; a != nil {
			provider = a.Provider
		}
		id, ok := row(e, provider)
		if !ok {
			name := e.data("id")
			if name == "" {
				name = e.data("refund_id")
			}
			c.doubt(LawTimeline, name, noun+"s.id", "the "+noun+" that the timeline tells of: "+e.Kind, nil)
			continue
		}
		found[id] = append(found[id], e)
	}
	return found
}

func isFee(s string) bool { return s == "fee" }

func isSettled(s string) bool { return s == "settled" }

func isCorrection(s string) bool { return s == "corrected" }

func isMovementStatus(s string) bool { return slices.Contains(movementStatuses, sdk.MovementStatus(s)) }

func isDisputeStatus(s string) bool { return !isFee(s) && !isSettled(s) }

func (c *checker) captureLines() {
	row := func(e *Event, provider string) (string, bool) {
		for _, x := range c.o.Captures {
			if x.Provider == provider && x.ProviderID == e.data("id") {
				return x.ID, true
			}
		}
		return "", false
	}
	moved, fees, settled := c.about("capture", isMovementStatus, row), c.about("capture", isFee, row), c.about("capture", isSettled, row)
	right := c.about("capture", isCorrection, row)
	if !c.whole {
		return
	}
	for _, x := range c.o.Captures {
		l := moved[x.ID]
		if len(l) == 0 {
			c.doubt(LawTimeline, x.ID, "captures.provider_id", "an id that the timeline tells of", x.ProviderID)
			continue
		}
		c.told(l, x.ID, "captures", map[string]any{"kind": "capture." + string(x.Status)})
		c.told(slices.Concat(l, right[x.ID]), x.ID, "captures", map[string]any{"amount": x.Amount, "currency": x.Currency})
		c.booked(fees[x.ID], settled[x.ID], x.ID, "captures", x.Currency, x.Booked)
	}
}

// booked compares what the provider keeps, and what it changed into the currency of
// the balance, with the newest lines that tell of it.
func (c *checker) booked(fees, settled movementLines, row, table, currency string, b Booked) {
	compare := func(l movementLines, field string, is sdk.Money) {
		switch {
		case len(l) == 0:
			c.equal(LawTimeline, row, table+"."+field, 0, is.Amount)
		case !l.tell(map[string]string{"amount": valueText(is.Amount), "currency": is.Currency}):
			c.doubt(LawTimeline, row, table+"."+field, l.last("amount")+" "+l.last("currency"), fmt.Sprint(is.Amount, " ", is.Currency))
		}
	}
	compare(fees, "fee", sdk.Money{Amount: b.Fee, Currency: b.FeeCurrency})
	compare(settled, "gross", b.converted(currency))
}

func (c *checker) refundLines() {
	byName := func(e *Event, provider string) (string, bool) {
		for _, x := range c.o.Refunds {
			if x.Provider == provider && x.ProviderID != nil && *x.ProviderID == e.data("id") {
				return x.ID, true
			}
		}
		return "", false
	}
	row := func(e *Event, _ string) (string, bool) {
		r := c.o.Refund(e.data("refund_id"))
		if r == nil {
			return "", false
		}
		return r.ID, true
	}
	made := c.about("refund", func(s string) bool { return s == "made_at_provider" }, row)
	claimed := c.about("refund", func(s string) bool { return "refund."+s == refundClaimed }, row)
	moved := c.about("refund", isMovementStatus, row)
	right := c.about("refund", isCorrection, row)
	fees, settled := c.about("refund", isFee, byName), c.about("refund", isSettled, byName)
	if !c.whole {
		return
	}
	for _, r := range c.o.Refunds {
		l := slices.Concat(made[r.ID], moved[r.ID], right[r.ID])
		c.equal(LawTimeline, r.ID, "refunds.origin", originTold(made[r.ID]), r.Origin)
		c.booked(fees[r.ID], settled[r.ID], r.ID, "refunds", r.Currency, r.Booked)
		switch {
		case r.ProviderID == nil && r.Status == sdk.MovementFailed && len(claimed[r.ID]) > 0:
		case r.ProviderID == nil && len(l) > 0:
			c.doubt(LawTimeline, r.ID, "refunds.provider_id", l.last("provider_id"), nil)
		case r.ProviderID == nil || len(l) == 0 && c.contradicted(r.AttemptID):
		case len(l) == 0:
			c.doubt(LawTimeline, r.ID, "refunds.provider_id", "an id that the timeline tells of", *r.ProviderID)
		default:
			c.told(l, r.ID, "refunds", map[string]any{"provider_id": *r.ProviderID})
			c.told(l, r.ID, "refunds", map[string]any{"amount": r.Amount, "currency": r.Currency})
			if len(moved[r.ID]) > 0 {
				c.refundStatus(r, moved[r.ID], len(made[r.ID]) > 0)
			}
		}
	}
}

func originTold(made movementLines) Origin {
	if len(made) > 0 {
		return ByProvider
	}
	return ByHub
}

// refundStatus compares a refund's status with the lines about it. The line of
// one made at the provider does not tell its first status.
func (c *checker) refundStatus(r *Refund, moved movementLines, made bool) {
	if r.Status == sdk.MovementSucceeded && made {
		return
	}
	c.told(moved, r.ID, "refunds", map[string]any{"kind": "refund." + string(r.Status)})
}

// contradicted reports whether a person was told that the provider contradicts
// itself about the attempt: then a name may have been learnt without a line.
func (c *checker) contradicted(attemptID string) bool {
	return slices.ContainsFunc(c.o.Attention, func(x Attention) bool { return x.AttemptID == attemptID && x.Reason == Contradiction })
}

func (c *checker) disputeLines() {
	row := func(e *Event, provider string) (string, bool) {
		for _, x := range c.o.Disputes {
			if x.Provider == provider && x.ProviderID == e.data("id") {
				return x.ID, true
			}
		}
		return "", false
	}
	moved, fees, settled := c.about("dispute", isDisputeStatus, row), c.about("dispute", isFee, row), c.about("dispute", isSettled, row)
	if !c.whole {
		return
	}
	for _, x := range c.o.Disputes {
		l := moved[x.ID]
		if len(l) == 0 {
			c.doubt(LawTimeline, x.ID, "disputes.provider_id", "an id that the timeline tells of", x.ProviderID)
			continue
		}
		row := map[string]any{
			"kind": "dispute." + string(x.Status), "amount": x.Amount, "currency": x.Currency, "funds_withdrawn": x.FundsWithdrawn,
		}
		if x.Withdrawn != nil {
			row["withdrawn"] = *x.Withdrawn
		}
		c.told(l, x.ID, "disputes", row)
		c.booked(fees[x.ID], settled[x.ID], x.ID, "disputes", x.Currency, x.Booked)
	}
}
