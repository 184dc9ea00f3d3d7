package providers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
	pluginrunner "github.com/hashicorp/go-plugin/runner"
)

// pipeGrace is how long the output of a dead plugin is read on. It ends by
// itself unless a process that the plugin started holds it open.
const pipeGrace = time.Second

// runner starts a plugin's process for go-plugin. go-plugin's own runner knows
// no parent-death signal, hands the hub's standard input on, notices an exit
// only when all output is closed, and its log reader panics on a line whose
// "@message" is no string.
type runner struct {
	path        string
	env         []string
	log         io.Writer // receives the plugin's stderr
	deathSignal bool

	dir    string // go-plugin's folder for this process's socket
	cmd    *exec.Cmd
	stdin  io.Closer // its end tells the plugin that the hub is gone
	stdout io.ReadCloser
	stderr io.ReadCloser
	logged chan struct{} // closed when all of stderr was read
	exited chan struct{} // closed when the process has ended
	exit   error         // how, after exited

	mu      sync.Mutex
	running bool
	killed  bool
}

var _ pluginrunner.Runner = (*runner)(nil)

func newRunner(path string, env []string, log io.Writer, deathSignal bool) *runner {
	return &runner{
		path: path, env: env, log: log, deathSignal: deathSignal,
		logged: make(chan struct{}), exited: make(chan struct{}),
	}
}

// prepare is go-plugin's RunnerFunc: spec carries its environment.
func (r *runner) prepare(_ hclog.Logger, spec *exec.Cmd, dir string) (_ pluginrunner.Runner, err error) {
	r.dir = dir
	r.cmd = exec.Command(r.path)
	r.cmd.Env = append(r.env, spec.Env...)
	isolate(r.cmd, r.deathSignal)
	var errs [3]error
	r.stdin, errs[0] = r.cmd.StdinPipe()
	r.stdout, errs[1] = r.cmd.StdoutPipe()
	r.stderr, errs[2] = r.cmd.StderrPipe()
	return r, errors.Join(errs[:]...)
}

// Start implements go-plugin's Runner. Linux ties the parent-death signal to
// the thread that forked, so that thread is kept until the child has ended.
func (r *runner) Start(context.Context) error {
	started := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		if err := r.fork(); err != nil {
			started <- err
			return
		}
		go r.readLog()
		started <- nil
		r.reap()
	}()
	return <-started
}

func (r *runner) fork() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.killed {
		return errors.New("ended before it was started")
	}
	if err := r.cmd.Start(); err != nil {
		return err
	}
	r.running = true
	return nil
}

// reap waits for the end, and ends what the process may have started itself.
func (r *runner) reap() {
	state, err := r.cmd.Process.Wait()
	r.mu.Lock()
	r.running = false
	killGroup(r.cmd.Process)
	r.mu.Unlock()
	if r.exit = err; err == nil {
		r.exit = errors.New(state.String())
	}
	close(r.exited)
	_ = r.stdin.Close()
	time.AfterFunc(pipeGrace, r.closeOutput)
}

func (r *runner) readLog() {
	defer close(r.logged)
	_, _ = io.Copy(r.log, r.stderr)
}

func (r *runner) closeOutput() {
	_ = r.stdout.Close()
	_ = r.stderr.Close()
}

// kill ends the process and all it started, at once. It may be called at any
// time; before the start it prevents it.
func (r *runner) kill() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.killed = true
	if r.running {
		killGroup(r.cmd.Process)
	}
}

// cause says how the process ended; call it after exited.
func (r *runner) cause() error { return fmt.Errorf("process ended: %w", r.exit) }

func (r *runner) pid() int {
	if r.cmd == nil || r.cmd.Process == nil {
		return 0
	}
	return r.cmd.Process.Pid
}

// Wait implements go-plugin's Runner; it comes after all of stdout was read.
func (r *runner) Wait(context.Context) error {
	<-r.exited
	<-r.logged
	r.closeOutput()
	return nil
}

// Kill implements go-plugin's Runner.
func (r *runner) Kill(context.Context) error {
	r.kill()
	return nil
}

// ID implements go-plugin's Runner: empty means that there is nothing to end.
func (r *runner) ID() string {
	if pid := r.pid(); pid != 0 {
		return strconv.Itoa(pid)
	}
	return ""
}

// Name implements go-plugin's Runner.
func (r *runner) Name() string { return r.path }

// Stdout implements go-plugin's Runner: the handshake.
func (r *runner) Stdout() io.ReadCloser { return r.stdout }

// Stderr implements go-plugin's Runner: empty, as readLog reads it.
func (r *runner) Stderr() io.ReadCloser { return io.NopCloser(strings.NewReader("")) }

// Diagnose implements go-plugin's Runner.
func (r *runner) Diagnose(context.Context) string {
	if _, err := os.Stat(r.path); err != nil {
		return err.Error()
	}
	return ""
}

// PluginToHost implements go-plugin's Runner: both share the file system.
func (r *runner) PluginToHost(network, address string) (string, string, error) {
	return network, address, nil
}

// HostToPlugin implements go-plugin's Runner.
func (r *runner) HostToPlugin(network, address string) (string, string, error) {
	return network, address, nil
}
