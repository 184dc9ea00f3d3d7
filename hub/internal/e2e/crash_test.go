package e2e

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/hub/internal/dev"
	"github.com/superpayhub/superpay/sdk/plugintest/standin"
)

// TestCrash_PluginKilledDuringACheckout: the attempt is unknown, the plugin is
// back within a second, and the attempt heals without a second session.
func TestCrash_PluginKilledDuringACheckout(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	h.fault(standin.Fault{Method: "POST", Path: "/v1/checkout/sessions", Action: standin.Delay, DelayMS: 1500, Times: 1})
	b := body(nil)
	done := make(chan answer, 1)
	go func() {
		a, _ := h.try("POST", "/v1/checkouts", "key", b)
		done <- a
	}()
	time.Sleep(500 * time.Millisecond)
	pid := h.pluginPID("stripe")
	require.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
	killed := time.Now()
	a := <-done
	require.Equal(t, 202, a.status, a.raw)
	require.Equal(t, "unknown", a.Attempts[0].Status)
	require.Less(t, time.Since(killed), 5*time.Second)
	for h.pluginPID("stripe") == pid || h.pluginPID("stripe") == 0 {
		require.Less(t, time.Since(killed), 5*time.Second, "the plugin is not back")
		time.Sleep(20 * time.Millisecond)
	}
	healed := h.when(a.ID, "healed", func(a answer) bool { return a.Attempts[0].Status == "requires_action" })
	require.Equal(t, 1, h.sessions(), "one session")
	require.Equal(t, healed.NextAction.URL, h.ask("POST", "/v1/checkouts", "key", b).NextAction.URL)
	h.pay(healed.NextAction.URL, visa)
	h.until(a.ID, "paid")
}

// TestCrash_HubKilled: after the record, during the call, and before the
// outcome is recorded. After the restart there is one session, nothing is
// doubled, and the same key answers.
func TestCrash_HubKilled(t *testing.T) {
	t.Parallel()
	for _, at := range []string{"recorded", "calling", "answered"} {
		t.Run(at, func(t *testing.T) {
			t.Parallel()
			h := open(t, func(o *dev.Options) { o.CallTimeout = 2 * time.Second })
			crash := func(method, path, key string, body any) {
				if at == "calling" {
					h.fault(standin.Fault{Method: "POST", Path: "/v1/", Action: standin.Delay, DelayMS: 1200, Times: 1})
					go func() { time.Sleep(400 * time.Millisecond); h.KillHub(0) }()
				} else {
					h.KillHub(0)
					require.NoError(t, h.StartHub(t.Context(), 0, "HUB_CRASH_AT="+at))
				}
				_, err := h.try(method, path, key, body)
				require.Error(t, err, "the hub must die in this request")
				h.KillHub(0)
				require.NoError(t, h.StartHub(t.Context(), 0))
			}
			answers := func(method, path, key string, body any) answer {
				t.Helper()
				var a answer
				for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
					var err error
					a, err = h.try(method, path, key, body)
					if err == nil && (a.status == 200 || a.status == 201) {
						return a
					}
					require.True(t, err != nil || a.status == 409 || a.status == 202 || a.status == 503, a.raw)
				}
				t.Fatalf("the key never answers: %d %s", a.status, a.raw)
				return a
			}
			b := body(nil)
			crash("POST", "/v1/checkouts", "key", b)
			a := answers("POST", "/v1/checkouts", "key", b)
			h.pay(a.NextAction.URL, visa)
			h.until(a.ID, "paid")
			require.Equal(t, 1, h.sessions(), "one session")

			refund := map[string]any{"amount": 400}
			crash("POST", "/v1/orders/"+a.ID+"/refunds", "refund", refund)
			r := answers("POST", "/v1/orders/"+a.ID+"/refunds", "refund", refund)
			require.Equal(t, "succeeded", r.Status, r.raw)
			require.Len(t, h.books().Refunds, 1, "one refund")
			require.Equal(t, int64(400), h.until(a.ID, "partially_refunded").Refunded)
		})
	}
}

// TestCrash_ShutdownLetsCallsFinish: SIGTERM in the middle of a call still answers it.
func TestCrash_ShutdownLetsCallsFinish(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	h.fault(standin.Fault{Method: "POST", Path: "/v1/checkout/sessions", Action: standin.Delay, DelayMS: 1000, Times: 1})
	done := make(chan answer, 1)
	go func() {
		a, err := h.try("POST", "/v1/checkouts", "key", body(nil))
		if err != nil {
			a.raw = err.Error()
		}
		done <- a
	}()
	time.Sleep(400 * time.Millisecond)
	require.NoError(t, syscall.Kill(h.hubPID(), syscall.SIGTERM))
	a := <-done
	require.Equal(t, 201, a.status, a.raw)
	h.KillHub(0)
	require.NoError(t, h.StartHub(t.Context(), 0))
	require.Equal(t, "open", h.ask("GET", "/v1/orders/"+a.ID, "", nil).Status)
}

// TestCrash_ProviderDown is answered 503 for that provider alone, and writes nothing.
func TestCrash_ProviderDown(t *testing.T) {
	t.Parallel()
	h := open(t, func(o *dev.Options) { o.StripeWebhookSecret, o.StripeSecretKey = "", "" })
	h.KillHub(0)
	require.NoError(t, h.StartHub(t.Context(), 0, "HUB_PROVIDERS__STRIPE__SETTINGS__WEBHOOK_SECRET="))
	res := h.ask("GET", "/v1/providers", "", nil)
	require.Contains(t, res.raw, `"status":"down"`, "without a configured secret the provider does not start")
	a := h.ask("POST", "/v1/checkouts", "key", body(nil))
	require.Equal(t, 503, a.status, a.raw)
	require.NotEmpty(t, a.header.Get("Retry-After"))
	require.Equal(t, 503, h.callback("t=1,v1=00", []byte("{}")))
	require.Equal(t, 0, h.count(`SELECT count(*) FROM orders`))
	require.Equal(t, 200, h.statusOf("GET", "/readyz"))
	require.False(t, strings.Contains(res.raw, "whsec_"))
}
