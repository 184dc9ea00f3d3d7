package postgres

import (
	"context"

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
		if _, err := p.db.ExecContext(ctx, `ANALYZE `+pq.QuoteIdentifier(table)); err != nil {
			return mapErr(err)
		}
	}
	return nil
}
