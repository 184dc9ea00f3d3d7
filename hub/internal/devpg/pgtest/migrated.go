package pgtest

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pressly/goose/v3"

	"github.com/superpayhub/superpay/migrations"
)

const (
	templatePrefix = prefix + "template_" // so the keeper drops it when the shared server starts anew
	templateWhole  = "whole"              // the comment on a template that is finished
	templateTime   = 2 * time.Minute
)

// Migrated is New with the hub's tables in it. It copies a database that was
// migrated once for the server: migrating costs a test several times that.
func Migrated(t testing.TB) string {
	t.Helper()
	base, err := server()
	if err != nil {
		t.Fatalf("pgtest: no PostgreSQL for tests: %v", err)
	}
	name, err := template(base)
	if err != nil {
		t.Fatalf("pgtest: migrate a database: %v", err)
	}
	return create(t, base, " TEMPLATE "+name)
}

var (
	templateLock sync.Mutex
	templates    = map[string]string{} // by server
)

// template returns the name of a migrated database of the server, which it makes
// if there is none for these migrations.
func template(base string) (string, error) {
	templateLock.Lock()
	defer templateLock.Unlock()
	if name := templates[base]; name != "" {
		return name, nil
	}
	name, err := templateName()
	if err == nil {
		err = makeTemplate(base, name)
	}
	if err == nil {
		templates[base] = name
	}
	return name, err
}

// templateName returns a name that contains a hash of all migrations, so that a
// template of other migrations is not used.
func templateName() (string, error) {
	sum := sha256.New()
	files, err := fs.Glob(migrations.FS, "*.sql") // in the order of their names
	if err != nil {
		return "", err
	}
	for _, file := range files {
		content, err := fs.ReadFile(migrations.FS, file)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(sum, "%s %d\n", file, len(content))
		sum.Write(content)
	}
	return templatePrefix + fmt.Sprintf("%x", sum.Sum(nil)[:8]), nil
}

// makeTemplate migrates a database, unless another process of the same server has.
func makeTemplate(base, name string) error {
	ctx, cancel := context.WithTimeout(context.Background(), templateTime)
	defer cancel()
	db, err := sql.Open("postgres", base)
	if err != nil {
		return err
	}
	defer db.Close()
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close() // and the lock with it
	if _, err := conn.ExecContext(ctx, `SELECT pg_advisory_lock(hashtext($1))`, templatePrefix); err != nil {
		return err
	}
	var whole bool
	err = conn.QueryRowContext(ctx, `SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1 AND shobj_description(oid, 'pg_database') = $2)`,
		name, templateWhole).Scan(&whole)
	if err != nil || whole {
		return err
	}
	address, err := named(base, name)
	if err != nil {
		return err
	}
	for _, statement := range []string{`DROP DATABASE IF EXISTS ` + name + ` WITH (FORCE)`, `CREATE DATABASE ` + name} {
		if _, err := conn.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	if err := migrate(ctx, address); err != nil {
		return err
	}
	_, err = conn.ExecContext(ctx, `COMMENT ON DATABASE `+name+` IS '`+templateWhole+`'`)
	return err
}

func migrate(ctx context.Context, address string) error {
	db, err := sql.Open("postgres", address)
	if err != nil {
		return err
	}
	defer db.Close()
	g, err := goose.NewProvider(goose.DialectPostgres, db, migrations.FS)
	if err != nil {
		return err
	}
	_, err = g.Up(ctx)
	return err
}

// create makes a database that is dropped when the test ends.
func create(t testing.TB, base, options string) string {
	t.Helper()
	name := prefix + strings.ToLower(rand.Text())
	if err := execute(base, `CREATE DATABASE `+name+options); err != nil {
		t.Fatalf("pgtest: create database: %v", err)
	}
	t.Cleanup(func() {
		if err := execute(base, `DROP DATABASE `+name+` WITH (FORCE)`); err != nil {
			t.Errorf("pgtest: drop database: %v", err)
		}
	})
	address, err := named(base, name)
	if err != nil {
		t.Fatalf("pgtest: %v", err)
	}
	return address
}
