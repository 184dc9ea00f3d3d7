package payments_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/hub/internal/devpg/pgproxy"
	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/hub/internal/payments"
	"github.com/superpayhub/superpay/hub/internal/payments/paytest"
)

// TestSameRequestTwiceAtOnce: before a request loads its order, looks its key up
// or is recorded, another hub carries out the same request. What forbids it now
// is its own effect: it is answered as the other one was, and not refused.
func TestSameRequestTwiceAtOnce(t *testing.T) {
	t.Parallel()
	e, proxy, direct := behindProxy(t, paytest.Options{})
	other := paytest.New(t, paytest.Options{DatabaseURL: direct, Provider: e.Provider, Clock: e.Clock})
	for moment, match := range map[string]func(string) bool{
		"order": pgproxy.Contains(`FROM orders o WHERE o\.id = \$2`),
		"key":   pgproxy.Contains(`(?s)FROM operations.*idempotency_key = \$2`),
		"start": pgproxy.Writes("operations"),
	} {
		for _, v := range lostVerbs {
			if v.name == "checkout" { // it makes its order, and the reference is unique
				continue
			}
			name := v.name + " before its " + moment
			o, c, before := v.order(e), e.Caller(), len(e.Provider.Calls(v.method))
			var first payments.Answer
			var firstErr error
			cut := proxy.Cut(pgproxy.Rule{Moment: pgproxy.Before, Match: match, Then: func() { first, firstErr = v.ask(t.Context(), other, c, o) }})
			second, err := v.ask(t.Context(), e, c, o)
			require.Equal(t, 1, cut.Hits(), name)
			require.NoError(t, firstErr, name)
			require.NoError(t, err, name)
			require.Equal(t, first.Operation.ID, second.Operation.ID, name)
			require.Equal(t, ledger.OutcomeSucceeded, second.Operation.Outcome, name)
			once(t, e, v, before, o.ID, name)
		}
	}
}
