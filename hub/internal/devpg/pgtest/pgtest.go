// Package pgtest gives every test a PostgreSQL database of its own, on a real server.
//
// The server is HUB_TEST_DATABASE_URL's, if that is set. Otherwise all test processes of one user
// share one private cluster in the temp folder, so that plain `go test ./...`, which runs packages
// as parallel processes, needs no setting up and starts one server only.
//
// How it begins and ends: each test process holds a shared lock on the file "users" from its first
// New until it dies, which is when the operating system lets go of it; nothing has to be called and
// a crash changes nothing. The first one finds no server and starts a keeper: the test binary run
// once more, recognised by an environment variable in init, in a session of its own. The keeper
// starts PostgreSQL and then tries to get the same lock exclusively; it can only when no test process
// is left. When that has been so for a second (the next package of the same run may just be starting)
// it keeps the lock, stops PostgreSQL and ends. Whoever comes meanwhile waits for the lock and then
// starts a new keeper. If the keeper is killed, PostgreSQL ends with it (Linux) or is taken over by
// the next one. The folder stays for next time, which saves the initdb; nothing in it is precious,
// and a keeper that cannot start it makes it anew.
package pgtest

import (
	"context"
	"database/sql"
	"net/url"
	"os"
	"testing"
	"time"

	_ "github.com/lib/pq" // the database/sql driver "postgres"

	"github.com/superpayhub/superpay/hub/internal/devpg"
)

const (
	prefix       = "pgtest_"
	startTimeout = 2 * time.Minute
	dropTimeout  = 20 * time.Second
)

// New makes an empty database and returns its URL. The database is dropped when the test ends,
// with the connections that are left to it. A schema of a shared database would not do: what builds
// an index beside a running hub (CREATE INDEX CONCURRENTLY) waits for every transaction of its
// database, so tests would wait for each other.
func New(t testing.TB) string {
	t.Helper()
	base, err := server()
	if err != nil {
		t.Fatalf("pgtest: no PostgreSQL for tests: %v", err)
	}
	return create(t, base, "")
}

// Server starts a server for this test alone, which it may stop, kill and start again on Server.Dir.
// What the test itself starts it must stop itself.
func Server(t testing.TB) *devpg.Server {
	t.Helper()
	dir := newDir(t)
	server, err := devpg.Start(context.Background(), devpg.Options{Dir: dir, Unsafe: true})
	if err != nil {
		t.Fatalf("pgtest: %v", err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), dropTimeout)
		defer cancel()
		if err := server.Stop(ctx); err != nil {
			t.Errorf("pgtest: %v", err)
		}
	})
	return server
}

func server() (string, error) {
	if address := os.Getenv("HUB_TEST_DATABASE_URL"); address != "" {
		return address, nil
	}
	member, err := shared()
	return member.address, err
}

// named returns the address of another database of the same server.
func named(base, database string) (string, error) {
	address, err := url.Parse(base)
	if err != nil {
		return "", err
	}
	address.Path = "/" + database
	return address.String(), nil
}

// execute runs SQL on a connection of its own, so that nothing stays open between tests.
func execute(address, statements string) error {
	ctx, cancel := context.WithTimeout(context.Background(), dropTimeout)
	defer cancel()
	db, err := sql.Open("postgres", address)
	if err != nil {
		return err
	}
	defer db.Close()
	_, err = db.ExecContext(ctx, statements)
	return err
}
