package e2e

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/hub/internal/dev"
	"github.com/superpayhub/superpay/sdk/plugintest/standin"
)

// TestHubs_ThreeOnOneDatabase behave as one: they start together on an empty
// database, one key makes one order, and what a killed one leaves is taken over.
func TestHubs_ThreeOnOneDatabase(t *testing.T) {
	t.Parallel()
	h := open(t, func(o *dev.Options) { o.Hubs, o.CallTimeout = 3, 2*time.Second })
	b := body(nil)
	var all sync.WaitGroup
	answers := make([]answer, 12)
	for i := range answers {
		all.Go(func() { answers[i], _ = h.at(i%3).try("POST", "/v1/checkouts", "one-key", b) })
	}
	all.Wait()
	id := ""
	for _, a := range answers {
		require.Contains(t, []int{201, 409}, a.status, a.raw)
		if a.status == 201 {
			require.True(t, id == "" || id == a.ID)
			id = a.ID
		}
	}
	require.Equal(t, 1, h.sessions())

	// Two refunds of 600 of 1050 at the same moment, from two hubs.
	for range 5 {
		o := h.paid(nil)
		for i := range 2 {
			all.Go(func() {
				_, _ = h.at(i).try("POST", "/v1/orders/"+o.ID+"/refunds", unique("refund"), map[string]any{"amount": 600})
			})
		}
		all.Wait()
		require.Equal(t, int64(600), h.until(o.ID, "partially_refunded").Refunded)
	}

	// The third hub dies in the middle of a call; another heals what it left.
	h.fault(standin.Fault{Method: "POST", Path: "/v1/checkout/sessions", Action: standin.Delay, DelayMS: 1500, Times: 1})
	go func() { time.Sleep(500 * time.Millisecond); h.KillHub(2) }()
	lost := body(nil)
	_, err := h.at(2).try("POST", "/v1/checkouts", "lost-key", lost)
	require.Error(t, err)
	var a answer
	for end := time.Now().Add(20 * time.Second); a.status != 201; time.Sleep(200 * time.Millisecond) {
		require.True(t, time.Now().Before(end), "nobody took it over: %s", a.raw)
		a = h.at(1).ask("POST", "/v1/checkouts", "lost-key", lost)
	}
	h.pay(a.NextAction.URL, visa)
	h.until(a.ID, "paid")
	require.Equal(t, 7, h.sessions())
}
