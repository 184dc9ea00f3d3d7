package providers

import (
	"context"
	"fmt"
	"time"

	"github.com/superpayhub/superpay/sdk"
	"github.com/superpayhub/superpay/sdk/plugin"
)

// InProcess makes a registry whose providers live in this process, each behind
// the gRPC contract that a plugin's process speaks: for tests that script what
// a provider answers. No process is started, watched or restarted. Call the
// returned function to end it.
func InProcess(ctx context.Context, o Options, all map[string]sdk.Provider) (*Registry, func(), error) {
	r := &Registry{options: withDefaults(o)}
	known := map[string]*Provider{}
	r.providers.Store(&known)
	var ends []func()
	end := func() {
		for _, f := range ends {
			f()
		}
	}
	for name, implementation := range all {
		client, stop, err := plugin.Loopback(ctx, implementation)
		if err != nil {
			end()
			return nil, nil, fmt.Errorf("provider %s: %w", name, err)
		}
		ends = append(ends, stop)
		account, err := client.Configure(ctx, sdk.Settings{})
		if err != nil {
			end()
			return nil, nil, fmt.Errorf("provider %s: %w", name, err)
		}
		p := newProvider(r, Config{Name: name, Plugin: client.Describe().Name}, newRecord())
		known[name] = p
		p.reach(&process{client: client, account: account})
	}
	return r, end, nil
}

// reach puts a process in this process into service.
func (p *Provider) reach(run *process) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.description = run.client.Describe()
	p.setState(StatusUp, "")
	p.state.Version = p.description.Version
	p.state.Mode = run.account.Mode
	p.state.AccountID = run.account.ID
	p.process.Store(run)
	p.record.Load().up(time.Now())
}

// TakeDown takes a provider that InProcess made out of service, and returns
// what brings it back up.
func (p *Provider) TakeDown() (up func()) {
	run := p.process.Load()
	p.setDown(StatusDown, "taken down by a test")
	return func() { p.reach(run) }
}
