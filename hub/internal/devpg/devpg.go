// Package devpg runs a private PostgreSQL in the background, so that one command is enough to stand
// the hub up. It finds installed programs (locate.go), makes a cluster in a folder of its own
// (cluster.go) and owns the server process (server.go). It downloads nothing.
//
// Promises: a data folder is never deleted; one owner at a time; the server listens on 127.0.0.1
// only, behind a random password; it ends with its owner, on Linux even if the owner is killed, and
// elsewhere the next Start stops what was left; a killed server recovers on the next Start.
package devpg

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/superpayhub/superpay/hub/internal/devpg/filelock"
)

// startTimeout bounds Start when its context has no deadline: initdb takes seconds, recovery may take more.
const startTimeout = 2 * time.Minute

// ErrOwned says that another running process owns the folder; the message names it.
var ErrOwned = errors.New("the PostgreSQL folder is in use")

// Options say where the cluster lives and how it runs. The zero value is a durable server in DefaultDir.
type Options struct {
	Dir            string       // the cluster's home, made if need be; default DefaultDir()/postgres
	Logger         *slog.Logger // default: says nothing. The server's own log is Dir/postgres.log
	MaxConnections int          // default 100
	Unsafe         bool         // for tests: no fsync, so fast, and lost if the machine (not the server) crashes
}

// DefaultDir is the folder for the hub's data: for root one that PostgreSQL's own user can reach,
// which root's home is not; else the user's XDG data folder.
func DefaultDir() string {
	if runtime.GOOS != "windows" && os.Geteuid() == 0 {
		return "/var/lib/superpay"
	}
	if dir := os.Getenv("XDG_DATA_HOME"); dir != "" {
		return filepath.Join(dir, "superpay")
	}
	home, _ := os.UserHomeDir()
	return filepath.Join(home, ".local", "share", "superpay")
}

// Start runs the cluster in opts.Dir, making it the first time, and returns when the database
// "superpay" answers. Stop it, or Kill it, even if it has ended by itself: only that frees the folder.
// The context bounds the start only; without a deadline it is two minutes.
// It returns ErrOwned while another process, or another Server of this one, holds the folder.
func Start(ctx context.Context, opts Options) (*Server, error) {
	if opts.Dir == "" {
		opts.Dir = filepath.Join(DefaultDir(), "postgres")
	}
	if opts.MaxConnections == 0 {
		opts.MaxConnections = 100
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	if _, has := ctx.Deadline(); !has {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, startTimeout)
		defer cancel()
	}
	dir, err := filepath.Abs(opts.Dir)
	if err != nil {
		return nil, fmt.Errorf("PostgreSQL folder: %w", err)
	}
	opts.Dir = dir

	s := &Server{opts: opts, files: files(dir)}
	if err := s.start(ctx); err != nil {
		if s.lock != nil {
			_ = s.lock.Close()
		}
		return nil, fmt.Errorf("start PostgreSQL in %s: %w", dir, err)
	}
	return s, nil
}

func (s *Server) start(ctx context.Context) (err error) {
	if s.as, err = chooseAccount(s.files.data()); err != nil {
		return err
	}
	if err = s.files.make(s.as); err != nil {
		return err
	}
	if s.lock, err = claim(s.files); err != nil {
		return err
	}
	major, err := s.files.major()
	if err != nil {
		return err
	}
	if s.bin, err = locate(ctx, major, s.as); err != nil {
		return err
	}
	if major == 0 {
		s.opts.Logger.Info("making a PostgreSQL cluster", "dir", s.opts.Dir, "version", s.bin.major)
		if err = s.initdb(ctx); err != nil {
			return err
		}
	}
	if s.password, err = s.files.password(); err != nil {
		return err
	}
	if err = s.stopLeftover(ctx); err != nil {
		return err
	}
	return s.launch(ctx)
}

// claim makes us the folder's one owner until the lock is closed or we die.
func claim(at files) (*filelock.Lock, error) {
	lock, err := filelock.Open(at.lock())
	if err != nil {
		return nil, err
	}
	err = lock.TryExclusive()
	if errors.Is(err, filelock.ErrHeld) {
		err = fmt.Errorf("%w by process %s: stop it, or choose another data folder", ErrOwned, lock.Note())
	}
	if err == nil {
		err = lock.SetNote(strconv.Itoa(os.Getpid()))
	}
	if err != nil {
		_ = lock.Close()
		return nil, err
	}
	return lock, nil
}

// stopLeftover ends a server that outlived its owner. We hold the folder's lock, so nobody needs it.
func (s *Server) stopLeftover(ctx context.Context) error {
	pid := s.files.postmaster()
	if pid == 0 || !alive(pid) {
		return nil // a stale pid file of a dead server is PostgreSQL's own business
	}
	if !isPostmaster(pid, s.files.data()) {
		// The pid now belongs to somebody else; PostgreSQL would take that for a running server.
		return os.Remove(s.files.pid())
	}
	s.opts.Logger.Warn("stopping a PostgreSQL that outlived its hub", "pid", pid)
	out, err := s.pgCtl(ctx, "stop", "-m", "fast", "-w").CombinedOutput()
	if err != nil && alive(pid) && isPostmaster(pid, s.files.data()) {
		return fmt.Errorf("stop the leftover PostgreSQL, process %d: %w: %s", pid, err, strings.TrimSpace(string(out)))
	}
	return nil
}
