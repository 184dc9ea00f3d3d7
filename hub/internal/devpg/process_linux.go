package devpg

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
)

// dieWithParent makes the kernel ask the server for a fast shutdown when we die, however we die. The
// kernel ties this to the forking thread, not to the process: see run, which keeps that thread.
func dieWithParent(cmd *exec.Cmd) { cmd.SysProcAttr.Pdeathsig = syscall.SIGINT }

// isPostmaster tells whether the process serves this data folder: a postmaster works inside it.
func isPostmaster(pid int, data string) bool {
	cwd, err := os.Stat(fmt.Sprintf("/proc/%d/cwd", pid))
	if err != nil {
		return false
	}
	here, err := os.Stat(data)
	return err == nil && os.SameFile(cwd, here)
}

// killTree kills the postmaster and all its children at once, as a power cut would. The children lead
// process groups of their own, so the parent is stopped first, lest it starts more while we look.
func killTree(postmaster int) {
	_ = syscall.Kill(postmaster, syscall.SIGSTOP)
	victims := childrenOf(postmaster)
	_ = syscall.Kill(-postmaster, syscall.SIGKILL)
	for _, pid := range victims {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
}

func childrenOf(parent int) []int {
	var children []int
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		stat, err := os.ReadFile(path)
		if err != nil {
			continue // it has just ended
		}
		// "pid (name) state ppid ...", and the name may hold anything, parentheses too.
		fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
		if len(fields) > 1 && string(fields[1]) == strconv.Itoa(parent) {
			if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path))); err == nil {
				children = append(children, pid)
			}
		}
	}
	return children
}
