package postgres

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/hub/internal/ledger"
)

// BenchmarkCommit_MoneyOut is what looking at the fences costs a commit that is
// about to move money, while all are open: beside the same without.
func BenchmarkCommit_MoneyOut(b *testing.B) {
	for _, n := range []int{1, 32} {
		for name, out := range map[string][]ledger.MoneyOut{"not looked": nil, "looked": {{Provider: "stripe"}}, "all accounts": {{}}} {
			b.Run(fmt.Sprint(n, " together, ", name), func(b *testing.B) {
				db, env := opened(b)
				_, err := db.db.Exec(`SET synchronous_commit = off`)
				require.NoError(b, err)
				db.db.SetMaxOpenConns(1)
				_, err = db.StartWitness(b.Context(), env.Now)
				require.NoError(b, err)
				for i := 0; b.Loop(); i++ {
					var changes []namedChange
					for k := range n {
						asked, _, _ := checkoutChanges(env, fmt.Sprintf("%d-%d", i, k))
						asked.MoneyOut = out
						changes = append(changes, named(asked))
					}
					written, err := db.commitAll(b.Context(), changes)
					require.NoError(b, err)
					require.Equal(b, changes[n-1].Order.ID, written[n-1].OrderID)
				}
				b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*n), "us/order")
			})
		}
	}
}
