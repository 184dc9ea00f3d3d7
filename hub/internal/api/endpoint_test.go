package api_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/hub/internal/api"
	"github.com/superpayhub/superpay/hub/internal/jobs"
	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/hub/internal/notifications"
	"github.com/superpayhub/superpay/hub/internal/payments"
)

// withSender is a front with what sends notifications; nothing is sent.
func withSender(t *testing.T) *front {
	t.Helper()
	worker := jobs.New()
	f := newFront(t, func(o *api.Options) { o.Worker = worker })
	worker.Sender = notifications.New(f.DB, nil, 1, false)
	worker.Sender.Now = f.Clock.Now
	return f
}

func (f *front) add(url, key string) answer {
	f.T.Helper()
	return f.must("POST", "/v1/webhook_endpoints", fmt.Sprintf(`{"url":%q}`, url), "Idempotency-Key", key)
}

// TestEndpoints_AreMadeOnce: the request repeated is answered as the first time, with
// the secret; an address of an app is one endpoint, however it is written.
func TestEndpoints_AreMadeOnce(t *testing.T) {
	t.Parallel()
	f := withSender(t)
	const hook = "https://shop.example/hook"
	answers := make([]answer, 8)
	var all sync.WaitGroup
	for i := range answers {
		all.Go(func() {
			var err error
			answers[i], err = f.call("POST", "/v1/webhook_endpoints", `{"url":"`+hook+`"}`, "Idempotency-Key", "k1")
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	for _, a := range answers {
		require.Equal(t, 201, a.Status, a.Body)
		require.NotEmpty(t, a.Body["secret"])
		require.Equal(t, answers[0].Body, a.Body)
	}
	for _, again := range []string{hook, "HTTPS://Shop.Example:443/hook"} {
		a := f.must("POST", "/v1/webhook_endpoints", fmt.Sprintf(`{"url":%q}`, again))
		require.Equal(t, 409, a.Status, again)
		require.Equal(t, "endpoint_exists", a.code())
		require.Contains(t, a.Body["detail"], answers[0].Body["id"])
	}
	a := f.add("https://shop.example/other", "k1")
	require.Equal(t, 409, a.Status)
	require.Equal(t, "idempotency_key_reused", a.code())
	require.Equal(t, 201, f.add("https://shop.example/Hook", "k2").Status, "a path has its case")
	require.Len(t, f.must("GET", "/v1/webhook_endpoints", "").Body["data"], 2)
	require.Equal(t, 422, f.add(hook, "with space").Status)
}

// signing are the secrets that sign for the app's endpoints now.
func (f *front) signing() (secrets []string) {
	f.T.Helper()
	in := f.Input("charge")
	_, err := f.Service.Checkout(f.T.Context(), f.Caller(), in)
	require.NoError(f.T, err)
	claimed, err := f.DB.ClaimNotifications(f.T.Context(), f.Clock.Now(), 30, 100, 100, 100, []string{}, []string{})
	require.NoError(f.T, err)
	require.NotEmpty(f.T, claimed)
	return claimed[len(claimed)-1].Secrets
}

// TestEndpoints_RotatedTwice: a receiver that has any of the secrets before the newest
// goes on to understand the hub until the time is over that each of them was given.
func TestEndpoints_RotatedTwice(t *testing.T) {
	t.Parallel()
	f := withSender(t)
	f.Service.Render = api.Render
	made := f.add("https://shop.example/hook", "k1")
	id := made.Body["id"].(string)
	secrets := []string{made.Body["secret"].(string)}
	rotate := func(query, key string) answer {
		f.Clock.Advance(time.Second)
		headers := []string{}
		if key != "" {
			headers = []string{"Idempotency-Key", key}
		}
		return f.must("POST", "/v1/webhook_endpoints/"+id+"/rotate"+query, "", headers...)
	}
	for _, key := range []string{"r1", "r1", "", "r2"} { // a lost answer, and a double click
		a := rotate("", key)
		require.Equal(t, 200, a.Status, a.Body)
		if secret := a.Body["secret"].(string); !slices.Contains(secrets, secret) {
			secrets = append(secrets, secret)
		}
	}
	require.Len(t, secrets, 4)
	slices.Reverse(secrets) // the newest first
	require.Equal(t, secrets, f.signing())
	a := rotate("?overlap_hours=1", "r2")
	require.Equal(t, 409, a.Status)
	require.Equal(t, "idempotency_key_reused", a.code())

	f.Clock.Advance(23 * time.Hour)
	newest := rotate("?overlap_hours=1", "").Body["secret"].(string)
	require.Equal(t, append([]string{newest}, secrets...), f.signing())
	f.Clock.Advance(59 * time.Minute)
	require.Equal(t, append([]string{newest}, secrets...), f.signing())
	f.Clock.Advance(2 * time.Minute)
	require.Equal(t, []string{newest}, f.signing())

	for n := 1; n < 8; n++ {
		require.Equal(t, 200, rotate("", "").Status)
	}
	a = rotate("", "")
	require.Equal(t, 409, a.Status)
	require.Equal(t, "too_many_secrets", a.code())
	f.Clock.Advance(25 * time.Hour)
	last := rotate("?overlap_hours=0", "").Body["secret"].(string)
	require.Equal(t, []string{last}, f.signing(), "a secret that somebody else knows ends at once")
	require.Equal(t, 404, f.must("POST", "/v1/webhook_endpoints/whe_none/rotate", "").Status)
}

// TestEndpoints_ToldWhatTheyMissed: enabled again, an endpoint is told of each order
// that changed while it was disabled, once, as it is; and of nothing else.
func TestEndpoints_ToldWhatTheyMissed(t *testing.T) {
	t.Parallel()
	f := withSender(t)
	f.Service.Render = api.Render
	id := f.add("https://shop.example/hook", "k1").Body["id"].(string)
	before, during, both := f.Checkout("charge"), []string{}, f.Checkout("page")
	f.Clock.Advance(time.Hour)
	justBefore := f.Checkout("charge") // its notification may have been made by a hub whose clock is ahead
	f.Clock.Advance(time.Second)
	require.NoError(t, f.DB.DisableEndpoint(t.Context(), f.App.ID, id, "by hand", f.Clock.Now()))
	f.Clock.Advance(time.Minute)
	for range 120 {
		during = append(during, f.Checkout("charge").ID)
	}
	f.Told(f.Provider.Honest.Pay(both.Attempts[0].ID))
	missed := append(slices.Clone(during), both.ID)
	require.Len(t, f.Notified(both.ID), 1, "of before")
	f.Clock.Advance(time.Hour)
	require.Equal(t, 200, f.must("POST", "/v1/webhook_endpoints/"+id+"/enable", "").Status)
	f.Clock.Advance(time.Second)
	after := f.Checkout("charge")
	for range 200 { // life goes on, quicker than what was missed is told
		f.Checkout("charge")
	}
	_, err := f.Service.Refund(t.Context(), f.Caller(), during[0], payments.RefundInput{Amount: ledger.Minor(10)})
	require.NoError(t, err)
	f.Clock.Advance(time.Minute)
	for n := 0; ; n++ {
		more, err := f.Service.TellMissed(t.Context())
		require.NoError(t, err)
		if !more {
			break
		}
		require.Less(t, n, 2, "what changed since is not looked through")
	}
	for _, id := range missed {
		told := f.Notified(id)
		if id == both.ID {
			told = told[1:]
		}
		require.Len(t, told, 1, id)
		if id == during[0] {
			require.Contains(t, told[0], `"type":"order.partially_refunded"`)
			continue
		}
		require.Contains(t, told[0], `"type":"order.paid"`)
		require.Contains(t, told[0], fmt.Sprintf(`"version":%d`, f.Order(id).AppVersion()))
	}
	require.Len(t, f.Notified(before.ID), 1, "it was told then")
	require.Len(t, f.Notified(justBefore.ID), 1, "and is not told twice")
	require.Len(t, f.Notified(after.ID), 1)
	require.Zero(t, f.Count(`SELECT count(*) FROM webhook_endpoints WHERE missed_from IS NOT NULL`))
}
