//go:build unix && !linux

package devpg

import (
	"os/exec"
	"strconv"
	"strings"
	"syscall"
)

// dieWithParent has no counterpart here: the next Start stops a server that outlived its hub.
func dieWithParent(*exec.Cmd) {}

func isPostmaster(pid int, _ string) bool {
	name, err := exec.Command("ps", "-o", "comm=", "-p", strconv.Itoa(pid)).Output()
	return err == nil && strings.Contains(string(name), "postgres")
}

// killTree kills the postmaster; its children see that within moments and end.
func killTree(postmaster int) { _ = syscall.Kill(-postmaster, syscall.SIGKILL) }
