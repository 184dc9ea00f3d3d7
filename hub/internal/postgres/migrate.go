package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"github.com/superpayhub/superpay/migrations"
)

// migrate brings the schema up to date. Hubs that start at once do it one after the
// other.
func (p *DB) migrate(ctx context.Context) error {
	db, err := connect(p.url, 0) // migrations say themselves how long they wait
	if err != nil {
		return err
	}
	defer db.Close()
	// An advisory lock is of the whole database. Hubs in schemas of their own do
	// not wait for each other; those in public keep the lock they always had.
	id := lock.DefaultLockID
	err = db.QueryRowContext(ctx, `SELECT CASE WHEN current_schema() = 'public' THEN $1::bigint
		ELSE hashtextextended('superpay ' || current_schema(), 0) END`, id).Scan(&id)
	if err != nil {
		return mapErr(err)
	}
	const every, tries = 1, 300 // seconds between tries, and how many: five minutes
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockID(id), lock.WithLockTimeout(every, tries))
	if err != nil {
		return err
	}
	// Numbers are given when work begins, so a lower one may come later.
	g, err := goose.NewProvider(goose.DialectPostgres, db.DB, migrations.FS, goose.WithSessionLocker(locker), goose.WithAllowOutofOrder(true))
	if err != nil {
		return err
	}
	if _, err := g.Up(ctx); err != nil {
		return fmt.Errorf("migrate the database: %w", err)
	}
	return nil
}

// checkSchema refuses a database whose schema is not there, or is older than this
// program. It writes nothing.
func (p *DB) checkSchema(ctx context.Context) error {
	var table sql.NullString
	if err := p.db.QueryRowContext(ctx, `SELECT to_regclass('goose_db_version')::text`).Scan(&table); err != nil {
		return mapErr(err)
	}
	if !table.Valid {
		return errors.New("this database has none of the hub's tables: run `hub migrate`, or start `hub serve`; or is HUB_DATABASE_URL another one?")
	}
	var done []int64
	if err := p.db.SelectContext(ctx, &done, `SELECT DISTINCT version_id FROM goose_db_version WHERE is_applied`); err != nil {
		return mapErr(err)
	}
	known := map[int64]bool{}
	for _, version := range done {
		known[version] = true
	}
	g, err := goose.NewProvider(goose.DialectPostgres, p.db.DB, migrations.FS)
	if err != nil {
		return err
	}
	for _, m := range g.ListSources() {
		if !known[m.Version] {
			return fmt.Errorf("the database's schema is older than this program, it lacks migration %d: run `hub migrate`, or start `hub serve`", m.Version)
		}
	}
	return nil
}
