package postgres

import (
	"context"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
)

// Analyze has PostgreSQL look again at tables that changed by more than half
// since it did. Its own worker comes once a minute, and until then it takes a
// table that fills up for an empty one, in which any way of finding a row is as
// good as another.
func (p *DB) Analyze(ctx context.Context) error {
	var tables []string
	err := p.db.SelectContext(ctx, &tables, `SELECT relname FROM pg_stat_user_tables
		WHERE schemaname = current_schema() AND n_mod_since_analyze > 500 AND n_mod_since_analyze > n_live_tup / 2`)
	if err != nil {
		return mapErr(err)
	}
	for _, table := range tables {
		if err := p.analyze(ctx, table); err != nil {
			return mapErr(err)
		}
	}
	return nil
}

// analyze looks at a tenth of what PostgreSQL's own worker does, which comes in
// its time: how much there is, roughly, is all that matters.
func (p *DB) analyze(ctx context.Context, table string) error {
	return p.within(ctx, func(tx *sqlx.Tx) error {
		if _, err := tx.ExecContext(ctx, `SET LOCAL default_statistics_target = 10`); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `ANALYZE `+pq.QuoteIdentifier(table))
		return err
	})
}
