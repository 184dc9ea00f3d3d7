//go:build unix

package pgtest

import (
	"os"
	"os/exec"
	"syscall"
)

// ownSession keeps Ctrl-C in the tests' terminal from the keeper, which ends in order on its own.
func ownSession(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} }

func ours(info os.FileInfo) bool {
	return int(info.Sys().(*syscall.Stat_t).Uid) == os.Geteuid()
}
