// Package process runs programs that do not outlive the one that started them.
package process

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// outputGrace is how long the output of a dead process is read on. It ends by
// itself unless something that the process started holds it open.
const outputGrace = time.Second

// Process is a running program in a process group of its own, so that Ctrl-C
// in a terminal reaches only whoever started it, who ends it in order.
type Process struct {
	cmd  *exec.Cmd
	done chan struct{}
	err  error
}

// Start runs the command. On Linux the kernel kills it when we die, however we
// die. It ties that to the thread that forked, and Go ends idle threads: so
// the thread is kept until the process has ended.
func Start(cmd *exec.Cmd) (*Process, error) {
	Isolate(cmd)
	cmd.WaitDelay = outputGrace
	p := &Process{cmd: cmd, done: make(chan struct{})}
	started := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with this goroutine
		err := cmd.Start()
		started <- err
		if err != nil {
			return
		}
		if p.err = cmd.Wait(); p.err == nil {
			p.err = errors.New(cmd.ProcessState.String())
		}
		KillGroup(cmd.Process) // whatever it started and left
		close(p.done)
	}()
	return p, <-started
}

// Pid is the process id.
func (p *Process) Pid() int { return p.cmd.Process.Pid }

// Done is closed when the process has ended and its output was read.
func (p *Process) Done() <-chan struct{} { return p.done }

// Err says how the process ended; call it after Done.
func (p *Process) Err() error { return p.err }

// Stop asks the process to end, and kills it when the context ends first.
func (p *Process) Stop(ctx context.Context) error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.Kill() // gone already, or a system without signals
		return nil
	}
	select {
	case <-p.done:
		return nil
	case <-ctx.Done():
		p.Kill()
		return fmt.Errorf("killed, for it took too long: %w", ctx.Err())
	}
}

// Kill ends the process and its group at once, and returns when it is gone.
func (p *Process) Kill() {
	select {
	case <-p.done:
		return
	default:
	}
	KillGroup(p.cmd.Process)
	<-p.done
}
