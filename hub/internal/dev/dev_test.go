package dev

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/hub/internal/devpg"
	"github.com/superpayhub/superpay/hub/internal/devpg/pgtest"
)

var binDir string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "superpay-bin-")
	if err == nil {
		binDir, err = Build(dir, false)
	}
	code := 1
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	} else {
		code = m.Run()
	}
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// command is `hub dev` on a folder, as a newcomer runs it.
type command struct {
	*exec.Cmd
	dir  string
	out  *output
	done chan error
}

func hubDev(t *testing.T, dir string) *command {
	t.Helper()
	c := &command{Cmd: exec.Command(filepath.Join(binDir, "hub"), "dev"), dir: dir, out: &output{}, done: make(chan error, 1)}
	c.Env = append(os.Environ(), "DATA_DIR="+dir, "PORT=0", "HUB_DATABASE_URL=", "STRIPE_SECRET_KEY=", "STRIPE_WEBHOOK_SECRET=",
		"HUB_PROVIDERS__SPARE__PLUGIN=stripe", "HUB_PROVIDERS__SPARE__DISABLED=true")
	c.Stdout, c.Stderr = c.out, c.out
	require.NoError(t, c.Start())
	go func() { c.done <- c.Wait() }()
	t.Cleanup(func() { _ = c.Process.Kill() })
	return c
}

// up waits for dev.json.
func (c *command) up(t *testing.T) Info {
	t.Helper()
	var info Info
	deadline := time.Now().Add(2 * time.Minute)
	for time.Now().Before(deadline) {
		if text, err := os.ReadFile(filepath.Join(c.dir, "dev.json")); err == nil {
			require.NoError(t, json.Unmarshal(text, &info))
			return info
		}
		select {
		case err := <-c.done:
			t.Fatalf("hub dev ended: %v\n%s", err, c.out)
		case <-time.After(50 * time.Millisecond):
		}
	}
	t.Fatalf("hub dev is not up:\n%s", c.out)
	return info
}

// ended waits until it is over, all its processes included.
func (c *command) ended(t *testing.T, family []int) error {
	t.Helper()
	var err error
	select {
	case err = <-c.done:
	case <-time.After(10 * time.Second):
		t.Fatalf("hub dev did not end within 10 s:\n%s", c.out)
	}
	require.Eventually(t, func() bool { return len(living(family)) == 0 }, 30*time.Second, 20*time.Millisecond,
		"processes are left: %v of %v", living(family), family)
	return err
}

// folder is one that PostgreSQL's user may enter if the tests run as root.
func folder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "superpay-dev-")
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	require.NoError(t, os.Chmod(dir, 0o755))
	return dir
}

func TestHubDev_StandsUpIsAloneAndLeavesNothing(t *testing.T) {
	t.Parallel()
	c := hubDev(t, folder(t))
	info := c.up(t)
	require.Equal(t, c.Process.Pid, info.Pid)
	for _, url := range []string{info.BaseURL + "/readyz", info.BaseURL + "/docs", info.ShopURL + "/", info.SandboxURL + "/stripe/dashboard"} {
		require.Equal(t, http.StatusOK, status(url, ""), url)
	}
	require.Equal(t, http.StatusOK, status(info.BaseURL+"/v1/providers", info.APIKey))
	require.Eventually(t, func() bool { return strings.Contains(c.out.String(), "4242 4242 4242 4242") }, time.Second, 10*time.Millisecond)
	require.Contains(t, c.out.String(), info.ShopURL)
	for _, name := range []string{"dev.json", "environment.json", "keys.json"} {
		stat, err := os.Stat(filepath.Join(c.dir, name))
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), stat.Mode().Perm(), name)
	}

	beside := exec.CommandContext(t.Context(), filepath.Join(binDir, "hub"), "--dev", "provider", "list")
	beside.Env = append(os.Environ(), "DATA_DIR="+c.dir, "HUB_PROVIDERS__NOT_THERE__PLUGIN=stripe")
	list, err := beside.CombinedOutput()
	require.NoError(t, err, "%s", list)
	require.Regexp(t, `(?m)^spare +stripe +disabled`, string(list), "it was set in the environment of hub dev")
	require.NotContains(t, string(list), "not_there", "it was set in the command's own")

	second := hubDev(t, c.dir)
	require.Error(t, <-second.done)
	require.Contains(t, second.out.String(), fmt.Sprintf("process %d runs on the data folder", c.Process.Pid))
	require.FileExists(t, filepath.Join(c.dir, "dev.json"), "the second one touched nothing")

	family := descendants(t, c.Process.Pid)
	require.GreaterOrEqual(t, len(family), 5, "PostgreSQL, sandbox, hub, its plugin, shop: %v", family)
	require.NoError(t, c.Process.Signal(syscall.SIGINT))
	require.NoError(t, c.ended(t, family), c.out.String())
	require.NoFileExists(t, filepath.Join(c.dir, "dev.json"))
	require.NoFileExists(t, filepath.Join(c.dir, "environment.json"))

	again := hubDev(t, c.dir)
	require.Equal(t, info.APIKey, again.up(t).APIKey, "keys are kept")
	family = descendants(t, again.Process.Pid)
	require.NoError(t, again.Process.Signal(syscall.SIGTERM))
	require.NoError(t, again.ended(t, family), again.out.String())
}

