package e2e

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/hub/internal/dev"
	"github.com/superpayhub/superpay/hub/internal/devpg/pgproxy"
)

// TestLostAnswer_ThroughTheFrontDoor: whichever commit of a request loses its
// answer, and at whichever moment, the app is answered as ever by its first
// request, and everything is done once.
func TestLostAnswer_ThroughTheFrontDoor(t *testing.T) {
	t.Parallel()
	var proxy *pgproxy.Proxy
	h := open(t, func(o *dev.Options) {
		o.HubDatabase = func(url string) (string, error) {
			var err error
			proxy, err = pgproxy.Start(url)
			if err != nil {
				return "", err
			}
			t.Cleanup(proxy.Close)
			return proxy.URL(), nil
		}
	})
	sessions, refunds, endpoints := h.sessions(), 0, 0
	for _, moment := range pgproxy.Moments {
		for skip, commit := range []string{"of the operation", "of its outcome"} {
			about := moment.String() + ", " + commit
			cut := func(table string) *pgproxy.Cut {
				return proxy.Cut(pgproxy.Rule{Moment: moment, Match: pgproxy.Writes(table), Skip: skip})
			}
			first := cut("operations")
			a := h.ask("POST", "/v1/checkouts", unique("checkout"), body(nil))
			require.Equal(t, 201, a.status, about+": "+a.raw)
			require.Equal(t, 1, first.Hits(), about)
			sessions++
			require.Equal(t, sessions, h.sessions(), about)
			h.pay(a.NextAction.URL, visa)
			h.until(a.ID, "paid")

			second := cut("operations")
			r := h.ask("POST", "/v1/orders/"+a.ID+"/refunds", unique("refund"), map[string]any{"amount": 600})
			require.Equal(t, 201, r.status, about+": "+r.raw)
			require.Equal(t, 1, second.Hits(), about)
			require.Equal(t, int64(600), h.until(a.ID, "partially_refunded").Refunded, about)
			refunds++
			books, err := h.stripe.Books(t.Context())
			require.NoError(t, err)
			require.Len(t, books.Refunds, refunds, about)
		}
		proxy.Cut(pgproxy.Rule{Moment: moment, Match: pgproxy.Writes("webhook_endpoints")})
		e := h.ask("POST", "/v1/webhook_endpoints", unique("endpoint"), map[string]any{"url": "http://localhost:9/" + moment.String()})
		require.Equal(t, 201, e.status, moment.String()+": "+e.raw)
		endpoints++
		require.Len(t, h.ask("GET", "/v1/webhook_endpoints", "", nil).Data, endpoints, moment)
	}
}
