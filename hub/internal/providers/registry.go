// Package providers runs the configured providers: one plugin process each,
// started, watched, restarted and ended here, and called through here.
//
// A call to a provider whose process is not up is sdk.NotSent and touches no
// wire. A process that dies during a call leaves a plain error: unknown.
package providers

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/superpayhub/superpay/hub/internal/devpg/filelock"
	"github.com/superpayhub/superpay/sdk"
)

// Config is one configured provider.
type Config struct {
	Name     string // the instance: "stripe", "stripe_eu"
	Plugin   string // the executable's name in one of Options.Dirs
	Settings sdk.Settings
	Disabled bool

	// Where it comes from, for people. Settings of a file or of the environment
	// are read-only in the console, those kept in the database have a version.
	Origins map[string]string // of each setting: a file, or a variable's name
	Kept    bool              // in the database
	Version int64             // of what is kept
}

// Options are shared by all providers.
type Options struct {
	Dirs         []string      // folders of the plugin executables, the first that has one counts; nobody but the operator may write there
	RunDir       string        // for sockets; default a short temporary folder
	CallTimeout  time.Duration // of a call whose context has no sooner deadline; default 20 s
	StartTimeout time.Duration // from the start of a process to its configuration; default 10 s
	StartWait    time.Duration // for which Start waits for the slowest; default: until it is up or has failed
	Logger       *slog.Logger
	Registerer   prometheus.Registerer   // nil: no metrics
	Env          []string                // environment of every plugin; none of the hub's own is passed on
	Hide         func(secrets ...string) // keeps what a plugin calls secret out of the log, before it is told
	TestOnly     bool                    // no account of real money is taken

	// For tests and benchmarks.
	plaintext     bool            // no AutoMTLS
	noDeathSignal bool            // leave it to the plugin to notice the hub's death
	backoff       []time.Duration // pauses before the restarts
	healthEvery   time.Duration
	stableAfter   time.Duration
}

// maxRunDir bounds the run folder's path in bytes: with what go-plugin appends,
// a socket's path must stay below the 104 that every system allows.
const maxRunDir = 64

var namePattern = regexp.MustCompile(`^[a-z][a-z0-9_]{0,30}$`)

// ValidName reports whether a provider can be called that.
func ValidName(name string) bool { return namePattern.MatchString(name) }

// Registry holds the configured providers.
type Registry struct {
	options Options
	metrics *metrics
	runLock *filelock.Lock // nil if the run folder was given
	started bool

	providers atomic.Pointer[map[string]*Provider] // replaced, never changed
	changing  sync.Mutex                           // one change of the providers at a time
	trying    sync.Mutex                           // one process on trial at a time
	stopped   bool

	mu   sync.Mutex
	onUp []func(name string)
}

// New checks the configuration. It starts nothing.
func New(o Options, configs []Config) (*Registry, error) {
	o = withDefaults(o)
	o.Dirs = slices.Clone(o.Dirs)
	var err error
	for i, dir := range o.Dirs {
		if o.Dirs[i], err = filepath.Abs(dir); err != nil {
			return nil, fmt.Errorf("plugin folder %q: %w", dir, err)
		}
	}
	if len(o.RunDir) > maxRunDir {
		return nil, fmt.Errorf("run folder %q: longer than %d bytes, too long for sockets", o.RunDir, maxRunDir)
	}
	r := &Registry{options: o}
	if r.metrics, err = newMetrics(o.Registerer); err != nil {
		return nil, err
	}
	all := map[string]*Provider{}
	for _, c := range configs {
		if err := c.check(); err != nil {
			return nil, err
		}
		if all[c.Name] != nil {
			return nil, fmt.Errorf("provider %q: configured twice", c.Name)
		}
		all[c.Name] = newProvider(r, c, newRecord())
	}
	r.providers.Store(&all)
	return r, nil
}

// check refuses what can be no provider, whatever its plugin says.
func (c Config) check() error {
	if !namePattern.MatchString(c.Name) {
		return fmt.Errorf("provider %q: a name is a-z, 0-9 and _, at most 31 characters, and begins with a letter", c.Name)
	}
	if c.Plugin == "" || c.Plugin == "." || c.Plugin == ".." || filepath.Base(c.Plugin) != c.Plugin {
		return fmt.Errorf("provider %q: plugin %q is not the name of an executable in a plugin folder", c.Name, c.Plugin)
	}
	return nil
}

func withDefaults(o Options) Options {
	positive := func(d *time.Duration, otherwise time.Duration) {
		if *d <= 0 {
			*d = otherwise
		}
	}
	positive(&o.CallTimeout, 20*time.Second)
	positive(&o.StartTimeout, 10*time.Second)
	positive(&o.healthEvery, 3*time.Second)
	positive(&o.stableAfter, time.Minute)
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.backoff == nil {
		ms := time.Millisecond
		o.backoff = []time.Duration{0, 200 * ms, 500 * ms, 1000 * ms, 2000 * ms, 5000 * ms, 10_000 * ms, 30_000 * ms}
	}
	return o
}

// Start starts all providers in parallel and returns when each is up or has
// failed once, or after StartWait: one that hangs delays nothing but itself. One
// that fails is down, and tried again; it does not fail Start.
func (r *Registry) Start(ctx context.Context) error {
	if r.started {
		return errors.New("providers: started twice")
	}
	if err := r.makeRunDir(); err != nil {
		return fmt.Errorf("run folder: %w", err)
	}
	r.started = true
	for _, p := range r.All() {
		if !p.config.Disabled {
			go p.supervise()
		}
	}
	wait, cancel := ctx, context.CancelFunc(func() {})
	if r.options.StartWait > 0 {
		wait, cancel = context.WithTimeout(ctx, r.options.StartWait)
	}
	defer cancel()
	for _, p := range r.All() {
		if p.config.Disabled {
			continue
		}
		select {
		case <-p.tried:
		case <-wait.Done():
			if ctx.Err() != nil {
				return ctx.Err()
			}
			p.log.WarnContext(ctx, "provider is still starting; the hub goes on without it", "plugin", p.config.Plugin, "waited", r.options.StartWait)
		}
	}
	return nil
}

// Stop refuses new calls, waits until the calls in flight have ended or ctx
// has, and ends the processes. It leaves no process, socket or goroutine.
func (r *Registry) Stop(ctx context.Context) {
	if !r.started {
		return
	}
	r.changing.Lock()
	defer r.changing.Unlock()
	r.stopped = true
	var all sync.WaitGroup
	for _, p := range r.All() {
		if !p.config.Disabled {
			all.Go(func() { p.stop(ctx) })
		}
	}
	all.Wait()
	r.removeRunDir()
}

// Get returns the provider of that name.
func (r *Registry) Get(name string) (*Provider, bool) {
	p, ok := (*r.providers.Load())[name]
	return p, ok
}

// All returns the providers, sorted by name.
func (r *Registry) All() []*Provider {
	var all []*Provider
	known := *r.providers.Load()
	for _, name := range slices.Sorted(maps.Keys(known)) {
		all = append(all, known[name])
	}
	return all
}

// OnUp has f called each time a provider comes up. It is called by the
// provider's supervisor, so it must return at once and not stop or restart.
func (r *Registry) OnUp(f func(name string)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.onUp = append(r.onUp, f)
}

func (r *Registry) cameUp(name string) {
	r.mu.Lock()
	listeners := slices.Clone(r.onUp)
	r.mu.Unlock()
	for _, f := range listeners {
		f(name)
	}
}
