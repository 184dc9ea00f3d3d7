package providers

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/superpayhub/superpay/sdk"
)

func TestNewNamesTheWrongProvider(t *testing.T) {
	for _, configs := range [][]Config{
		{{Name: "Stripe", Plugin: "stripe"}},
		{{Name: "1stripe", Plugin: "stripe"}},
		{{Name: "stripe", Plugin: "../stripe"}},
		{{Name: "stripe"}},
		{{Name: "stripe", Plugin: "stripe"}, {Name: "stripe", Plugin: "stripe"}},
	} {
		_, err := New(Options{}, configs)
		require.ErrorContains(t, err, configs[0].Name)
	}
}

func TestKilledInTheMiddleOfACall(t *testing.T) {
	r, p, _ := startUp(t, Options{})
	ups := make(chan string, 1)
	r.OnUp(func(name string) { ups <- name })
	pid := p.State().Pid
	ended := make(chan error, 1)
	go func() {
		_, err := ask(context.Background(), p, "hang")
		ended <- err
	}()
	time.Sleep(100 * time.Millisecond)
	kill(t, pid, syscall.SIGKILL)
	died := time.Now()
	require.Equal(t, "unknown", outcomeOf(<-ended))
	t.Logf("the call ended after %s", time.Since(died))
	require.Less(t, time.Since(died), 5*time.Second)

	eventually(t, time.Second, "the death is noticed", func() bool { return p.State().Pid != pid })
	require.Equal(t, "one", <-ups)
	t.Logf("back up after %s", time.Since(died))
	require.Less(t, time.Since(died), 5*time.Second)
	s := p.State()
	require.NotEqual(t, pid, s.Pid)
	require.Equal(t, 1, s.Restarts)
	require.Contains(t, s.LastError, "signal: killed")
	_, err := ask(t.Context(), p, "echo")
	require.NoError(t, err)
}

func TestDownSendsNothing(t *testing.T) {
	_, p, _ := startUp(t, Options{backoff: []time.Duration{time.Hour}})
	_, err := ask(t.Context(), p, "exit")
	require.Equal(t, "unknown", outcomeOf(err))
	eventually(t, time.Second, "down", func() bool { return !p.Up() })
	_, err = ask(t.Context(), p, "echo")
	requireNotSent(t, err, "provider one is down: process ended: exit status 3")
	_, err = p.HandleCallback(t.Context(), sdk.CallbackRequest{})
	requireNotSent(t, err, "provider one is down")
	require.NoError(t, p.Restart(t.Context()))
	require.True(t, p.Up())
}

func TestCrashesLeaveNothing(t *testing.T) {
	before := goleak.IgnoreCurrent()
	runDir, err := os.MkdirTemp("", "run-")
	require.NoError(t, err)
	defer func() { _ = os.RemoveAll(runDir) }()
	r, p, _ := startUp(t, Options{RunDir: runDir, backoff: []time.Duration{0}})
	var pids []int
	for range 12 {
		eventually(t, 2*time.Second, "up", p.Up)
		pid := p.State().Pid
		pids = append(pids, pid)
		kill(t, pid, syscall.SIGKILL)
		eventually(t, time.Second, "the death is noticed", func() bool { return p.State().Pid != pid })
	}
	eventually(t, 2*time.Second, "up", p.Up)
	pids = append(pids, p.State().Pid)
	require.Equal(t, 12, p.State().Restarts)
	r.Stop(t.Context())
	for _, pid := range pids {
		require.True(t, gone(pid))
	}
	left, err := os.ReadDir(runDir)
	require.NoError(t, err)
	require.Empty(t, left)
	goleak.VerifyNone(t, before)
}