func TestHubDev_NamesWhatDiedAndStopsAll(t *testing.T) {
	t.Parallel()
	c := hubDev(t, folder(t))
	c.up(t)
	family := descendants(t, c.Process.Pid)
	out, err := exec.Command("ps", "-o", "pid=,args=", "-p", strings.Trim(fmt.Sprint(family), "[]")).Output()
	require.NoError(t, err)
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, filepath.Join(binDir, "sandbox")) {
			pid, err := strconv.Atoi(strings.Fields(line)[0])
			require.NoError(t, err)
			require.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
		}
	}
	require.Error(t, c.ended(t, family))
	require.Contains(t, c.out.String(), "sandbox ended by itself: signal: killed")
}

func TestHubDev_PortInUseIsTold(t *testing.T) {
	t.Parallel()
	port, err := devpg.FreePort()
	require.NoError(t, err)
	taken, err := net.Listen("tcp", local(port))
	require.NoError(t, err)
	defer taken.Close()
	_, err = Start(t.Context(), Options{BinDir: binDir, DataDir: t.TempDir(), Port: port, DatabaseURL: "postgres://127.0.0.1:1/none"})
	require.ErrorContains(t, err, fmt.Sprintf("port %d cannot be used: stop what listens there, or set PORT", port))
}

func TestHouse_HubsCanBeKilledAndStarted(t *testing.T) {
	t.Parallel()
	said := &output{}
	h, err := Start(t.Context(), Options{
		BinDir: binDir, DataDir: t.TempDir(), DatabaseURL: pgtest.New(t), Hubs: 2, Shop: true, BasePath: "/superpay",
		TimeScale: 10, CallTimeout: 3 * time.Second, LogWriter: said, Env: []string{"HUB_LOG__LEVEL=debug"},
	})
	require.NoError(t, err, said.String())
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		require.NoError(t, h.Stop(ctx))
	})
	require.Equal(t, http.StatusOK, status(h.BaseURLs[1]+"/v1/providers", h.APIKey))
	before := h.Pids()
	require.Len(t, before, 4)
	family := descendants(t, before["hub0"])
	require.NotEmpty(t, family, "its plugin")

	h.KillHub(0)
	require.NotEqual(t, http.StatusOK, status(h.BaseURLs[0]+"/readyz", ""))
	require.Equal(t, http.StatusOK, status(h.BaseURLs[1]+"/readyz", ""))
	require.Eventually(t, func() bool { return len(living(family)) == 0 }, 2*time.Second, 20*time.Millisecond, "its plugin is left")
	require.NotContains(t, h.Pids(), "hub0")

	require.NoError(t, h.StartHub(t.Context(), 0))
	require.Equal(t, http.StatusOK, status(h.BaseURLs[0]+"/v1/providers", h.APIKey))
	require.NotEqual(t, before["hub0"], h.Pids()["hub0"])
	require.NoError(t, h.StopHub(t.Context(), 0))
	require.Contains(t, said.String(), "hub0 | ")
	require.Contains(t, said.String(), "the hub has stopped")
	select {
	case err := <-h.Died():
		t.Fatalf("a wanted end was taken for a death: %v", err)
	default:
	}
	for _, secret := range []string{h.APIKey, h.EncryptionKey, h.WebhookSecret} {
		require.NotContains(t, said.String(), secret)
	}
}

func TestHouse_FailedStartLeavesNothing(t *testing.T) {
	t.Parallel()
	said, dir := &output{}, t.TempDir()
	o := Options{BinDir: binDir, DataDir: dir, DatabaseURL: pgtest.New(t), LogWriter: said, Env: []string{"HUB_NONSENSE=1"}}
	_, err := Start(t.Context(), o)
	require.ErrorContains(t, err, "hub ended while it started")
	require.Contains(t, said.String(), "hub | hub: HUB_NONSENSE (nonsense) is not a setting")
	o.Env = nil
	h, err := Start(t.Context(), o)
	require.NoError(t, err, "the folder is free again")
	require.NoError(t, h.Stop(t.Context()))
}

func status(url, key string) int {
	r, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		return 0
	}
	r.Close = true
	if key != "" {
		r.Header.Set("Authorization", "Bearer "+key)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0
	}
	_ = answer.Body.Close()
	return answer.StatusCode
}

// descendants are the processes below one, at any depth.
func descendants(t *testing.T, root int) []int {
	t.Helper()
	out, err := exec.Command("ps", "-A", "-o", "pid=,ppid=").Output()
	require.NoError(t, err)
	children := map[string][]string{}
	for line := range strings.Lines(string(out)) {
		if f := strings.Fields(line); len(f) == 2 {
			children[f[1]] = append(children[f[1]], f[0])
		}
	}
	var all []int
	for next := children[strconv.Itoa(root)]; len(next) > 0; next = next[1:] {
		pid, err := strconv.Atoi(next[0])
		require.NoError(t, err)
		all = append(all, pid)
		next = append(next, children[next[0]]...)
	}
	return all
}

// living are those that still run; one that is dead but not yet reaped by
// whoever inherited it does not.
func living(pids []int) []int {
	var left []int
	for _, pid := range pids {
		state, _ := exec.Command("ps", "-o", "stat=", "-p", strconv.Itoa(pid)).Output()
		if len(state) > 0 && state[0] != 'Z' {
			left = append(left, pid)
		}
	}
	return left
}

// output is written by one process and read by the test.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}
