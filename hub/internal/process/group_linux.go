package process

import (
	"os"
	"os/exec"
	"syscall"
)

// Isolate gives the command its own process group and has the kernel kill it
// when the forking thread ends.
func Isolate(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// KillGroup ends the process and whatever it started.
func KillGroup(p *os.Process) { _ = syscall.Kill(-p.Pid, syscall.SIGKILL) }
