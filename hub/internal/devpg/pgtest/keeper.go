package pgtest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/superpayhub/superpay/hub/internal/devpg"
	"github.com/superpayhub/superpay/hub/internal/devpg/filelock"
)

const (
	keeperVariable = "SUPERPAY_PGTEST_KEEPER" // its value is the home
	failure        = "error "
	lookEvery      = 100 * time.Millisecond
	quietLooks     = 10 // so many looks in a row without a user, about a second, and the keeper ends
	stopTimeout    = 10 * time.Second
)

// A test binary started by startKeeper is the keeper and never gets to its tests.
func init() {
	if at := os.Getenv(keeperVariable); at != "" {
		_ = os.Unsetenv(keeperVariable)
		keep(home(at))
		os.Exit(0)
	}
}

// keep runs the shared cluster until no test process uses it.
func keep(at home) {
	logFile, err := os.OpenFile(at.log(), os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		say(os.Stdout, failure+strconv.Quote(err.Error()))
		return
	}
	log := slog.New(slog.NewTextHandler(logFile, nil))
	server, users, err := startShared(at, log)
	if err != nil {
		log.Error("start", "error", err)
		say(os.Stdout, failure+strconv.Quote(err.Error()))
		return
	}
	say(os.Stdout, server.URL())
	_ = os.Stdout.Close()

	waitForQuiet(users, server.Done())
	_ = os.Remove(at.address())
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	if err := server.Stop(ctx); err != nil {
		log.Error("stop", "error", err)
	}
	if filepath.Dir(string(at)) == inMemory() {
		_ = os.RemoveAll(at.cluster()) // nobody's memory is taken when no test runs
	}
	_ = users.Close() // only now may a newcomer start the next keeper
}

func startShared(at home, log *slog.Logger) (*devpg.Server, *filelock.Lock, error) {
	users, err := filelock.Open(at.users())
	if err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout-10*time.Second)
	defer cancel()
	opts := devpg.Options{Dir: at.cluster(), Logger: log, MaxConnections: 300, Unsafe: true}
	server, err := devpg.Start(ctx, opts)
	if err != nil && !errors.Is(err, devpg.ErrOwned) {
		// Without fsync a crash of the machine breaks a cluster, and a new PostgreSQL cannot read an
		// old one's. These are test data by construction, so this is the one place that starts over.
		log.Warn("starting over", "error", err)
		if err := os.RemoveAll(at.cluster()); err != nil {
			return nil, nil, err
		}
		server, err = devpg.Start(ctx, opts)
	}
	if err != nil {
		return nil, nil, err
	}
	if err := errors.Join(dropLeftovers(ctx, server.URL()), write(at.address(), server.URL())); err != nil {
		server.Kill()
		return nil, nil, err
	}
	return server, users, nil
}

// waitForQuiet returns with the users' lock held exclusively, or when the server has ended by itself.
func waitForQuiet(users *filelock.Lock, ended <-chan struct{}) {
	for quiet := 0; quiet < quietLooks; {
		select {
		case <-ended:
			return
		case <-time.After(lookEvery):
		}
		if users.TryExclusive() != nil {
			quiet = 0
			continue
		}
		if quiet++; quiet < quietLooks {
			_ = users.Unlock()
		}
	}
}

// dropLeftovers drops the databases of test processes that were killed. No other process is in yet.
func dropLeftovers(ctx context.Context, address string) error {
	db, err := sql.Open("postgres", address)
	if err != nil {
		return err
	}
	defer db.Close()
	rows, err := db.QueryContext(ctx, `SELECT datname FROM pg_database WHERE starts_with(datname, $1)`, prefix)
	if err != nil {
		return err
	}
	defer rows.Close()
	var names []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return err
		}
		names = append(names, name)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	for _, name := range names {
		if _, err := db.ExecContext(ctx, `DROP DATABASE `+name+` WITH (FORCE)`); err != nil {
			return fmt.Errorf("drop the leftover database %s: %w", name, err)
		}
	}
	return nil
}
