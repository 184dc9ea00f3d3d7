package payments_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/hub/internal/devpg/pgproxy"
	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/hub/internal/payments"
	"github.com/superpayhub/superpay/hub/internal/payments/paytest"
)

// TestSameRequestTwiceAtOnce: a request looks its key up and finds nothing. Before
// it loads the order, another hub carries out the same request. What forbids it
// now is its own effect: it is answered as the other one was, and not refused.
func TestSameRequestTwiceAtOnce(t *testing.T) {
	t.Parallel()
	e, proxy, direct := behindProxy(t, paytest.Options{})
	other := paytest.New(t, paytest.Options{DatabaseURL: direct, Provider: e.Provider, Clock: e.Clock})
	for _, v := range lostVerbs {
		if v.name == "checkout" { // it makes its order, and the reference is unique
			continue
		}
		o, c, before := v.order(e), e.Caller(), len(e.Provider.Calls(v.method))
		var first payments.Answer
		var firstErr error
		cut := proxy.Cut(pgproxy.Rule{
			Moment: pgproxy.After, Match: pgproxy.Contains(`(?s)FROM operations.*idempotency_key = \$2`),
			Then: func() { first, firstErr = v.ask(t.Context(), other, c, o) },
		})
		second, err := v.ask(t.Context(), e, c, o)
		require.Equal(t, 1, cut.Hits(), v.name)
		require.NoError(t, firstErr, v.name)
		require.NoError(t, err, v.name)
		require.Equal(t, first.Operation.ID, second.Operation.ID, v.name)
		require.Equal(t, ledger.OutcomeSucceeded, second.Operation.Outcome, v.name)
		once(t, e, v, before, o.ID, v.name)
	}
}
