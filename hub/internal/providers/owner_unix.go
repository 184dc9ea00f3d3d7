//go:build unix

package providers

import (
	"os"
	"syscall"
)

// ours reports whether a file belongs to this process's user.
func ours(file os.FileInfo) bool {
	stat, ok := file.Sys().(*syscall.Stat_t)
	return ok && int(stat.Uid) == os.Getuid()
}
