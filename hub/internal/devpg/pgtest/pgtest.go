// Package pgtest gives every test a PostgreSQL schema of its own, on a real server.
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
	"crypto/rand"
	"database/sql"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	_ "github.com/lib/pq" // the database/sql driver "postgres"

	"github.com/superpayhub/superpay/hub/internal/devpg"
)

const (
	schemaPrefix = "pgtest_"
	startTimeout = 2 * time.Minute
	dropTimeout  = 20 * time.Second
)

// New makes an empty schema and returns the URL of the database with its search_path set to that
// schema. The schema is dropped when the test ends: close the database before (cleanups run last in,
// first out), for a transaction left open holds the drop up and fails the test.
func New(t testing.TB) string {
	t.Helper()
	base, err := database()
	if err != nil {
		t.Fatalf("pgtest: no PostgreSQL for tests: %v", err)
	}
	schema := schemaPrefix + strings.ToLower(rand.Text())
	if err := execute(base, `CREATE SCHEMA `+schema); err != nil {
		t.Fatalf("pgtest: create schema: %v", err)
	}
	t.Cleanup(func() {
		if err := execute(base, `SET lock_timeout = '10s'; DROP SCHEMA `+schema+` CASCADE`); err != nil {
			t.Errorf("pgtest: drop schema (does the test close its database?): %v", err)
		}
	})
	address, err := inSchema(base, schema)
	if err != nil {
		t.Fatalf("pgtest: %v", err)
	}
	return address
}

// Server starts a server for this test alone, which it may stop, kill and start again on Server.Dir.
// What the test itself starts it must stop itself.
func Server(t testing.TB) *devpg.Server {
	t.Helper()
	// Not t.TempDir: if the tests run as root, PostgreSQL's own user could not enter that.
	dir, err := os.MkdirTemp("", "superpay-pgtest-")
	if err != nil {
		t.Fatalf("pgtest: %v", err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil { //nolint:gosec // the secrets in it have a mode of their own
		t.Fatalf("pgtest: %v", err)
	}
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

func database() (string, error) {
	if address := os.Getenv("HUB_TEST_DATABASE_URL"); address != "" {
		return address, nil
	}
	member, err := shared()
	return member.address, err
}

// inSchema sets the search_path through "options", which every PostgreSQL client understands.
func inSchema(base, schema string) (string, error) {
	address, err := url.Parse(base)
	if err != nil {
		return "", err
	}
	query := address.Query()
	query.Set("options", strings.TrimSpace(query.Get("options")+" -csearch_path="+schema))
	address.RawQuery = strings.ReplaceAll(query.Encode(), "+", "%20") // psql reads a plus sign as one
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
