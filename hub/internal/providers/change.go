package providers

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/superpayhub/superpay/sdk"
	"github.com/superpayhub/superpay/sdk/plugin"
)

// Plugins are the names of the executables that a provider can be made of.
func (r *Registry) Plugins() []string {
	var names []string
	for _, dir := range r.options.Dirs {
		files, _ := os.ReadDir(dir) // none: nothing to choose from
		for _, f := range files {
			info, err := f.Info()
			if err == nil && info.Mode().IsRegular() && (info.Mode()&0o111 != 0 || filepath.Ext(f.Name()) == ".exe") {
				names = append(names, strings.TrimSuffix(f.Name(), ".exe"))
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Describe starts a plugin for a moment and asks what it is. Its error is for
// people.
func (r *Registry) Describe(ctx context.Context, plugin string) (sdk.Description, error) {
	if !slices.Contains(r.Plugins(), plugin) {
		return sdk.Description{}, fmt.Errorf("plugin %q is no executable in a plugin folder", plugin)
	}
	return r.try(ctx, Config{Name: "trial", Plugin: plugin}, func(context.Context, *process) error { return nil })
}

// Try starts a second process with settings that are not in force, asks what
// the plugin makes of them, and ends it. A provider that runs is not touched.
// Wrong settings are told all at once, as Wrong reads them. If ask says so, the
// provider is asked for something that changes nothing there: what is newest, and of
// that nothing. It is *NotTakenError if that does not go well.
func (r *Registry) Try(ctx context.Context, c Config, ask bool) (account sdk.Account, err error) {
	if err := c.check(); err != nil {
		return account, err
	}
	_, err = r.try(ctx, c, func(ctx context.Context, run *process) error {
		if err := run.configure(ctx); err != nil {
			return err
		}
		if account = run.account; !ask {
			return nil
		}
		return run.ask(ctx)
	})
	return account, err
}

// NotTakenError says why settings that the plugin took lead nowhere.
type NotTakenError struct{ cause error }

func (e *NotTakenError) Error() string { return e.cause.Error() }

// ask makes a harmless call at the provider.
func (p *process) ask(ctx context.Context) error {
	_, err := p.client.List(plugin.Outgoing(ctx, "", ""), sdk.ListRequest{Since: time.Now().UTC(), Limit: 1})
	var rejected *sdk.RejectedError
	if err == nil || errors.As(err, &rejected) && rejected.Failure.Code == sdk.FailureState { // it has no list
		return nil
	}
	return &NotTakenError{err}
}

func (r *Registry) try(ctx context.Context, c Config, first func(context.Context, *process) error) (sdk.Description, error) {
	r.trying.Lock()
	defer r.trying.Unlock()
	p := newProvider(r, c, newRecord())
	defer p.cancel()
	p.log = p.log.With("trial", true)
	run, err := begin(ctx, p, first)
	if err != nil {
		return sdk.Description{}, err
	}
	defer run.end()
	return run.client.Describe(), nil
}

// Wrong are what is wrong with settings, field by field, in an error of Try.
func Wrong(err error) map[string]string {
	wrong, ok := err.(settingsErrors)
	if !ok {
		return nil
	}
	texts := map[string]string{}
	for _, e := range wrong {
		texts[e.Field] = e.Reason
	}
	return texts
}

// Put brings a provider in force, instead of the one of that name if there is
// one: the new process is up before the old one gets no more calls, and those
// in flight end there while ctx lasts. If the new one does not come up, the old
// one stays and the error says why; without an old one, it is down and tried
// again like any other.
func (r *Registry) Put(ctx context.Context, c Config) error {
	if err := c.check(); err != nil {
		return err
	}
	r.changing.Lock()
	defer r.changing.Unlock()
	if r.stopped {
		return errStopping
	}
	old, _ := r.Get(c.Name)
	p := newProvider(r, c, newRecord())
	if old != nil {
		p.follow(old)
	}
	if !c.Disabled {
		go p.supervise()
		select {
		case <-p.tried:
		case <-ctx.Done():
		}
		if s := p.State(); old != nil && old.Up() && s.Status != StatusUp {
			p.stop(ctx)
			return fmt.Errorf("the settings were not taken, and those before stay in force: %s", s.Reason)
		}
	}
	if old != nil {
		p.record.Store(old.record.Load())
		if p.Up() {
			p.record.Load().up(time.Now())
		}
	}
	r.set(c.Name, p)
	r.retire(ctx, old, p)
	return nil
}

// Remove ends a provider: it is not known any more.
func (r *Registry) Remove(ctx context.Context, name string) {
	r.changing.Lock()
	defer r.changing.Unlock()
	if old, ok := r.Get(name); ok {
		r.set(name, nil)
		r.retire(ctx, old, nil)
		r.metrics.up(name, false)
	}
}

func (r *Registry) set(name string, p *Provider) {
	all := maps.Clone(*r.providers.Load())
	if all[name] = p; p == nil {
		delete(all, name)
	}
	r.providers.Store(&all)
}

// retire ends one whose place was taken.
func (r *Registry) retire(ctx context.Context, old, next *Provider) {
	if old == nil {
		return
	}
	old.next.Store(next)
	if !old.config.Disabled {
		old.stop(ctx)
	}
	if next != nil && next.config.Disabled {
		r.metrics.up(next.config.Name, false)
	}
}

// follow takes over what is known of the provider before.
func (p *Provider) follow(old *Provider) {
	was := old.State()
	p.starts, p.description = 1, old.Description()
	p.state.Restarts, p.state.LastError, p.state.Version, p.state.Mode, p.state.AccountID = was.Restarts, was.LastError, was.Version, was.Mode, was.AccountID
}
