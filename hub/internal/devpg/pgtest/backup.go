package pgtest

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"testing"

	"github.com/lib/pq"
	"github.com/stretchr/testify/require"
)

// Backup copies every table of the database's schema as it stands at one moment,
// and returns what brings all of it back, as often as it is called: the rows of
// then, and none that came since. Like a dump that is restored, it takes no
// notice of a hub that is at work.
func Backup(t testing.TB, url string) (restore func()) {
	t.Helper()
	db, err := sql.Open("postgres", url)
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	var tables []string
	err = db.QueryRow(`SELECT array_agg(tablename::text ORDER BY tablename) FROM pg_tables
		WHERE schemaname = current_schema() AND tablename NOT LIKE 'backup%'`).Scan((*pq.StringArray)(&tables))
	require.NoError(t, err)
	var copies int
	require.NoError(t, db.QueryRow(`SELECT count(*) FROM pg_tables WHERE schemaname = current_schema() AND tablename LIKE 'backup%'`).Scan(&copies))
	name := func(table string) string { return fmt.Sprintf("backup%d_%s", copies, table) }
	within(t, db, &sql.TxOptions{Isolation: sql.LevelRepeatableRead}, func(tx *sql.Tx) {
		for _, table := range tables {
			_, err := tx.Exec(fmt.Sprintf(`CREATE TABLE %s AS TABLE %s`, name(table), table))
			require.NoError(t, err)
		}
	})
	return func() {
		t.Helper()
		within(t, db, nil, func(tx *sql.Tx) {
			_, err := tx.Exec(`SET LOCAL session_replication_role = replica`) // no foreign keys: all comes back
			require.NoError(t, err)
			_, err = tx.Exec(`TRUNCATE ` + strings.Join(tables, ", "))
			require.NoError(t, err)
			for _, table := range tables {
				var columns string // but those that PostgreSQL computes
				require.NoError(t, tx.QueryRow(`SELECT string_agg(quote_ident(attname), ', ') FROM pg_attribute
					WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''`, table).Scan(&columns))
				_, err = tx.Exec(fmt.Sprintf(`INSERT INTO %s (%s) SELECT %[2]s FROM %[3]s`, table, columns, name(table)))
				require.NoError(t, err)
			}
		})
	}
}

func within(t testing.TB, db *sql.DB, options *sql.TxOptions, f func(*sql.Tx)) {
	t.Helper()
	tx, err := db.BeginTx(context.WithoutCancel(t.Context()), options)
	require.NoError(t, err)
	defer func() { _ = tx.Rollback() }()
	f(tx)
	require.NoError(t, tx.Commit())
}
