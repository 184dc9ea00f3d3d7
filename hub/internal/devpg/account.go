package devpg

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// account is the unprivileged user that runs PostgreSQL when the hub is root, for PostgreSQL refuses
// to run as root. A nil account means: as ourselves.
type account struct {
	name     string
	uid, gid int
}

// give makes a file or folder the account's own.
func (a *account) give(path string) error {
	if a == nil {
		return nil
	}
	return os.Chown(path, a.uid, a.gid)
}

// canReach checks that the account may enter dir and everything above it. Without this, the failure
// would be a bare "permission denied" from fork.
func (a *account) canReach(dir string) error {
	if a == nil {
		return nil
	}
	real, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return err
	}
	for at := real; ; at = filepath.Dir(at) {
		info, err := os.Stat(at)
		if err != nil {
			return err
		}
		if !a.mayEnter(info) {
			return fmt.Errorf("user %s, who runs PostgreSQL because the hub is root, may not enter %s (mode %04o): "+
				"choose a data folder elsewhere, such as %s, or `chmod o+x %s`, or start the hub as an ordinary user",
				a.name, at, info.Mode().Perm(), DefaultDir(), at)
		}
		if at == filepath.Dir(at) {
			return nil
		}
	}
}

// command prepares a PostgreSQL program run as the account. It gets no more of our environment than
// it needs: the hub's holds secrets, and PG* variables would change what the programs do.
func command(ctx context.Context, as *account, program string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = filepath.VolumeName(program) + string(filepath.Separator) // the current folder may be closed to the account
	cmd.Env = []string{"LC_ALL=C", "TZ=UTC"}
	for _, name := range []string{"PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "TMPDIR", "TEMP", "TMP", "SystemRoot"} {
		if value, ok := os.LookupEnv(name); ok {
			cmd.Env = append(cmd.Env, name+"="+value)
		}
	}
	runAs(cmd, as)
	return cmd
}

var errNoAccount = errors.New("PostgreSQL does not run as root, and there is neither a user postgres nor nobody to run it: " +
	"start the hub as an ordinary user, or set HUB_DATABASE_URL")
