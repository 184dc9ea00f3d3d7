package chaos

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/superpayhub/superpay/sdk/plugintest/standin"
)

// arm sets the faults that are planned for a step of this order, so that they
// bite its own call and no other's.
func (o *order) arm(at step) {
	method, match := http.MethodPost, o.target(at)
	if at == atRead {
		method = http.MethodGet
	}
	if match == "" {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.crash.does != nil && o.crashAt == at {
		crash := o.crash
		o.crash = none
		// The provider takes its time, and in the meantime it happens.
		o.set(standin.Fault{Method: method, Match: match, Action: standin.Delay, DelayMS: 400, Times: 1})
		o.c.crashing.Go(func() { o.c.strike(crash, o) })
	}
	var later []fault
	for _, f := range o.faults {
		if f.at != at {
			later = append(later, f)
			continue
		}
		if f.rule.Action == standin.Replace {
			f.rule = lieAbout(o.lie, o.way.provider, match)
		}
		f.rule.Method, f.rule.Match = method, match
		o.set(f.rule)
	}
	o.faults = later
}

// ruleOf is what a rule of the order's is for.
type ruleOf struct{ stand, match string }

// lift ends what has not bitten when the story is over.
func (o *order) lift() {
	slices.SortFunc(o.rules, func(a, b ruleOf) int { return strings.Compare(a.match, b.match) })
	for _, r := range slices.Compact(o.rules) {
		if err := o.c.stands[r.stand].ClearFaultsOf(o.c.ctx, r.match); err != nil && o.c.ctx.Err() == nil {
			o.fail("a fault could not be lifted: %v", err)
		}
	}
}

// lagging are the rules by which reads lag. They go on when their order's
// scenario is over, for some time: a stand-in looks at each rule at each call.
type lagging struct {
	mu    sync.Mutex
	rules []lagSince
}

type lagSince struct {
	ruleOf
	at time.Time
}

// lagsFor is far longer than an order's life and the longest of lags.
const lagsFor = time.Minute

func (l *lagging) add(r ruleOf) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rules = append(l.rules, lagSince{r, time.Now()})
}

// old takes out the rules that have been there for long enough.
func (l *lagging) old() []lagSince {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for n < len(l.rules) && time.Since(l.rules[n].at) > lagsFor {
		n++
	}
	out := l.rules[:n]
	l.rules = l.rules[n:]
	return out
}

// freshen lifts the rules that are old.
func (c *campaign) freshen() {
	for _, r := range c.lagging.old() {
		if err := c.stands[r.stand].ClearFaultsOf(c.ctx, r.match); err != nil && c.ctx.Err() == nil {
			fmt.Fprintln(c.Say, "a fault could not be lifted:", err)
		}
	}
}

// target is what the call of a step carries, and no other order's does.
func (o *order) target(at step) string {
	switch at {
	case atCreate:
		return o.reference
	case atConfirm, atRead:
		return o.ref("payment_intent", "checkout_session", "charge", "order")
	case atCapture:
		return o.ref("authorization", "payment_intent", "charge", "order")
	case atCancel:
		return o.ref("authorization", "checkout_session", "payment_intent", "charge", "order")
	case atRefund:
		if c := o.ref("capture"); c != "" {
			return c
		}
	}
	if a := o.attempt(); a != nil {
		return a.ID
	}
	return ""
}

// spoil sets what becomes of the callbacks that carry a text.
func (o *order) spoil(match string) {
	if o.callbacks != nil {
		rule := *o.callbacks
		rule.Match = match
		o.set(rule)
	}
}

func (o *order) set(rule standin.Fault) {
	if at := (ruleOf{o.way.provider, rule.Match}); rule.Action == standin.Stale {
		o.c.lagging.add(at)
	} else {
		o.rules = append(o.rules, at)
	}
	if err := o.c.stands[o.way.provider].AddFault(o.c.ctx, rule); err != nil && o.c.ctx.Err() == nil {
		o.complain = append(o.complain, "a fault could not be set: "+err.Error())
	}
}
