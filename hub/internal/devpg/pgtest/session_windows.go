package pgtest

import (
	"os"
	"os/exec"
	"syscall"
)

func ownSession(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}
}

// ours: the temp folder is the user's own there.
func ours(os.FileInfo) bool { return true }