func TestStopDrainsASlowCall(t *testing.T) {
	r, p, _ := startUp(t, Options{})
	pid := p.State().Pid
	ended := make(chan error, 1)
	go func() {
		_, err := ask(context.Background(), p, "sleep")
		ended <- err
	}()
	time.Sleep(50 * time.Millisecond)
	go func() {
		time.Sleep(50 * time.Millisecond)
		_, err := ask(context.Background(), p, "echo")
		ended <- err
	}()
	r.Stop(t.Context())
	requireNotSent(t, <-ended, "the hub is stopping")
	require.NoError(t, <-ended)
	require.True(t, gone(pid))
	require.NoDirExists(t, r.options.RunDir)
	require.Error(t, p.Restart(t.Context()))
}

func TestStopDoesNotWaitLongerThanItMay(t *testing.T) {
	r, p, _ := startUp(t, Options{})
	ended := make(chan error, 1)
	go func() {
		_, err := ask(context.Background(), p, "hang")
		ended <- err
	}()
	time.Sleep(50 * time.Millisecond)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	r.Stop(ctx)
	require.Equal(t, "unknown", outcomeOf(<-ended))
}

func TestHungPluginIsReplaced(t *testing.T) {
	_, p, _ := startUp(t, Options{healthEvery: 50 * time.Millisecond})
	pid := p.State().Pid
	kill(t, pid, syscall.SIGSTOP)
	eventually(t, 3*time.Second, "replaced", func() bool { return p.Up() && p.State().Pid != pid })
	require.Contains(t, p.State().LastError, "hung")
	require.True(t, gone(pid))
}

func TestMissingSecretIsDownWithItsReason(t *testing.T) {
	_, p, _ := start(t, Options{}, Config{Name: "one", Plugin: "testplugin"})
	require.Equal(t, StatusDown, p.State().Status)
	require.Equal(t, `setting "secret_key": is missing: set HUB_PROVIDERS__ONE__SETTINGS__SECRET_KEY`, p.State().Reason)
	_, err := ask(t.Context(), p, "echo")
	requireNotSent(t, err, "secret_key")
}

func TestAllThatIsWrongWithTheSettingsIsToldAtOnce(t *testing.T) {
	c := config("one")
	c.Settings = sdk.Settings{"secret_key": " ", "colour": "blue", "FOO": "never_told", "region": "never_told", "note": strings.Repeat("x", 101), "publishable_key": "never_told"}
	_, p, _ := start(t, Options{}, c)
	require.Equal(t, StatusDown, p.State().Status)
	reason := p.State().Reason
	require.Equal(t, `setting "FOO": is none of plugin testplugin: it has secret_key, publishable_key, region, note, hang_in_configure; `+
		`setting "colour": is none of plugin testplugin: it has secret_key, publishable_key, region, note, hang_in_configure; `+
		`setting "note": is longer than 100 bytes; `+
		`setting "publishable_key": must begin with pk_; `+
		`setting "region": must be one of eu, us; `+
		`setting "secret_key": is missing: set HUB_PROVIDERS__ONE__SETTINGS__SECRET_KEY`, reason)
}

// A provider that stays down is told of once, not at each try.
func TestTheSameReasonIsToldOnce(t *testing.T) {
	missing := Config{Name: "one", Plugin: "missing"}
	_, p, log := start(t, Options{backoff: []time.Duration{0}}, missing)
	require.Contains(t, p.State().Reason, "plugin missing is in none of the plugin folders ("+pluginDir+")")
	require.Contains(t, p.State().Reason, "set plugins.dir (HUB_PLUGINS__DIR)")
	told := func(level string) int {
		return strings.Count(log.String(), `"level":"`+level+`","msg":"provider is down"`)
	}
	eventually(t, 2*time.Second, "more tries", func() bool { return told("DEBUG") > 5 })
	require.Equal(t, 1, told("WARN"))

	_, p, log = startUp(t, Options{backoff: []time.Duration{0}})
	for range 2 { // each time that it was up in between is news
		eventually(t, 2*time.Second, "up", p.Up)
		pid := p.State().Pid
		kill(t, pid, syscall.SIGKILL)
		eventually(t, time.Second, "the death is noticed", func() bool { return p.State().Pid != pid })
	}
	require.Equal(t, 2, told("WARN"))
}

