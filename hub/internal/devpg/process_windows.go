package devpg

import (
	"os"
	"os/exec"
	"syscall"
)

// There is no root on Windows, so nobody else to run the server as.
func chooseAccount(string) (*account, error) { return nil, nil }

func (*account) mayEnter(os.FileInfo) bool { return true }

func runAs(*exec.Cmd, *account) {}

func detach(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}
}

// dieWithParent has no counterpart here: the next Start stops a server that outlived its hub.
func dieWithParent(*exec.Cmd) {}

func alive(pid int) bool {
	process, err := os.FindProcess(pid)
	if err != nil {
		return false
	}
	_ = process.Release()
	return true
}

// isPostmaster trusts the pid file: pg_ctl stops a server through its own pipe, so nothing else is hit.
func isPostmaster(int, string) bool { return true }

func killTree(postmaster int) {
	if process, err := os.FindProcess(postmaster); err == nil {
		_ = process.Kill()
	}
}
