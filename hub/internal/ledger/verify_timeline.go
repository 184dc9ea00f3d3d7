package ledger

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/superpayhub/superpay/sdk"
)

// created checks the line of the order's beginning, which holds what was asked.
func (c *checker) created() {
	found := 0
	for _, e := range c.Events {
		if e.Kind != "order.created" {
			continue
		}
		found++
		if app := e.data("app"); app != "" { // older lines do not say
			c.equal(LawTimeline, "", "orders.app_id", app, c.o.AppID)
		}
	}
	if e := lastAmount(c.Events); e != nil {
		c.equal(LawTimeline, "", "orders.amount", e.data("amount"), c.o.Amount)
		c.equal(LawTimeline, "", "orders.currency", e.data("currency"), c.o.Currency)
	}
	if c.whole && found != 1 {
		c.doubt(LawTimeline, "", "events.kind", "one order.created", found)
	}
}

// steps are the changes of a status that the timeline tells of. Ids of lines from
// several hubs are not in order, so the lines are counted: each status was
// entered as often as it was left, but for the last one.
type steps map[string]int

func (s steps) add(from, to string) {
	s[from]--
	s[to]++
}

// end is where the steps lead from the first status.
func (s steps) end(first string) string {
	s[first]++
	var last []string
	for _, status := range slices.Sorted(maps.Keys(s)) {
		if n := s[status]; n != 0 {
			last = append(last, status)
			if n != 1 {
				last = append(last, fmt.Sprintf("(%+d)", n))
			}
		}
	}
	return strings.Join(last, " ")
}

var allOrderStatuses = []OrderStatus{
	OrderOpen, OrderPending, OrderAuthorized, OrderPaid, OrderPartiallyRefunded, OrderRefunded, OrderCanceled, OrderExpired,
}

// orderSteps follows the order's status along the timeline.
func (c *checker) orderSteps() {
	if !c.whole {
		return
	}
	s := steps{}
	for _, e := range c.Events {
		to, ok := strings.CutPrefix(e.Kind, "order.")
		if ok && slices.Contains(allOrderStatuses, OrderStatus(to)) {
			s.add(e.data("was"), to)
		}
	}
	c.equal(LawTimeline, "", "orders.status", s.end(string(OrderOpen)), c.o.Status)
}

// attemptSteps follows the status of each attempt along the timeline. What only
// the outcome of its creation decides (created, unknown, failed) has no line
// that tells from where to where.
func (c *checker) attemptSteps() {
	if !c.whole {
		return
	}
	begun := func(s sdk.Status) string {
		if s == AttemptCreated || s == AttemptUnknown || s == sdk.Failed {
			return string(AttemptCreated)
		}
		return string(s)
	}
	for _, a := range c.o.Attempts {
		s, failed, held := steps{}, 0, false
		for _, e := range c.Events {
			to := sdk.Status(strings.TrimPrefix(e.Kind, "payment."))
			if e.Kind == "payment.gone" {
				to = sdk.Canceled
			}
			if e.AttemptID != a.ID || !strings.HasPrefix(e.Kind, "payment.") || !slices.Contains(statuses, to) {
				continue
			}
			was := sdk.Status(e.data("was"))
			s.add(begun(was), begun(to))
			held = held || to == sdk.RequiresCapture
			if to == sdk.Failed {
				failed++
			}
		}
		if end, is := s.end(string(AttemptCreated)), begun(a.Status); end != is {
			c.doubt(LawTimeline, a.ID, "attempts.status", end, a.Status)
		}
		if a.Status == sdk.Failed && failed == 0 && !c.refused(a.ID) && !c.replaced(a) {
			c.doubt(LawTimeline, a.ID, "attempts.status", "not failed: nobody said so", a.Status)
		}
		if a.Authorized != 0 && !held {
			c.doubt(LawTimeline, a.ID, "attempts.authorized", 0, a.Authorized)
		}
	}
}

// refused reports whether the operation that was to create the attempt failed.
func (c *checker) refused(attemptID string) bool {
	return slices.ContainsFunc(c.o.Operations, func(op *Operation) bool {
		return op.Kind == sdk.OpCreate && op.AttemptID != nil && *op.AttemptID == attemptID && (op.Outcome == OutcomeDeclined || op.Outcome == OutcomeNotSent)
	})
}

// attentionLines compares what needs attention with what was raised and
// resolved.
func (c *checker) attentionLines() {
	open, needs := map[string]int{}, false
	for _, x := range c.o.Attention {
		if x.ResolvedAt.IsZero() {
			open[x.Reason]++
			needs = true
		}
	}
	c.equal(LawAttention, "", "orders.needs_attention", needs, c.o.NeedsAttention)
	if !c.whole {
		return
	}
	told := map[string]int{}
	for _, e := range c.Events {
		if e.Kind == AttentionResolved {
			told[e.data("reason")]--
		} else if reason, ok := strings.CutPrefix(e.Kind, "attention."); ok {
			told[reason]++
		}
	}
	for reason := range open {
		told[reason] += 0 // also what was never raised
	}
	for _, reason := range slices.Sorted(maps.Keys(told)) {
		c.equal(LawAttention, reason, "orders.attention", fmt.Sprint(told[reason], " open"), fmt.Sprint(open[reason], " open"))
	}
}