func TestAPluginThatCannotStartIsDown(t *testing.T) {
	dir := t.TempDir()
	script := func(name, text string) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o755))
	}
	script("quits", "#!/bin/sh\nexit 7\n")
	script("talks", "#!/bin/sh\necho hello\nsleep 60\n")
	script("sleeps", "#!/bin/sh\nsleep 60\n")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "plain"), []byte("text"), 0o644))
	for name, reason := range map[string]string{
		"missing": "is in none of the plugin folders", "plain": "permission denied", "quits": "exit status 7", "talks": "hello", "sleeps": "not ready in time",
	} {
		t.Run(name, func(t *testing.T) {
			began, patience := time.Now(), 10*time.Second
			if name == "sleeps" {
				patience = 200 * time.Millisecond
			}
			_, p, _ := start(t, Options{Dirs: []string{dir}, StartTimeout: patience}, Config{Name: "one", Plugin: name})
			require.Less(t, time.Since(began), 8*time.Second)
			require.Equal(t, StatusDown, p.State().Status)
			require.Contains(t, p.State().Reason, reason)
		})
	}
}

func TestAPluginThatHangsInConfigureIsDown(t *testing.T) {
	c := config("one")
	c.Settings["hang_in_configure"] = "yes"
	_, p, _ := start(t, Options{StartTimeout: 500 * time.Millisecond}, c)
	require.Contains(t, p.State().Reason, "not ready in time")
}

// TestStart_GoesOnWithoutOneThatHangs: calls of it are not sent, and those of the
// others are.
func TestStart_GoesOnWithoutOneThatHangs(t *testing.T) {
	hangs := config("hangs")
	hangs.Settings["hang_in_configure"] = "yes"
	r, err := New(Options{Dirs: []string{pluginDir}, StartWait: 2 * time.Second}, []Config{hangs, config("one")})
	require.NoError(t, err)
	t.Cleanup(func() { r.Stop(context.Background()) })
	began := time.Now()
	require.NoError(t, r.Start(t.Context()))
	require.Less(t, time.Since(began), 6*time.Second, "it is given up after ten")
	p, _ := r.Get("hangs")
	require.Equal(t, StatusStarting, p.State().Status)
	_, err = ask(t.Context(), p, "echo")
	requireNotSent(t, err, "not started yet")
	one, _ := r.Get("one")
	eventually(t, 10*time.Second, "the other is up", one.Up)
	_, err = ask(t.Context(), one, "echo")
	require.NoError(t, err)
}

func TestDisabledIsNotStarted(t *testing.T) {
	c := config("one")
	c.Disabled = true
	_, p, _ := start(t, Options{}, c)
	require.Equal(t, StatusDisabled, p.State().Status)
	_, err := ask(t.Context(), p, "echo")
	requireNotSent(t, err, "disabled")
	require.Error(t, p.Restart(t.Context()))
}

func TestChangedExecutableIsRefusedUntilAnOperatorRestarts(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "testplugin")
	good, err := os.ReadFile(filepath.Join(pluginDir, "testplugin"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, good, 0o755))
	_, p, _ := startUp(t, Options{Dirs: []string{dir}})

	require.NoError(t, os.WriteFile(path+".new", append(good, 0), 0o755))
	require.NoError(t, os.Rename(path+".new", path))
	kill(t, p.State().Pid, syscall.SIGKILL)
	eventually(t, time.Second, "refused", func() bool { return strings.Contains(p.State().Reason, "checksum differs") })
	require.NoError(t, p.Restart(t.Context()))
	require.True(t, p.Up())
}

