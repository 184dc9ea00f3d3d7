package main

import (
	"context"
	"crypto/rand"
	"database/sql"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/superpayhub/superpay/hub/internal/dev"
	"github.com/superpayhub/superpay/hub/internal/devpg"
)

// bench is all that is measured, running.
type bench struct {
	options
	dir     string
	house   *dev.House
	shares  *bench // whose PostgreSQL it stands on; nil: one of its own
	standIn *standIn
	db      *sql.DB // the hub's
	hub     *hub
	plain   *rival
	node    *rival // nil without Node
	copied  int    // the last number of a copy
	begun   int    // loads named so far
	asked   int    // of the hub, and answered
	open    *template
	paid    *template
	ends    []func()
}

// stand starts it all: PostgreSQL that waits for its disk, a provider that
// answers at once, hubs with plugins in processes of their own.
func stand(ctx context.Context, o options) (*bench, error) { return (&bench{options: o}).stand(ctx) }

func (b *bench) stand(ctx context.Context) (*bench, error) {
	if err := b.start(ctx); err != nil {
		b.end()
		return nil, err
	}
	return b, nil
}

func (b *bench) start(ctx context.Context) (err error) {
	if err = os.MkdirAll(devpg.DefaultDir(), 0o755); err != nil {
		return err
	}
	// Not in the temp folder: that may be memory, and fsync free.
	if b.dir, err = os.MkdirTemp(devpg.DefaultDir(), "bench-"); err != nil {
		return err
	}
	b.ends = append(b.ends, func() { _ = os.RemoveAll(b.dir) })
	if err = os.Chmod(b.dir, 0o755); err != nil { //nolint:gosec // PostgreSQL may be another user; secrets in it have a mode of their own
		return err
	}
	if b.standIn, err = startStandIn(); err != nil {
		return err
	}
	b.ends = append(b.ends, b.standIn.close)
	log, err := os.Create(filepath.Join(b.dir, "bench.log"))
	if err != nil {
		return err
	}
	var database string
	if b.shares != nil {
		if database, err = b.shares.createDatabase(ctx, "beside"); err != nil {
			return err
		}
	}
	b.house, err = dev.Start(ctx, dev.Options{
		BinDir: b.bin, DataDir: filepath.Join(b.dir, "house"), Hubs: max(1, b.hubs), LogWriter: log, MaxConnections: 300,
		DatabaseURL: database, OtherBuild: b.beside != "", // each by its own program, so that the bench may lie beside any build
		StripeSecretKey: "sk_test_" + rand.Text(), StripeWebhookSecret: "whsec_" + rand.Text(), StripePublishableKey: "pk_test_" + rand.Text(),
		Env: append([]string{"HUB_PROVIDERS__STRIPE__SETTINGS__API_URL=" + b.standIn.url, "HUB_LOG__LEVEL=warn", "HUB_SERVER__RATE_LIMIT=0"}, b.env...),
	})
	if err != nil {
		return err
	}
	b.ends = append(b.ends, func() {
		ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
		defer cancel()
		_ = b.house.Stop(ctx)
	})
	if b.db, err = sql.Open("postgres", b.house.DatabaseURL); err != nil {
		return err
	}
	b.ends = append(b.ends, func() { _ = b.db.Close() })
	b.hub = &hub{addr: host(b.house.BaseURL()), apiKey: b.house.APIKey, webhookSecret: b.house.WebhookSecret}
	return b.db.QueryRowContext(ctx, `SELECT instance_id FROM hub`).Scan(&b.hub.instanceID)
}

// end stops everything, the last started first, and removes it.
func (b *bench) end() {
	for i := len(b.ends) - 1; i >= 0; i-- {
		b.ends[i]()
	}
	b.ends = nil
}

// createDatabase makes an empty database in the same PostgreSQL and returns its
// address.
func (b *bench) createDatabase(ctx context.Context, name string) (string, error) {
	if _, err := b.db.ExecContext(ctx, `CREATE DATABASE `+name); err != nil {
		return "", err
	}
	address, err := url.Parse(b.house.DatabaseURL)
	if err != nil {
		return "", err
	}
	address.Path = "/" + name
	return address.String(), nil
}

// postgres is the process id of the PostgreSQL that the bench stands on.
func (b *bench) postgres() int {
	if b.shares != nil {
		return b.shares.postgres()
	}
	return b.house.Pids()["postgres"]
}

// postgresLog is the path of its log.
func (b *bench) postgresLog() string {
	return filepath.Join(b.dir, "house", "postgres", "postgres.log")
}

func host(base string) string { return strings.TrimPrefix(base, "http://") }
