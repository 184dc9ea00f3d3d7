package providers

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/superpayhub/superpay/sdk"
)

// What a provider's process may be. "starting" is only said until it is known
// whether a first or an operator's start succeeds; while a crashed or failing
// process is tried again, it is "down", with the reason.
const (
	StatusUp       = "up"
	StatusStarting = "starting"
	StatusDown     = "down"
	StatusDisabled = "disabled"
)

// tellAgain is how long the log keeps quiet about a provider that stays down
// for the same reason while it is tried again and again.
const tellAgain = 10 * time.Minute

// State is a provider's health, for people.
type State struct {
	Status    string
	Reason    string // why it is not up
	Pid       int    // 0 unless up
	Version   string // of the plugin, as last known
	Since     time.Time
	Restarts  int    // how often it came back up
	LastError string // why it was last down
	Waits     string // that another executable is there, and why it does not run
	Doubt     string // why its callbacks are not believed, though its plugin says that they prove themselves
	Mode      sdk.Mode
	AccountID string
}

// Provider is a configured provider and its process. It implements
// sdk.Provider's calls and every optional interface.
type Provider struct {
	config   Config
	registry *Registry
	log      *slog.Logger

	ctx     context.Context // ends when the provider is stopped
	cancel  context.CancelFunc
	restart chan restart
	tried   chan struct{} // closed when the first start has succeeded or failed
	done    chan struct{} // closed when the supervisor has ended

	process atomic.Pointer[process]  // nil while no call may be sent
	next    atomic.Pointer[Provider] // took this one's place
	record  atomic.Pointer[record]   // of its calls, handed on to the next

	mu          sync.Mutex
	stopping    bool
	state       State
	starts      int // that succeeded
	description sdk.Description
	told        string // the last warning, and when: not again at every try
	toldAt      time.Time

	// Of its executable: what runs, what was last seen on disk, and what did not come up.
	runs, seen, refused executable
}

// restart is an operator's wish.
type restart struct {
	ctx  context.Context // bounds how long calls in flight are waited for
	done chan<- error    // buffered; the start's outcome
}

func newProvider(r *Registry, c Config, calls *record) *Provider {
	p := &Provider{
		config:   c,
		registry: r,
		log:      r.options.Logger.With("provider", c.Name),
		restart:  make(chan restart),
		tried:    make(chan struct{}),
		done:     make(chan struct{}),
		state:    State{Status: StatusStarting, Reason: "not started yet", Since: time.Now()},
	}
	p.record.Store(calls)
	p.config.Settings = maps.Clone(c.Settings)
	p.ctx, p.cancel = context.WithCancel(context.Background())
	if c.Disabled {
		p.state = State{Status: StatusDisabled, Reason: c.whyDisabled(), Since: time.Now()}
	}
	return p
}

func (c Config) whyDisabled() string {
	if c.Kept {
		return "disabled in the console"
	}
	return "disabled by configuration"
}

// Config is how the provider is configured. It holds secrets.
func (p *Provider) Config() Config {
	c := p.config
	c.Settings = maps.Clone(c.Settings)
	return c
}

// Name is the provider's configured name.
func (p *Provider) Name() string { return p.config.Name }

// Plugin is the name of its executable.
func (p *Provider) Plugin() string { return p.config.Plugin }

// State is the provider's health now.
func (p *Provider) State() State {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.state
}

// Up reports whether calls are sent.
func (p *Provider) Up() bool { return p.process.Load() != nil }

// SameAccount reports whether two names are of one account: the plugin says so of
// both, or they share a secret of it.
func (p *Provider) SameAccount(o *Provider) bool {
	mine, theirs := p.State().AccountID, o.State().AccountID
	switch {
	case p.config.Plugin != o.config.Plugin:
		return false
	case mine != "" && theirs != "":
		return mine == theirs
	}
	for _, f := range p.Description().Settings {
		if value := p.config.Settings[f.Name]; f.Secret && value != "" && value == o.config.Settings[f.Name] {
			return true
		}
	}
	return false
}

