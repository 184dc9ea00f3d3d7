package devpg

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/lib/pq"

	"github.com/superpayhub/superpay/hub/internal/devpg/filelock"
)

// How long a server that failed to start has to shut down by itself, and between looks at its state.
const (
	abortGrace = 5 * time.Second
	pollEvery  = 20 * time.Millisecond
)

// Server is a running PostgreSQL. Its methods may be called from several goroutines.
type Server struct {
	opts     Options
	files    files
	as       *account
	bin      binaries
	lock     *filelock.Lock
	password string
	port     int

	cmd     *exec.Cmd
	exited  chan struct{} // closed when the postmaster is gone
	logFrom int64         // where its lines begin in the log
	release sync.Once
}

// URL is the address of the database "superpay", with the password of its owner, a superuser.
func (s *Server) URL() string { return s.database("superpay") }

// Dir is the cluster's home: Start with it again after Stop or Kill.
func (s *Server) Dir() string { return s.opts.Dir }

// Pid is the postmaster's process id.
func (s *Server) Pid() int { return s.cmd.Process.Pid }

// Done is closed when the server has ended, for whatever reason.
func (s *Server) Done() <-chan struct{} { return s.exited }

// Stop is a fast shutdown: it breaks off connections, writes everything out and returns when the
// process is gone. If the context ends first the server is killed, which loses nothing but makes the
// next start recover. Repeating it is harmless.
func (s *Server) Stop(ctx context.Context) error {
	s.interrupt()
	var err error
	select {
	case <-s.exited:
	case <-ctx.Done():
		err = fmt.Errorf("stop PostgreSQL: killed it, for it took too long: %w", ctx.Err())
	}
	s.Kill()
	return err
}

// Kill ends the postmaster and all its children with SIGKILL, as a crash would, and frees the folder.
func (s *Server) Kill() {
	select {
	case <-s.exited:
	default:
		killTree(s.Pid())
		<-s.exited
	}
	s.release.Do(func() { _ = s.lock.Close() })
}

func (s *Server) database(name string) string {
	address := url.URL{
		Scheme: "postgres", User: url.UserPassword("superpay", s.password),
		Host: "127.0.0.1:" + strconv.Itoa(s.port), Path: "/" + name, RawQuery: "sslmode=disable",
	}
	return address.String()
}

// launch starts the server, again if what stood in the way passes by itself, and waits until it answers.
func (s *Server) launch(ctx context.Context) error {
	for {
		err := s.launchOnce(ctx)
		if err == nil || !passing(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(5 * pollEvery):
		}
	}
}

// passing: the last children of a killed server are still ending, or somebody was quicker to take the port.
func passing(err error) bool {
	text := err.Error()
	return strings.Contains(text, "pre-existing shared memory block") || strings.Contains(text, "could not bind")
}

func (s *Server) launchOnce(ctx context.Context) error {
	var err error
	if s.port, err = s.files.port(); err != nil {
		return err
	}
	log, from, err := s.files.openLog()
	if err != nil {
		return err
	}
	defer log.Close() // the server has its own copy
	s.logFrom = from

	// The server outlives the context of its start.
	s.cmd = command(context.WithoutCancel(ctx), s.as, s.bin.path("postgres"), s.settings()...)
	s.cmd.Stdout, s.cmd.Stderr = log, log
	detach(s.cmd)
	if err := s.run(); err != nil {
		return err
	}
	if err := s.ready(ctx); err != nil {
		s.abort()
		return fmt.Errorf("%w; the end of %s:\n%s", err, s.files.log(), s.files.logTail(s.logFrom))
	}
	s.opts.Logger.Info("PostgreSQL is up", "version", s.bin.major, "pid", s.Pid(), "port", s.port, "dir", s.opts.Dir)
	return nil
}

func (s *Server) settings() []string {
	args := []string{"-D", s.files.data(), "-p", strconv.Itoa(s.port)}
	set := []string{
		"listen_addresses=127.0.0.1",
		"unix_socket_directories=", // Debian's default folder is closed to other users
		"max_connections=" + strconv.Itoa(s.opts.MaxConnections),
		"timezone=UTC", "log_timezone=UTC", "cluster_name=superpay",
	}
	if s.opts.Unsafe {
		// Commits still reach the system before they are confirmed: what a killed
		// server confirmed is there when it starts again.
		set = append(set, "fsync=off", "full_page_writes=off")
	}
	for _, setting := range set {
		args = append(args, "-c", setting)
	}
	return args
}

// run forks the server from a goroutine that keeps its OS thread as long as the server lives: the
// parent-death signal comes when the forking thread ends, and Go ends idle threads.
func (s *Server) run() error {
	cmd, exited, started := s.cmd, make(chan struct{}), make(chan error, 1)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with this goroutine
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // why it ended is in its log
			close(exited)
		}
	}()
	s.exited = exited
	return <-started
}

// ready waits until the server takes our password, then makes the database if it is missing.
func (s *Server) ready(ctx context.Context) error {
	db, err := sql.Open("postgres", s.database("postgres"))
	if err != nil {
		return err
	}
	defer db.Close()
	for {
		err := ping(ctx, db)
		if err == nil {
			return createDatabase(ctx, db)
		}
		var refused *pq.Error
		if errors.As(err, &refused) && refused.Code == "28P01" { // invalid_password
			return fmt.Errorf("%s does not hold the cluster's password: %w", s.files.passwordFile(), err)
		}
		select {
		case <-s.exited:
			return errors.New("the server ended at once")
		case <-ctx.Done():
			return fmt.Errorf("the server does not answer: %w", errors.Join(ctx.Err(), err))
		case <-time.After(pollEvery):
		}
	}
}

func ping(ctx context.Context, db *sql.DB) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	return db.PingContext(ctx)
}

func createDatabase(ctx context.Context, db *sql.DB) error {
	var found bool
	err := db.QueryRowContext(ctx, `SELECT EXISTS (SELECT FROM pg_database WHERE datname = 'superpay')`).Scan(&found)
	if err != nil || found {
		return err
	}
	_, err = db.ExecContext(ctx, `CREATE DATABASE superpay`)
	return err
}

// abort ends a server that did not come up.
func (s *Server) abort() {
	s.interrupt()
	select {
	case <-s.exited:
	case <-time.After(abortGrace):
		killTree(s.Pid())
		<-s.exited
	}
}

// interrupt asks for a fast shutdown.
func (s *Server) interrupt() {
	err := s.cmd.Process.Signal(os.Interrupt)
	if err != nil && !errors.Is(err, os.ErrProcessDone) { // Windows cannot signal
		_ = s.pgCtl(context.Background(), "stop", "-m", "fast", "-W").Run()
	}
}

func (s *Server) pgCtl(ctx context.Context, args ...string) *exec.Cmd {
	return command(ctx, s.as, s.bin.path("pg_ctl"), append(args, "-D", s.files.data())...)
}

// Program is the path of one of PostgreSQL's programs, of the server's version.
func (s *Server) Program(name string) string { return s.bin.path(name) }
