package providers

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/health/grpc_health_v1"

	"github.com/superpayhub/superpay/sdk"
	"github.com/superpayhub/superpay/sdk/plugin"
)

const (
	endTimeout   = 2 * time.Second // for a plugin to end by itself when told to
	healthMisses = 3               // in a row make a plugin hung
)

// process is one running plugin, configured.
type process struct {
	plugin  *goplugin.Client
	runner  *runner
	client  *plugin.Client
	account sdk.Account

	provider *Provider // whose it is
	calls    gate
	proof    proof
}

// launch starts, connects and configures a plugin. A go-plugin client serves
// for one start only, even a failed one.
func launch(ctx context.Context, p *Provider) (*process, error) {
	return begin(ctx, p, func(ctx context.Context, run *process) error { return run.configure(ctx) })
}

// configure gives a plugin its settings.
func (p *process) configure(ctx context.Context) (err error) {
	of := p.provider
	of.hideSecrets(p.client.Describe())
	p.account, err = configure(ctx, p.client, of.config)
	if err == nil && of.registry.options.TestOnly && p.account.Mode != sdk.Test {
		err = errTestOnly
	}
	return err
}

var errTestOnly = errors.New("its account moves real money, and time_scale (HUB_TIME_SCALE) is only for tests: remove it")

// begin starts and connects a plugin, and does what comes first there.
func begin(ctx context.Context, p *Provider, first func(context.Context, *process) error) (*process, error) {
	options := p.registry.options
	var client atomic.Pointer[plugin.Client] // for scrubbing, once it knows what
	lines := func() *lines { return &lines{log: p.log, client: &client} }

	env := append(p.environment(), plugin.WatchStdinEnv+"=1", plugin.LogLevelEnv+"="+logLevel(ctx, p.log).String())
	path, err := p.path()
	if err != nil {
		return nil, err
	}
	run := &process{provider: p, runner: newRunner(path, env, lines(), !options.noDeathSignal)}
	run.plugin = goplugin.NewClient(&goplugin.ClientConfig{
		HandshakeConfig:  plugin.Handshake,
		VersionedPlugins: plugin.Map(),
		AllowedProtocols: []goplugin.Protocol{goplugin.ProtocolGRPC},
		RunnerFunc:       run.runner.prepare,
		StartTimeout:     options.StartTimeout,
		AutoMTLS:         !options.plaintext,
		SkipHostEnv:      true,
		UnixSocketConfig: &goplugin.UnixSocketConfig{TempDir: options.RunDir},
		GRPCDialOptions:  plugin.DialOptions(),
		SyncStdout:       lines(),
		SyncStderr:       lines(),
		Logger:           bridge{log: p.log},
	})
	ctx, cancel := context.WithTimeout(ctx, options.StartTimeout)
	defer cancel()
	// go-plugin's waits know no context; what they wait for dies with the process.
	stop := context.AfterFunc(ctx, run.runner.kill)
	defer stop()

	err = run.connect()
	if err == nil {
		client.Store(run.client)
		err = first(ctx, run)
	}
	if err == nil {
		return run, nil
	}
	cause := run.startFailure(ctx, err)
	run.end()
	return nil, cause
}

func (p *process) connect() error {
	protocol, err := p.plugin.Client()
	if err != nil {
		return err
	}
	provider, err := protocol.Dispense(plugin.Name)
	if err != nil {
		return err
	}
	p.client = provider.(*plugin.Client)
	return nil
}

// startFailure says why a start failed, in an operator's words.
func (p *process) startFailure(ctx context.Context, err error) error {
	// The plugin's clock may be the first to notice.
	if errors.Is(ctx.Err(), context.DeadlineExceeded) || errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("not ready in time: %w", err)
	}
	var settings settingsErrors
	var refused *NotTakenError
	if errors.As(err, &settings) || errors.As(err, &refused) {
		return err
	}
	select {
	case <-p.runner.exited:
		return fmt.Errorf("at start: %w (%w)", p.runner.cause(), err)
	case <-time.After(exitGrace): // output ends a moment before the process
		return fmt.Errorf("at start: %w", err)
	}
}

func (p *process) pid() int { return p.runner.pid() }

// end ends the process and removes its socket. Calls in flight are to be
// drained before, or lost.
func (p *process) end() {
	timer := time.AfterFunc(endTimeout, p.runner.kill)
	defer timer.Stop()
	p.plugin.Kill()
	if p.runner.dir != "" { // go-plugin leaves it after some failed starts
		_ = os.RemoveAll(p.runner.dir)
	}
}

// health returns when the plugin hangs or its connection broke, or nil when
// ctx ended. The connection is a local socket: it breaks only with the plugin.
// That also covers a call's Unavailable, which has the same cause.
func (p *process) health(ctx context.Context, every time.Duration) error {
	conn := p.client.Conn()
	checker := grpc_health_v1.NewHealthClient(conn)
	for misses := 0; misses < healthMisses; {
		waiting, cancel := context.WithTimeout(ctx, every)
		broke := conn.WaitForStateChange(waiting, connectivity.Ready)
		cancel()
		if ctx.Err() != nil {
			return nil
		}
		if broke {
			return errors.New("connection lost")
		}
		checking, cancel := context.WithTimeout(ctx, every)
		_, err := checker.Check(checking, &grpc_health_v1.HealthCheckRequest{Service: goplugin.GRPCServiceName})
		cancel()
		if misses++; err == nil {
			misses = 0
		}
	}
	if ctx.Err() != nil {
		return nil
	}
	return fmt.Errorf("hung: no answer to %d health checks", healthMisses)
}

// logLevel is the least level that the hub's log keeps: a plugin need not
// write more.
func logLevel(ctx context.Context, log *slog.Logger) slog.Level {
	for _, level := range []slog.Level{slog.LevelDebug, slog.LevelInfo, slog.LevelWarn} {
		if log.Enabled(ctx, level) {
			return level
		}
	}
	return slog.LevelError
}

// gate counts calls in flight, so that they can be waited for.
type gate struct {
	mu    sync.Mutex
	calls int
	empty chan struct{} // made when the gate is shut, closed with the last call
}

// enter admits a call unless the gate is shut.
func (g *gate) enter() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.empty != nil {
		return false
	}
	g.calls++
	return true
}

func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.calls--; g.calls == 0 && g.empty != nil {
		close(g.empty)
	}
}

// drain shuts the gate, once, and waits for the calls inside while ctx lasts.
func (g *gate) drain(ctx context.Context) {
	g.mu.Lock()
	if g.empty == nil {
		g.empty = make(chan struct{})
		if g.calls == 0 {
			close(g.empty)
		}
	}
	empty := g.empty
	g.mu.Unlock()
	select {
	case <-empty:
	case <-ctx.Done():
	}
}
