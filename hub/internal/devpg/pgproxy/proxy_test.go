package pgproxy_test

import (
	"database/sql"
	"sync/atomic"
	"testing"

	_ "github.com/lib/pq"
	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/hub/internal/devpg/pgproxy"
	"github.com/superpayhub/superpay/hub/internal/devpg/pgtest"
)

// TestProxy_CutsAtEachMoment: what PostgreSQL did, and what the program is told,
// for a prepared statement, one that is not, and one without parameters.
func TestProxy_CutsAtEachMoment(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	direct, err := sql.Open("postgres", url)
	require.NoError(t, err)
	defer direct.Close()
	_, err = direct.Exec(`CREATE TABLE t (id int PRIMARY KEY)`)
	require.NoError(t, err)

	for kind, run := range map[string]func(*sql.Conn) error{
		"prepared": func(c *sql.Conn) error {
			st, err := c.PrepareContext(t.Context(), `INSERT INTO t VALUES ($1)`)
			require.NoError(t, err, "to prepare a statement is not to run it")
			_, err = st.ExecContext(t.Context(), 1)
			return err
		},
		"with parameters": func(c *sql.Conn) error {
			_, err := c.ExecContext(t.Context(), `INSERT INTO t VALUES ($1)`, 1)
			return err
		},
		"simple": func(c *sql.Conn) error {
			_, err := c.ExecContext(t.Context(), `INSERT INTO t VALUES (1)`)
			return err
		},
	} {
		for _, moment := range pgproxy.Moments {
			for _, reset := range []bool{false, true} {
				_, err := direct.Exec(`TRUNCATE t`)
				require.NoError(t, err)
				proxy, err := pgproxy.Start(url)
				require.NoError(t, err)
				through, err := sql.Open("postgres", proxy.URL()+"&binary_parameters=yes")
				require.NoError(t, err)
				conn, err := through.Conn(t.Context())
				require.NoError(t, err)

				var then atomic.Bool
				cut := proxy.Cut(pgproxy.Rule{Moment: moment, Match: pgproxy.Writes("t"), Reset: reset, Then: func() { then.Store(true) }})
				err = run(conn)
				name := kind + ", " + moment.String()
				if moment == pgproxy.After {
					require.NoError(t, err, name)
				} else {
					require.Error(t, err, name)
				}
				<-cut.Done()
				require.Equal(t, 1, cut.Hits(), name)
				require.Equal(t, moment != pgproxy.Before, rows(t, direct) == 1, name)
				require.Error(t, conn.PingContext(t.Context()), name+": the connection has ended")
				require.True(t, then.Load(), name)

				require.NoError(t, through.Ping(), name+": others go on")
				_ = conn.Close()
				_ = through.Close()
				proxy.Close()
			}
		}
	}
}

// TestProxy_PassesOn: what no rule is about works as without a proxy.
func TestProxy_PassesOn(t *testing.T) {
	t.Parallel()
	proxy, err := pgproxy.Start(pgtest.New(t))
	require.NoError(t, err)
	defer proxy.Close()
	db, err := sql.Open("postgres", proxy.URL())
	require.NoError(t, err)
	defer db.Close()
	_, err = db.Exec(`CREATE TABLE t (id int PRIMARY KEY)`)
	require.NoError(t, err)
	cut := proxy.Cut(pgproxy.Rule{Moment: pgproxy.Unanswered, Match: pgproxy.Writes("t"), Skip: 2})
	tx, err := db.Begin()
	require.NoError(t, err)
	for i := range 2 {
		_, err = tx.Exec(`INSERT INTO t SELECT $1 + n FROM generate_series(1, 10000) n`, i*10_000)
		require.NoError(t, err)
	}
	require.NoError(t, tx.Commit())
	require.Equal(t, 20_000, rows(t, db))
	_, err = db.Exec(`INSERT INTO t VALUES (1)`)
	require.Error(t, err, "1 is there")
	require.Equal(t, 1, cut.Hits())
}

func rows(t *testing.T, db *sql.DB) (n int) {
	t.Helper()
	require.NoError(t, db.QueryRow(`SELECT count(*) FROM t`).Scan(&n))
	return n
}