// Description is what the plugin last said that it is; zero if it never was up.
func (p *Provider) Description() sdk.Description {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.description
}

// PublicSettings are the values that apps may see: those of fields flagged
// Public and not Secret.
func (p *Provider) PublicSettings() map[string]string {
	public := map[string]string{}
	for _, f := range p.Description().Settings {
		value, ok := p.config.Settings[f.Name]
		if !ok {
			value = f.Default
		}
		if f.Public && !f.Secret && value != "" {
			public[f.Name] = value
		}
	}
	return public
}

// Restart lets calls in flight end while ctx lasts, and starts the process
// anew from the executable as it now is. It returns the start's error.
func (p *Provider) Restart(ctx context.Context) error {
	if p.config.Disabled {
		return fmt.Errorf("provider %s is disabled", p.config.Name)
	}
	done := make(chan error, 1)
	select {
	case p.restart <- restart{ctx, done}:
	case <-p.done:
		return fmt.Errorf("provider %s: %w", p.config.Name, errStopping)
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-done:
		return err
	case <-p.done:
		return fmt.Errorf("provider %s: %w", p.config.Name, errStopping)
	case <-ctx.Done():
		return ctx.Err()
	}
}

var errStopping = errors.New("the hub is stopping")

// stop refuses new calls, lets those in flight end while ctx lasts, and ends
// the process.
func (p *Provider) stop(ctx context.Context) {
	p.mu.Lock()
	p.stopping = true
	running := p.process.Swap(nil)
	p.setState(StatusDown, errStopping.Error())
	p.mu.Unlock()
	if running != nil {
		running.calls.drain(ctx)
	}
	p.cancel()
	<-p.done
}

// setUp publishes a process: from now on calls go to it.
func (p *Provider) setUp(run *process) {
	p.mu.Lock()
	if p.stopping {
		p.mu.Unlock()
		return
	}
	if p.starts++; p.starts > 1 {
		p.state.Restarts++
	}
	p.description = run.client.Describe()
	p.setState(StatusUp, "")
	p.told, p.state.Waits, p.state.Doubt = "", "", ""
	p.state.Pid, p.state.Version = run.pid(), p.description.Version
	p.state.Mode, p.state.AccountID = run.account.Mode, run.account.ID
	p.process.Store(run)
	p.record.Load().up(time.Now())
	p.mu.Unlock()

	p.registry.metrics.up(p.config.Name, true)
	p.log.Info("provider is up", "plugin", p.config.Plugin, "version", run.client.Describe().Version, "pid", run.pid(), "mode", run.account.Mode)
	p.registry.cameUp(p.config.Name)
}

// setDown takes the process out of service.
func (p *Provider) setDown(status, reason string) {
	p.mu.Lock()
	p.process.Store(nil)
	if p.stopping {
		p.mu.Unlock()
		return
	}
	p.setState(status, reason)
	p.record.Load().down(time.Now())
	if status == StatusDown {
		p.state.LastError = reason
	}
	level := slog.LevelDebug
	if news := status + ": " + reason; p.told != news || time.Since(p.toldAt) >= tellAgain {
		level, p.told, p.toldAt = slog.LevelWarn, news, time.Now()
	}
	p.mu.Unlock()

	p.registry.metrics.up(p.config.Name, false)
	p.log.Log(context.Background(), level, "provider is "+status, "plugin", p.config.Plugin, "reason", reason)
}

// setState is called with the lock held. A repeated failure keeps its Since.
func (p *Provider) setState(status, reason string) {
	if p.state.Status != status {
		p.state.Since = time.Now()
	}
	p.state.Status, p.state.Reason, p.state.Pid = status, reason, 0
}

// environment is all that the plugin sees of it, besides go-plugin's own.
func (p *Provider) environment() []string {
	return slices.Clone(p.registry.options.Env)
}
