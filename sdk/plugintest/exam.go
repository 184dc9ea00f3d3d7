package plugintest

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/superpayhub/superpay/sdk"
	"github.com/superpayhub/superpay/sdk/plugin"
	"github.com/superpayhub/superpay/sdk/plugintest/standin"
)

// T is where findings go: a *testing.T, or a *Report for a program.
type T interface {
	Helper()
	Context() context.Context
	Logf(format string, args ...any)
	Errorf(format string, args ...any)
	FailNow()
	Failed() bool
}

// Subtests is a T that runs named parts.
type Subtests[S any] interface {
	T
	Run(name string, part func(S)) bool
}

// Options say who is examined, and by what.
type Options struct {
	Plugin     string   // the executable; empty is this program itself, see ServeIfStarted
	Env        []string // of the plugin's process, which sees nothing else
	Exam       string   // path of exam.json; empty is "exam.json"
	Sandbox    Sandbox  // the stand-in inside this process, or
	SandboxURL string   // where one runs, without a slash at its end
	Only       []string // rules to ask; empty is all

	// Settle is how long is waited for what a payer did to be seen; 0 is 8 s.
	Settle time.Duration
	// Budget bounds the whole exam, also of a plugin that hangs; 0 is 5 minutes.
	Budget time.Duration
}

// ServeIfStarted makes a test's binary the plugin under examination: started by
// the exam, it serves and does not return. Call it first in TestMain.
func ServeIfStarted(serve func()) {
	if os.Getenv(plugin.Handshake.MagicCookieKey) == plugin.Handshake.MagicCookieValue {
		serve()
		os.Exit(0)
	}
}

// Run asks every rule. It makes payments at the stand-in and changes its
// webhook, so that stand-in must be the exam's alone.
func Run[S Subtests[S]](t S, o Options) {
	o.Budget = cmp.Or(o.Budget, 5*time.Minute)
	ctx, cancel := context.WithTimeout(t.Context(), o.Budget)
	defer cancel()
	x, err := open(ctx, o)
	if err != nil {
		t.Errorf("the exam cannot begin: %v", err)
		t.FailNow()
	}
	defer x.close()
	for i, r := range rules {
		if len(o.Only) > 0 && !slices.Contains(o.Only, r.name) {
			continue
		}
		if over(ctx) {
			t.Errorf("the exam's time, %s, is over before the rule %s: %d of %d rules were asked; a plugin that answers takes a tenth of that", o.Budget, r.name, i, len(rules))
			return
		}
		if r.plugin != nil {
			t.Run(r.name, func(t S) { x.ask(t, r.advice, "", r.plugin) })
			continue
		}
		var asked []string
		for _, name := range sorted(x.paper.Flows) {
			if x.asks(r, name) {
				asked = append(asked, name)
			}
		}
		if len(asked) == 0 {
			continue
		}
		t.Run(r.name, func(t S) {
			for _, name := range asked {
				if ok := t.Run(name, func(t S) { x.ask(t, r.advice, name, r.flow) }); !ok {
					x.spare(t, r, name)
				}
			}
		})
	}
}

// over reports whether the time is, but for what a plugin's answer may be early.
func over(ctx context.Context) bool {
	end, _ := ctx.Deadline()
	return time.Until(end) < 100*time.Millisecond
}

// ask gives one rule a clean sheet. The advice comes last, where it is seen.
func (x *exam) ask(t T, advice, name string, check func(*sheet)) {
	defer func() {
		if t.Failed() {
			t.Errorf("what to do: %s", advice)
		}
	}()
	x.wire.clean()
	f, _ := x.flow(name)
	check(&sheet{T: t, exam: x, name: name, flow: f, paper: x.paper.Flows[name]})
}

// exam is one sitting.
type exam struct {
	ctx         context.Context // ends with the budget
	options     Options
	paper       *Paper
	known       map[string]string // placeholders of the settings
	settings    sdk.Settings      // what the plugin is given: the stand-in's address is the wire's
	ear         *ear
	wire        *wire
	mail        *mailbox
	stand       standin.Client
	main        *process // asked by most rules
	client      *plugin.Client
	account     sdk.Account
	description sdk.Description

	run      string // makes names unique in a stand-in that remembers
	number   atomic.Int64
	gathered map[string]*gathered // by flow
	others   map[string]*process  // by the provider's address
	broken   map[string]*lacks    // by flow
	closers  []func()
}

func open(ctx context.Context, o Options) (_ *exam, err error) {
	x := &exam{ctx: ctx, options: o, ear: &ear{}, run: strings.ToLower(rand.Text()[:8]), gathered: map[string]*gathered{}, others: map[string]*process{}, broken: map[string]*lacks{}}
	defer func() {
		if err != nil {
			x.close()
		}
	}()
	if x.paper, err = readPaper(o.Exam); err != nil {
		return nil, err
	}
	x.known = map[string]string{}
	for name := range x.paper.Sandbox.Fetch {
		x.known[name] = "" // until it runs
	}
	if err = x.openSandbox(); err == nil {
		err = x.fetch(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("the stand-in: %w", err)
	}
	if err = x.openWire(); err != nil {
		return nil, err
	}
	x.settings, err = x.paper.settings(x.wire.url, x.known)
	if err != nil {
		return nil, err
	}
	if x.mail, err = openMailbox(); err != nil {
		return nil, err
	}
	x.closers = append(x.closers, x.mail.close)
	if err = x.stand.SetWebhook(ctx, x.mail.url); err != nil {
		return nil, fmt.Errorf("the stand-in's door for the webhook: %w", err)
	}
	if x.main, err = x.launch(); err != nil {
		return nil, err
	}
	x.client, x.description = x.main.client, x.main.client.Describe()
	x.ear.learn(x.description, x.settings, x.paper)
	call, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if x.account, err = x.client.Configure(call, x.settings); err != nil {
		return nil, fmt.Errorf("the plugin refuses exam.json's settings: %w", err)
	}
	return x, nil
}

// close ends all in the order in which it was opened, so that nothing is waited
// for that nobody answers any more.
func (x *exam) close() {
	if x.main != nil {
		x.main.kill()
	}
	for _, c := range slices.Backward(x.closers) {
		c()
	}
}

// patience bounds a call that nothing disturbs.
const patience = 20 * time.Second

func (x *exam) settling() time.Duration { return cmp.Or(x.options.Settle, 8*time.Second) }

// id makes a name that this stand-in has never heard.
func (x *exam) id(kind string) string {
	return fmt.Sprintf("%s_exam_%s_%d", kind, x.run, x.number.Add(1))
}

// instance is the hub that the exam plays, otherInstance one beside it.
const (
	instance      = "hub_exam"
	otherInstance = "hub_other"
)

// RuleNames lists the rules in the order in which they are asked.
func RuleNames() []string {
	var names []string
	for _, r := range rules {
		names = append(names, r.name)
	}
	return names
}

// Advice says what to do about a broken rule.
func Advice(rule string) string {
	for _, r := range rules {
		if r.name == rule {
			return r.advice
		}
	}
	return ""
}

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
