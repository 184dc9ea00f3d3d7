package jobs_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/hub/internal/payments"
	"github.com/superpayhub/superpay/hub/internal/payments/paytest"
	"github.com/superpayhub/superpay/hub/internal/postgres"
)

// listens gives an app as many endpoints, at addresses of their own.
func (h *hub) listens(appID, url string, endpoints int) {
	h.T.Helper()
	for i := range endpoints {
		id, address := fmt.Sprintf("whe_%s_%d", appID, i), fmt.Sprintf("%s/%d", url, i)
		_, err := h.DB.AddEndpoint(h.T.Context(), postgres.Endpoint{ID: id, AppID: appID, URL: address, URLKey: address},
			postgres.MadeSecret{ID: "whs" + id, Secret: "whsec_dGVzdA==", At: h.Clock.Now()}, endpoints)
		require.NoError(h.T, err)
	}
}

// sells makes paid orders of an app, of which it is to be told.
func (h *hub) sells(app postgres.App, orders int) {
	h.T.Helper()
	for range orders {
		in, c := h.Input(paytest.FlowCharge), h.Caller()
		c.App = app
		_, err := h.Service.Checkout(h.T.Context(), c, in)
		require.NoError(h.T, err)
	}
}

// hanging is a receiver that answers when the test ends.
func hanging(t *testing.T) (url string, asked *atomic.Int64) {
	t.Helper()
	asked = &atomic.Int64{}
	end := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		asked.Add(1)
		<-end
	}))
	t.Cleanup(func() {
		close(end)
		s.Close()
	})
	return s.URL, asked
}

// TestWorker_AnAppThatHangsHoldsUpNobody: all sixteen endpoints of an app hang,
// with more to be sent to each than the worker has room for. Another app is told
// all the same.
func TestWorker_AnAppThatHangsHoldsUpNobody(t *testing.T) {
	t.Parallel()
	h := newHub(t, func(o *payments.Options) { o.Render = func(*ledger.Order) []byte { return []byte("{}") } })
	url, asked := hanging(t)
	h.listens(h.App.ID, url, 16)
	h.sells(h.App, 30)
	h.start()
	h.eventually(func() bool { return asked.Load() >= 4 })
	time.Sleep(time.Second) // as many rounds as it wants

	quick, err := h.DB.EnsureApp(t.Context(), "app_2", "another", []string{"*"}, h.Clock.Now())
	require.NoError(t, err)
	var told atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { told.Add(1) }))
	defer s.Close()
	h.listens(quick.ID, s.URL, 1)
	h.sells(quick, 3)
	h.worker.Kick()
	require.Eventually(t, func() bool { return told.Load() == 3 }, 5*time.Second, 10*time.Millisecond, "a receiver may take 15 s")
	require.Less(t, asked.Load(), int64(100))
}

// TestWorker_CutsDeliveriesAtItsEnd: a receiver that hangs does not decide how long
// a hub takes to end, and the try counts for nothing: it is due again at once.
func TestWorker_CutsDeliveriesAtItsEnd(t *testing.T) {
	t.Parallel()
	h := newHub(t, func(o *payments.Options) { o.Render = func(*ledger.Order) []byte { return []byte("{}") } })
	url, asked := hanging(t)
	h.listens(h.App.ID, url, 1)
	h.sells(h.App, 1)
	stop, ended := h.start()
	h.eventually(func() bool { return asked.Load() == 1 })
	stop()
	select {
	case <-ended:
	case <-time.After(8 * time.Second):
		t.Fatal("the delivery was waited for")
	}
	require.Equal(t, 1, h.Count(`SELECT count(*) FROM notifications WHERE state = 'pending' AND tries = 0 AND due_at <= now()`))
	require.Zero(t, h.Count(`SELECT count(*) FROM deliveries`))
}
