package devpg

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
)

// files is a cluster's home and names what lies in it.
type files string

func (f files) data() string         { return filepath.Join(string(f), "data") }
func (f files) newData() string      { return filepath.Join(string(f), "data.new") }
func (f files) pid() string          { return filepath.Join(f.data(), "postmaster.pid") }
func (f files) passwordFile() string { return filepath.Join(string(f), "password") }
func (f files) portFile() string     { return filepath.Join(string(f), "port") }
func (f files) lock() string         { return filepath.Join(string(f), "owner.lock") }
func (f files) log() string          { return filepath.Join(string(f), "postgres.log") }

// make makes the home. Another user who is to run the server must get through it; all that is
// secret in it has a mode of its own.
func (f files) make(as *account) error {
	mode := os.FileMode(0o700)
	if as != nil {
		mode = 0o755
	}
	if err := os.MkdirAll(string(f), mode); err != nil {
		return err
	}
	return as.canReach(string(f))
}

// major is the version that made the data, 0 if there are none yet.
func (f files) major() (int, error) {
	if _, err := os.Lstat(f.data()); errors.Is(err, os.ErrNotExist) {
		return 0, nil
	}
	text, err := os.ReadFile(filepath.Join(f.data(), "PG_VERSION"))
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return 0, fmt.Errorf("%s is there but holds no PostgreSQL data: move it away", f.data())
	}
	if err != nil {
		return 0, err
	}
	major, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return 0, fmt.Errorf("%s does not name a version this hub knows: %w", filepath.Join(f.data(), "PG_VERSION"), err)
	}
	return major, nil
}

func (f files) password() (string, error) {
	text, err := os.ReadFile(f.passwordFile())
	return strings.TrimSpace(string(text)), err
}

// postmaster is the process that last served the data, 0 if it ended properly.
func (f files) postmaster() int {
	text, _ := os.ReadFile(f.pid())
	line, _, _ := strings.Cut(string(text), "\n")
	pid, _ := strconv.Atoi(strings.TrimSpace(line))
	return max(pid, 0)
}

// port gives the port of last time, so that addresses survive a restart, or a free one if that is taken.
func (f files) port() (int, error) {
	text, err := os.ReadFile(f.portFile())
	if err == nil {
		port, err := strconv.Atoi(strings.TrimSpace(string(text)))
		if err == nil && port > 0 && Free(port) == nil {
			return port, nil
		}
	}
	port, err := FreePort()
	if err != nil {
		return 0, err
	}
	return port, os.WriteFile(f.portFile(), []byte(strconv.Itoa(port)+"\n"), 0o644)
}

// initdb makes the cluster beside its final place and renames it: "data" is a whole cluster or is not there.
func (s *Server) initdb(ctx context.Context) error {
	if err := os.WriteFile(s.files.passwordFile(), []byte(rand.Text()+"\n"), 0o600); err != nil {
		return err
	}
	// What an interrupted initdb left has never been started, so it holds nothing of anybody's.
	if err := os.RemoveAll(s.files.newData()); err != nil {
		return err
	}
	if err := os.Mkdir(s.files.newData(), 0o700); err != nil {
		return err
	}
	for _, path := range []string{s.files.passwordFile(), s.files.newData()} {
		if err := s.as.give(path); err != nil {
			return err
		}
	}
	args := []string{
		"--pgdata=" + s.files.newData(), "--username=superpay", "--pwfile=" + s.files.passwordFile(), "--auth=scram-sha-256",
		"--encoding=UTF8", "--locale=C", "--data-checksums",
	}
	if s.opts.Unsafe {
		args = append(args, "--no-sync")
	}
	cmd := command(ctx, s.as, s.bin.path("initdb"), args...)
	dieWithParent(cmd) // lest it goes on writing while the next owner begins anew
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w:\n%s", err, out)
	}
	return os.Rename(s.files.newData(), s.files.data())
}

const (
	maxLog  = 16 << 20 // a log larger than this is set aside at the next start, replacing the one before
	tailLen = 4 << 10  // how much of the log an error shows
)

// openLog opens the server's log for appending and tells where this start's lines begin.
func (f files) openLog() (*os.File, int64, error) {
	if info, err := os.Stat(f.log()); err == nil && info.Size() > maxLog {
		if err := os.Rename(f.log(), f.log()+".old"); err != nil {
			return nil, 0, err
		}
	}
	log, err := os.OpenFile(f.log(), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, 0, err
	}
	at, err := log.Seek(0, io.SeekEnd)
	return log, at, err
}

// logTail reads the end of the log, but nothing before from.
func (f files) logTail(from int64) string {
	log, err := os.Open(f.log())
	if err != nil {
		return err.Error()
	}
	defer log.Close()
	if info, err := log.Stat(); err == nil {
		from = max(from, info.Size()-tailLen)
	}
	text := make([]byte, tailLen)
	n, _ := log.ReadAt(text, from) // io.EOF is the rule
	return strings.TrimSpace(string(text[:n]))
}
