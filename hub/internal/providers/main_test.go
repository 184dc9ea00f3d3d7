package providers

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/sdk"
)

// hubEnv makes the test binary a hub that starts a registry and waits to be
// killed: "signal" or "pipe", by how its plugin is to notice.
const hubEnv = "SUPERPAY_TEST_HUB"

const secret = "sk_test_0123456789"

var pluginDir string // the folder of the built test plugin

func TestMain(m *testing.M) {
	if how := os.Getenv(hubEnv); how != "" {
		pluginDir = os.Getenv("SUPERPAY_TEST_PLUGINS")
		beHub(how)
	}
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "plugins-")
		if err != nil {
			panic(err)
		}
		defer func() { _ = os.RemoveAll(dir) }()
		pluginDir = dir
		build := exec.Command("go", "build", "-o", filepath.Join(dir, "testplugin"), "./testplugin")
		if out, err := build.CombinedOutput(); err != nil {
			panic(fmt.Sprintf("%v: %s", err, out))
		}
		return m.Run()
	}())
}

func beHub(how string) {
	r, err := New(Options{Dirs: []string{pluginDir}, noDeathSignal: how == "pipe"}, []Config{config("one")})
	if err != nil {
		panic(err)
	}
	if err := r.Start(context.Background()); err != nil {
		panic(err)
	}
	p, _ := r.Get("one")
	fmt.Println(p.State().Pid, r.options.RunDir)
	select {}
}

func config(name string) Config {
	return Config{Name: name, Plugin: "testplugin", Settings: sdk.Settings{"secret_key": secret, "publishable_key": "pk_1"}}
}

// buffer is a log that is written and read at once.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// start starts a registry with one provider, "one", that is stopped after the
// test. Its log never may hold the secret.
func start(t testing.TB, o Options, c Config) (*Registry, *Provider, *buffer) {
	t.Helper()
	log := &buffer{}
	if o.Logger == nil {
		o.Logger = slog.New(slog.NewJSONHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	if o.Dirs == nil {
		o.Dirs = []string{pluginDir}
	}
	r, err := New(o, []Config{c})
	require.NoError(t, err)
	require.NoError(t, r.Start(t.Context()))
	t.Cleanup(func() {
		r.Stop(context.Background())
		require.NotContains(t, log.String(), secret)
	})
	p, ok := r.Get(c.Name)
	require.True(t, ok)
	return r, p, log
}

func startUp(t testing.TB, o Options) (*Registry, *Provider, *buffer) {
	t.Helper()
	r, p, log := start(t, o, config("one"))
	require.Equal(t, StatusUp, p.State().Status, p.State().Reason)
	return r, p, log
}

// ask makes the plugin do what the flow says.
func ask(ctx context.Context, p *Provider, flow string) (*sdk.Payment, error) {
	return p.CreateCheckout(ctx, sdk.CheckoutRequest{Flow: flow, AttemptID: "att_1"})
}

func eventually(t testing.TB, within time.Duration, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(within); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within %s: %s", within, what)
		}
	}
}

// gone reports whether no process has that id; one that only waits to be
// collected is gone.
func gone(pid int) bool {
	if err := syscall.Kill(pid, 0); err != nil {
		return true
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && bytes.Contains(stat, []byte(") Z "))
}

func kill(t testing.TB, pid int, signal syscall.Signal) {
	t.Helper()
	require.NotZero(t, pid)
	require.NoError(t, syscall.Kill(pid, signal))
}