// TestTakeNew_WhenItIsWholeAndComesUp: a plugin that was replaced on disk is taken
// without a call being refused; one that does not come up leaves the old one in place.
func TestTakeNew_WhenItIsWholeAndComesUp(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "testplugin")
	good, err := os.ReadFile(filepath.Join(pluginDir, "testplugin"))
	require.NoError(t, err)
	put := func(content []byte) {
		require.NoError(t, os.WriteFile(path+".new", content, 0o755))
		require.NoError(t, os.Rename(path+".new", path))
	}
	put(good)
	r, p, log := startUp(t, Options{Dirs: []string{dir}})
	first := p.State().Pid
	current := func() State {
		now, ok := r.Get("one")
		require.True(t, ok)
		return now.State()
	}
	for range 3 {
		r.TakeNew(t.Context(), true)
	}
	require.Equal(t, first, current().Pid, "nothing is new")

	put([]byte("#!/bin/sh\nexit 7\n"))
	r.TakeNew(t.Context(), true)
	require.Empty(t, current().Waits, "it may still be written")
	r.TakeNew(t.Context(), true)
	require.Equal(t, first, current().Pid)
	require.Contains(t, current().Waits, "was not taken: the settings were not taken")
	for range 3 {
		r.TakeNew(t.Context(), true)
	}
	require.Equal(t, 1, strings.Count(log.String(), "a new executable was not taken"), "it is tried once")

	put(append(good, 0))
	r.TakeNew(t.Context(), false)
	r.TakeNew(t.Context(), false)
	require.Equal(t, first, current().Pid)
	require.Contains(t, current().Waits, "restart the provider to take it")
	stop, asked := make(chan bool), make(chan error, 1)
	go func() {
		for {
			select {
			case <-stop:
				asked <- nil
				return
			default:
			}
			if _, err := ask(context.Background(), p, "echo"); err != nil {
				asked <- err
				return
			}
		}
	}()
	r.TakeNew(t.Context(), true)
	close(stop)
	require.NoError(t, <-asked)
	require.NotEqual(t, first, current().Pid)
	require.Equal(t, StatusUp, current().Status)
	require.Empty(t, current().Waits)
	eventually(t, 5*time.Second, "the old one has ended", func() bool { return gone(first) })

	now := time.Now().Add(time.Hour)
	require.NoError(t, os.Chtimes(path, now, now))
	pid := current().Pid
	for range 3 {
		r.TakeNew(t.Context(), true)
	}
	require.Equal(t, pid, current().Pid, "the same, touched")

	kill(t, pid, syscall.SIGKILL) // and it was replaced meanwhile
	put(good)
	eventually(t, 10*time.Second, "it is taken also when the old one has died", func() bool {
		r.TakeNew(t.Context(), true)
		return current().Status == StatusUp && current().Pid != pid
	})
}

func TestRestartGivesANewProcess(t *testing.T) {
	_, p, _ := startUp(t, Options{})
	pid := p.State().Pid
	require.NoError(t, p.Restart(t.Context()))
	require.NotEqual(t, pid, p.State().Pid)
	require.True(t, gone(pid))
}

func TestWhatAPluginStartedEndsWithIt(t *testing.T) {
	r, p, _ := startUp(t, Options{Env: []string{"PATH=" + os.Getenv("PATH")}})
	payment, err := ask(t.Context(), p, "child")
	require.NoError(t, err)
	child, err := strconv.Atoi(string(payment.Opaque))
	require.NoError(t, err)
	require.False(t, gone(child))
	r.Stop(t.Context())
	eventually(t, time.Second, "the plugin's child is gone", func() bool { return gone(child) })
}

func TestPluginDiesWithTheHub(t *testing.T) {
	for _, how := range []string{"signal", "pipe"} {
		t.Run(how, func(t *testing.T) {
			hub := exec.Command(os.Args[0])
			hub.Env = append(os.Environ(), hubEnv+"="+how, "SUPERPAY_TEST_PLUGINS="+pluginDir)
			out, err := hub.StdoutPipe()
			require.NoError(t, err)
			require.NoError(t, hub.Start())
			var pid int
			var runDir string
			_, err = fmt.Fscan(io.LimitReader(out, 1000), &pid, &runDir)
			require.NoError(t, err)
			defer func() { _ = os.RemoveAll(runDir) }()
			require.False(t, gone(pid))
			require.NoError(t, hub.Process.Kill())
			_ = hub.Wait()
			eventually(t, time.Second, "the plugin is gone", func() bool { return gone(pid) })
		})
	}
}
