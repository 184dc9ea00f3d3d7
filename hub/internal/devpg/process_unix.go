//go:build unix

package devpg

import (
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"syscall"
)

// chooseAccount picks who runs PostgreSQL: we ourselves unless we are root; then the owner of existing
// data (the choice must not change when a package is installed later), else postgres, else nobody.
func chooseAccount(data string) (*account, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	if info, err := os.Stat(data); err == nil {
		if owner := info.Sys().(*syscall.Stat_t); owner.Uid != 0 {
			name := strconv.Itoa(int(owner.Uid))
			if known, err := user.LookupId(name); err == nil {
				name = known.Username
			}
			return &account{name: name, uid: int(owner.Uid), gid: int(owner.Gid)}, nil
		}
	}
	for _, name := range []string{"postgres", "nobody"} {
		known, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, errUID := strconv.Atoi(known.Uid)
		gid, errGID := strconv.Atoi(known.Gid)
		if errUID == nil && errGID == nil {
			return &account{name: name, uid: uid, gid: gid}, nil
		}
	}
	return nil, errNoAccount
}

func (a *account) mayEnter(info os.FileInfo) bool {
	owner := info.Sys().(*syscall.Stat_t)
	switch {
	case int(owner.Uid) == a.uid:
		return info.Mode()&0o100 != 0
	case int(owner.Gid) == a.gid:
		return info.Mode()&0o010 != 0
	default:
		return info.Mode()&0o001 != 0
	}
}

func runAs(cmd *exec.Cmd, as *account) {
	cmd.SysProcAttr = &syscall.SysProcAttr{}
	if as != nil {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(as.uid), Gid: uint32(as.gid)}
	}
}

// detach gives the server a process group of its own, so that Ctrl-C in a terminal reaches the hub
// alone, which drains before it stops its database.
func detach(cmd *exec.Cmd) {
	cmd.SysProcAttr.Setpgid = true
	dieWithParent(cmd)
}

func alive(pid int) bool {
	err := syscall.Kill(pid, 0)
	return err == nil || err == syscall.EPERM
}
