package e2e

import (
	"fmt"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/hub/internal/dev"
	"github.com/superpayhub/superpay/hub/internal/devpg/pgtest"
	"github.com/superpayhub/superpay/sdk/plugintest/standin"
)

// TestHubs_ThreeOnOneDatabase behave as one: they start together on an empty
// database, one key makes one order, and what a killed one leaves is taken over.
func TestHubs_ThreeOnOneDatabase(t *testing.T) {
	t.Parallel()
	h := open(t, func(o *dev.Options) {
		inRace(t, o)
		o.Hubs, o.CallTimeout = 3, 2*time.Second
	})
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

	t.Run("one address", func(t *testing.T) { inner := *h; inner.t = t; inner.oneAddress() })

	// The third hub dies in the middle of a call; another heals what it left.
	h.fault(standin.Fault{Method: "POST", Path: "/v1/checkout/sessions", Action: standin.Delay, DelayMS: 1500, Times: 1})
	go func() { time.Sleep(500 * time.Millisecond); h.KillHub(2) }()
	lost := body(nil)
	_, err := h.at(2).try("POST", "/v1/checkouts", "lost-key", lost)
	require.Error(t, err)
	var a answer
	for end := time.Now().Add(30 * time.Second); a.status != 201; time.Sleep(200 * time.Millisecond) {
		require.True(t, time.Now().Before(end), "nobody took it over: %s", a.raw)
		a = h.at(1).ask("POST", "/v1/checkouts", "lost-key", lost)
	}
	h.pay(a.NextAction.URL, visa)
	h.until(a.ID, "paid")
	require.Equal(t, 12, h.sessions())
}

// oneAddress is the three hubs behind a balancer that gives each request, of
// apps, payers and providers, to the next one.
func (h *house) oneAddress() {
	t := h.t
	var turn atomic.Int64
	balancer := httptest.NewServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		to, _ := url.Parse(h.BaseURLs[turn.Add(1)%3])
		r.SetURL(to)
	}})
	defer balancer.Close()
	h.BaseURL = balancer.URL
	require.NoError(t, h.stripe.SetWebhook(t.Context(), balancer.URL+"/callback/stripe"))
	require.NoError(t, h.paypal.SetWebhook(t.Context(), balancer.URL+"/callback/paypal"))
	defer func() {
		require.NoError(t, h.stripe.SetWebhook(t.Context(), h.BaseURLs[0]+"/callback/stripe"))
		require.NoError(t, h.paypal.SetWebhook(t.Context(), h.BaseURLs[0]+"/callback/paypal"))
	}()

	// Whoever answers knows what any of them wrote.
	for _, w := range []way{ways[0], ways[2], ways[5], ways[6]} {
		o := w.pay(h, nil)
		for part := int64(1); part <= 4; part++ {
			key, b := unique("key"), map[string]any{"amount": 100}
			r := h.ask("POST", "/v1/orders/"+o.ID+"/refunds", key, b)
			require.Equal(t, 201, r.status, r.raw)
			require.Equal(t, r.ID, h.ask("POST", "/v1/orders/"+o.ID+"/refunds", key, b).ID)
			a := h.ask("GET", "/v1/orders/"+o.ID, "", nil)
			require.Greater(t, a.Version, o.Version)
			require.Equal(t, 1050-100*part, a.Refundable, w.name)
			o.Version = a.Version
		}
	}

	// What is due is done by one of them.
	h.withhold()
	due := make([]answer, 4)
	for i := range due {
		due[i] = h.checkout(nil)
		h.pay(due[i].NextAction.URL, visa)
	}
	for _, o := range due {
		h.dueAgain(o)
	}
	for _, o := range due {
		h.until(o.ID, "paid")
	}
	requests, err := h.stripe.Requests(t.Context())
	require.NoError(t, err)
	for _, o := range due {
		reads := 0
		for _, r := range requests {
			if r.Method == "GET" && r.Path == "/v1/checkout/sessions/"+o.ref("checkout_session") {
				reads++
			}
		}
		require.Equal(t, 1, reads, "reads of %s", o.ID)
	}
	require.NoError(t, h.stripe.ClearFaults(t.Context()))
}

// TestHubs_StartTogetherOnAnEmptyDatabase: each brings the schema up to date,
// one after the other, and they are one hub to the providers.
func TestHubs_StartTogetherOnAnEmptyDatabase(t *testing.T) {
	t.Parallel()
	h := &house{t: t, House: &dev.House{DatabaseURL: pgtest.New(t), EncryptionKey: "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="}}
	var all sync.WaitGroup
	for i := range 3 {
		all.Go(func() {
			for _, args := range [][]string{{"migrate"}, {"app", "create", fmt.Sprint("app", i)}} {
				if out, err := h.hubCommand(args...).CombinedOutput(); err != nil {
					t.Errorf("%v: %v: %s", args, err, out)
				}
			}
		})
	}
	all.Wait()
	require.Equal(t, 3, h.count(`SELECT count(*) FROM apps`))
	require.Equal(t, 1, h.count(`SELECT count(*) FROM hub`))
}
