package plugintest

import (
	"slices"
	"strings"

	"github.com/superpayhub/superpay/sdk"
)

// lacks is what is not asked of a flow any more, because a basic rule is broken: the
// rules that build on it would only say so again.
type lacks struct {
	all       bool // nobody can pay
	can       []sdk.Capability
	callbacks bool
	repeats   bool // of keys
}

// basics are the rules on which others build: what a flow lacks that breaks one.
var basics = map[string]lacks{
	"pays":               {all: true},
	"capture_manual":     {can: []sdk.Capability{sdk.CanCapture, sdk.CanCapturePart}},
	"cancel_open":        {can: []sdk.Capability{sdk.CanCancel}},
	"refunds":            {can: []sdk.Capability{sdk.CanRefund, sdk.CanRefundPart}},
	"callback_genuine":   {callbacks: true},
	"repeat_same_effect": {repeats: true},
}

// spare notes what a flow lacks that broke a rule.
func (x *exam) spare(t T, r rule, name string) {
	without, basic := basics[r.name]
	if !basic {
		return
	}
	b := x.lack(name)
	b.all, b.callbacks, b.repeats = b.all || without.all, b.callbacks || without.callbacks, b.repeats || without.repeats
	b.can = append(b.can, without.can...)
	t.Logf("what builds on %s is not asked of the flow %s", r.name, name)
}

func (x *exam) lack(name string) *lacks {
	if x.broken[name] == nil {
		x.broken[name] = &lacks{}
	}
	return x.broken[name]
}

// asks reports whether a rule is asked of a flow.
func (x *exam) asks(r rule, name string) bool {
	f, ok := x.flow(name)
	b := x.lack(name)
	return ok && !b.all && !(r.hears && b.callbacks) && (r.applies == nil || r.applies(x.paper.Flows[name], f))
}

// flow is the plugin's flow behind a name of exam.json, with what is asked of it.
func (x *exam) flow(name string) (sdk.Flow, bool) {
	of, _, _ := strings.Cut(name, ":")
	f, ok := x.description.Flow(of)
	f.Capabilities = slices.DeleteFunc(slices.Clone(f.Capabilities), func(c sdk.Capability) bool { return slices.Contains(x.lack(name).can, c) })
	return f, ok
}
