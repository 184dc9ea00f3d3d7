//go:build unix && !linux

package providers

import (
	"os"
	"os/exec"
	"syscall"
)

// isolate gives the plugin its own process group, so that a terminal's Ctrl-C
// does not reach it. The hub's death it notices by its standard input.
func isolate(cmd *exec.Cmd, _ bool) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
}

// killGroup ends the plugin and whatever it started.
func killGroup(p *os.Process) { _ = syscall.Kill(-p.Pid, syscall.SIGKILL) }
