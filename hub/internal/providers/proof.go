package providers

import (
	"context"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/singleflight"

	"github.com/superpayhub/superpay/sdk"
	"github.com/superpayhub/superpay/sdk/plugin"
)

// maxForms bounds the forms of callbacks that are remembered of a process. Usually
// there is one.
const maxForms = 64

// proof is what the hub found out about a process whose plugin says that a signature
// covers its callbacks. A plugin that is wrong about that would let anybody say that
// an order is paid, so the hub tries it with altered copies of the first callback of
// each form that it would believe.
type proof struct {
	mu     sync.Mutex
	held   map[string]bool // forms of callbacks of which no altered copy was believed
	broken string          // what altered copy was believed; empty: none
	trying singleflight.Group
}

// HandleCallback is sdk.Provider's. No fact is Proven that the plugin cannot prove:
// it is to be read, then.
func (p *Provider) HandleCallback(ctx context.Context, r sdk.CallbackRequest) (*sdk.CallbackResult, error) {
	result, err := call(ctx, p, "HandleCallback", (*plugin.Client).HandleCallback, r)
	if result == nil || result.Verdict != sdk.Genuine || !slices.ContainsFunc(result.Facts, func(f sdk.Fact) bool { return f.Proven }) {
		return result, err
	}
	if !p.proves(ctx, r, result) {
		for i := range result.Facts {
			result.Facts[i].Proven = false
		}
	}
	return result, err
}

// proves reports whether what the plugin says of a callback may be believed.
func (p *Provider) proves(ctx context.Context, r sdk.CallbackRequest, genuine *sdk.CallbackResult) bool {
	run := p.process.Load()
	if run == nil || run.client.Describe().Proof != sdk.ProofSignedBody {
		return false
	}
	x, form := &run.proof, formOf(r)
	x.mu.Lock()
	held, broken := x.held[form], x.broken
	x.mu.Unlock()
	if held || broken != "" {
		return broken == ""
	}
	tried, _, _ := x.trying.Do(form, func() (any, error) { return p.try(ctx, run, r, genuine, form), nil })
	return tried.(bool)
}

// try asks the plugin what it thinks of altered copies.
func (p *Provider) try(ctx context.Context, run *process, r sdk.CallbackRequest, genuine *sdk.CallbackResult, form string) bool {
	for _, a := range sdk.Alterations(r) {
		altered, err := send(ctx, p, (*plugin.Client).HandleCallback, a.Request)
		if ctx.Err() != nil {
			return false // nothing is known yet
		}
		if err == nil && a.Believed(genuine, altered) {
			run.proof.mu.Lock()
			run.proof.broken = a.What
			run.proof.mu.Unlock()
			p.doubt(a.What)
			return false
		}
	}
	run.proof.mu.Lock()
	defer run.proof.mu.Unlock()
	if len(run.proof.held) >= maxForms {
		return run.proof.broken == "" // others of this form are tried again
	}
	if run.proof.held == nil {
		run.proof.held = map[string]bool{}
	}
	run.proof.held[form] = true
	return run.proof.broken == ""
}

// doubt says to people that callbacks of the process are read and not believed.
func (p *Provider) doubt(what string) {
	p.mu.Lock()
	p.state.Doubt = "its plugin takes a callback " + what + " for genuine: what callbacks say is read from the provider before it counts"
	doubt := p.state.Doubt
	p.mu.Unlock()
	p.log.Error("callbacks of a provider can be forged", "plugin", p.config.Plugin, "reason", doubt)
}

// formOf is what two callbacks have in common whose plugin looks at the same parts of
// both: method, path, and the names in the query and of the headers, as they came.
func formOf(r sdk.CallbackRequest) string {
	var form strings.Builder
	form.Grow(512)
	form.WriteString(r.Method + " " + r.Path)
	for part := range strings.SplitSeq(r.Query, "&") {
		name, _, _ := strings.Cut(part, "=")
		form.WriteString("&" + name)
	}
	for _, h := range r.Headers {
		form.WriteByte('\n')
		form.WriteString(h.Name)
	}
	return form.String()
}
