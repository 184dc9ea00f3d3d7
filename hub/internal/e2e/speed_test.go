package e2e

import (
	"database/sql"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/hub/internal/dev"
	"github.com/superpayhub/superpay/hub/internal/devpg/pgtest"
)

// TestSpeed_StatementsPerRequest counts what a request costs the database: the
// load of the key and two statements for a checkout, two for a callback.
func TestSpeed_StatementsPerRequest(t *testing.T) {
	t.Parallel()
	server := pgtest.Server(t)
	h := open(t, func(o *dev.Options) { o.DatabaseURL = server.URL() })
	db, err := sql.Open("postgres", server.URL())
	require.NoError(t, err)
	defer db.Close()
	// Every statement of the hub is a transaction of its own.
	committed := func() (n int) {
		time.Sleep(2500 * time.Millisecond) // PostgreSQL's sessions report with a delay
		require.NoError(t, db.QueryRow(`SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()`).Scan(&n))
		return n
	}
	idle := func() int { a := committed(); return committed() - a }
	worker := idle() // what the worker's polls cost in that time

	const many = 40
	orders := make([]answer, many)
	before := committed()
	for i := range orders {
		orders[i] = h.checkout(nil)
	}
	perCheckout := float64(committed()-before-worker) / many
	t.Logf("%.2f statements a checkout, of them one loads the key (the worker alone: %d)", perCheckout, worker)
	require.Less(t, perCheckout, 3.5)

	before = committed()
	for _, o := range orders {
		h.pay(o.NextAction.URL, visa)
	}
	kept := func() bool { return h.count(`SELECT count(*) FROM callbacks`) >= 4*many }
	require.Eventually(t, kept, 20*time.Second, 200*time.Millisecond)
	perPayment := float64(committed()-before-worker) / many
	// Four callbacks a payment: one of them settles it, the others are kept as
	// what was known already; each is a load and a write.
	t.Logf("%.2f statements a payment of four callbacks", perPayment)
	require.Less(t, perPayment, 9.5)
}
