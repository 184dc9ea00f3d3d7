//go:build !unix

package process

import (
	"os"
	"os/exec"
)

// Isolate does nothing here.
func Isolate(*exec.Cmd) {}

// KillGroup ends the process.
func KillGroup(p *os.Process) { _ = p.Kill() }
