package providers

import (
	"os"
	"os/exec"
	"syscall"
)

// isolate gives the plugin its own process group, so that a terminal's Ctrl-C
// does not reach it, and has the kernel kill it when the hub dies.
func isolate(cmd *exec.Cmd, deathSignal bool) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if deathSignal {
		cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
	}
}

// killGroup ends the plugin and whatever it started.
func killGroup(p *os.Process) { _ = syscall.Kill(-p.Pid, syscall.SIGKILL) }
