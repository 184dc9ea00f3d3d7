package chaos

import (
	"errors"
	"os"
	"syscall"
	"time"
)

// newerCrashes are those that were added later: see drawMore.
var newerCrashes = []crash{
	{"hub frozen past its leases", (*campaign).freezeHub},
	{"provider host silent", (*campaign).silenceProviders},
	{"database host silent", (*campaign).silenceDatabase},
}

const (
	frozenTime = 13 * time.Second // longer than the leases of a hub's work, 11.5 s at this timeout of calls
	silentTime = 4 * time.Second  // longer than a call of a provider may take
)

// freezeHub stops a hub and its plugins as a paused virtual machine is, and
// continues it when others have taken over its work.
func (c *campaign) freezeHub(o *order) error {
	return c.freeze(c.house.Pids()[hubName(o.n%hubs)], frozenTime)
}

// silenceProviders stops the sandbox: connections are taken, and nothing is
// ever answered, until it continues.
func (c *campaign) silenceProviders(*order) error {
	return c.freeze(c.house.Pids()["sandbox"], silentTime)
}

// silenceDatabase has the database's host vanish: nobody closes its
// connections. Then it comes back as a host does that lost its power.
func (c *campaign) silenceDatabase(*order) error {
	err := c.freeze(c.house.Pids()["postgres"], silentTime)
	return errors.Join(err, c.house.RestartPostgres(c.ctx))
}

// freeze stops a process and its children for a while.
func (c *campaign) freeze(pid int, during time.Duration) error {
	if pid == 0 {
		return nil // it is down as it is
	}
	all := append([]int{pid}, childrenOf(pid)...)
	err := signal(all, syscall.SIGSTOP)
	select {
	case <-time.After(during):
	case <-c.ctx.Done():
	}
	return errors.Join(err, signal(all, syscall.SIGCONT))
}

// signal reaches all of the processes that have not ended.
func signal(pids []int, s syscall.Signal) (err error) {
	for _, pid := range pids {
		failed := syscall.Kill(pid, s)
		if failed != nil && !errors.Is(failed, os.ErrProcessDone) && !errors.Is(failed, syscall.ESRCH) {
			err = errors.Join(err, failed)
		}
	}
	return err
}
