package sandbox_test

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/stripe/stripe-go/v76"

	"github.com/superpayhub/superpay/plugins/stripe/sandbox"
	"github.com/superpayhub/superpay/sdk/plugintest/standin"
)

// raw posts without the client library, to see bytes and headers.
func (s *stand) raw(method, path string, header map[string]string, form url.Values) (*http.Response, string) {
	s.t.Helper()
	req, err := http.NewRequest(method, s.base+path, strings.NewReader(form.Encode()))
	require.NoError(s.t, err)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Authorization", "Bearer "+testKey)
	for name, value := range header {
		req.Header.Set(name, value)
	}
	resp, err := web.Do(req)
	require.NoError(s.t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(s.t, err)
	return resp, string(body)
}

func sessionForm() url.Values {
	return url.Values{
		"mode": {"payment"}, "success_url": {"http://shop.test/done"}, "line_items[0][quantity]": {"1"},
		"line_items[0][price_data][currency]": {"usd"}, "line_items[0][price_data][unit_amount]": {"1000"},
		"line_items[0][price_data][product_data][name]": {"A lamp"},
	}
}

func TestAPI_IsAsStrictAsStripe(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	refused := func(want string, change func(url.Values)) {
		t.Helper()
		form := sessionForm()
		change(form)
		resp, body := s.raw("POST", "/v1/checkout/sessions", nil, form)
		require.Equal(t, http.StatusBadRequest, resp.StatusCode)
		require.NotEmpty(t, resp.Header.Get("Request-Id"))
		require.Contains(t, body, want)
	}
	refused("parameter_unknown", func(f url.Values) { f.Set("succes_url", "x") })
	refused("parameter_missing", func(f url.Values) { f.Del("success_url") })
	refused("parameter_invalid_integer", func(f url.Values) { f.Set("line_items[0][quantity]", "one") })
	refused("url_invalid", func(f url.Values) { f.Set("success_url", "javascript:alert(1)") })
	refused("cannot be expanded", func(f url.Values) { f.Set("expand[0]", "customer_details") })
	refused("resource_missing", func(f url.Values) {
		for name := range f {
			if strings.Contains(name, "price_data") {
				f.Del(name)
			}
		}
		f.Set("line_items[0][price]", "price_1")
	})

	resp, _ := s.raw("GET", "/v1/refunds/re_none", nil, nil)
	require.Equal(t, http.StatusNotFound, resp.StatusCode)
	resp, _ = s.raw("GET", "/v1/refunds?limit=101", nil, nil)
	require.Equal(t, http.StatusBadRequest, resp.StatusCode)
	resp, _ = s.raw("GET", "/v1/refunds", map[string]string{"Stripe-Version": "2024-06-20"}, nil)
	require.Equal(t, http.StatusBadRequest, resp.StatusCode)
	_, err := newAPI(s.base, "sk_test_wrong_key_0000").Refunds.Get("re_1", nil)
	require.Equal(t, http.StatusUnauthorized, stripeError(t, err).HTTPStatusCode)
	require.NotContains(t, err.Error(), "wrong_key")
	resp, _ = s.raw("GET", "/v1/nothing", nil, nil)
	require.Equal(t, http.StatusNotFound, resp.StatusCode)
}

func TestAPI_ListsPageBothWaysAndByTime(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	var ids []string
	for range 5 {
		ids = append(ids, s.create(hosted(1000, "usd")).ID)
		s.clock.advance(10 * time.Second)
	}
	p := &stripe.CheckoutSessionListParams{}
	p.Limit, p.EndingBefore, p.Single = stripe.Int64(2), &ids[0], true
	it := s.api.CheckoutSessions.List(p)
	require.NoError(t, it.Err())
	require.Equal(t, ids[2], it.CheckoutSessionList().Data[0].ID)
	require.True(t, it.CheckoutSessionList().HasMore)
	middle, err := s.api.CheckoutSessions.Get(ids[2], nil)
	require.NoError(t, err)
	p = &stripe.CheckoutSessionListParams{CreatedRange: &stripe.RangeQueryParams{GreaterThan: middle.Created}}
	require.Len(t, s.api.CheckoutSessions.List(p).CheckoutSessionList().Data, 2)
	items := s.api.CheckoutSessions.ListLineItems(&stripe.CheckoutSessionListLineItemsParams{Session: &ids[0]})
	require.True(t, items.Next())
	require.EqualValues(t, 1000, items.LineItem().AmountTotal)
}

func TestIdempotency_ReplaysTheFirstAnswer(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	key := map[string]string{"Idempotency-Key": "k1"}
	bad := sessionForm()
	bad.Set("mode", "x")
	resp, _ := s.raw("POST", "/v1/checkout/sessions", key, bad)
	require.Equal(t, http.StatusBadRequest, resp.StatusCode)
	resp, first := s.raw("POST", "/v1/checkout/sessions", key, sessionForm())
	require.Equal(t, http.StatusOK, resp.StatusCode, "a refused request does not use the key up")
	require.Empty(t, resp.Header.Get("Idempotent-Replayed"))
	resp, second := s.raw("POST", "/v1/checkout/sessions", key, sessionForm())
	require.Equal(t, first, second, "byte for byte")
	require.Equal(t, "true", resp.Header.Get("Idempotent-Replayed"))

	other := sessionForm()
	other.Set("client_reference_id", "2")
	resp, body := s.raw("POST", "/v1/checkout/sessions", key, other)
	require.Equal(t, http.StatusBadRequest, resp.StatusCode)
	require.Contains(t, body, "idempotency_error")
	resp, _ = s.raw("POST", "/v1/refunds", key, sessionForm())
	require.Equal(t, http.StatusBadRequest, resp.StatusCode)
}

func TestIdempotency_RefusesAKeyInUse(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	require.NoError(t, s.doors.AddFault(t.Context(), standin.Fault{Action: standin.Delay, DelayMS: 300, Times: 1}))
	var both sync.WaitGroup
	statuses := make(chan int, 2)
	for range 2 {
		both.Go(func() {
			resp, _ := s.raw("POST", "/v1/checkout/sessions", map[string]string{"Idempotency-Key": "k"}, sessionForm())
			statuses <- resp.StatusCode
		})
		time.Sleep(100 * time.Millisecond)
	}
	both.Wait()
	require.Equal(t, http.StatusConflict, <-statuses)
	require.Equal(t, http.StatusOK, <-statuses)
}

func TestIdempotency_DisabledDoublesMoney(t *testing.T) {
	t.Parallel()
	s := newStand(t, func(o *sandbox.Options) { o.Disable = []string{"idempotency"} })
	pi := s.paid(hosted(1000, "usd"), good)
	for range 2 {
		p := refundOf(pi, 100)
		p.SetIdempotencyKey("same")
		_, err := s.api.Refunds.New(p)
		require.NoError(t, err)
	}
	require.Len(t, s.server.Books().Refunds, 2)
}

func TestFaults_DropAfterThenReplay(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	s.create(hosted(500, "usd")) // so that the connection is one used before
	for _, action := range []standin.Action{standin.DropBefore, standin.DropAfter, standin.Cut, standin.Empty, standin.HTML} {
		require.NoError(t, s.doors.AddFault(t.Context(), standin.Fault{
			Method: "POST", Path: "/v1/checkout/sessions", Action: action, Times: 1,
		}))
		p := hosted(1000, "usd")
		p.SetIdempotencyKey("key-" + string(action))
		_, err := s.api.CheckoutSessions.New(p)
		require.Error(t, err, action)
		var list []string
		for it := s.api.CheckoutSessions.List(&stripe.CheckoutSessionListParams{}); it.Next(); {
			list = append(list, it.CheckoutSession().ID)
		}
		again, err := s.api.CheckoutSessions.New(p)
		require.NoError(t, err)
		if action == standin.DropBefore {
			require.NotContains(t, list, again.ID)
		} else {
			require.Equal(t, list[0], again.ID, "the replay finds what %s hid", action)
		}
	}
}

func TestFaults_StatusReplaceAndAfter(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	cs := s.create(hosted(1000, "usd"))
	require.NoError(t, s.doors.AddFault(t.Context(), standin.Fault{
		Path: "/v1/checkout/sessions/", Action: standin.Replace, After: 1, Times: 1, Fields: map[string]any{"amount_total": 1, "*.currency": "eur"},
	}))
	get := func() (*stripe.CheckoutSession, error) { return s.api.CheckoutSessions.Get(cs.ID, nil) }
	for _, want := range []int64{1000, 1, 1000} {
		got, err := get()
		require.NoError(t, err)
		require.Equal(t, want, got.AmountTotal)
	}
	require.NoError(t, s.doors.AddFault(t.Context(), standin.Fault{Action: standin.Status, StatusCode: 500, Body: `{"error":{"type":"api_error"}}`}))
	_, err := get()
	require.Equal(t, 500, stripeError(t, err).HTTPStatusCode)
	require.NoError(t, s.doors.ClearFaults(t.Context()))
	_, err = get()
	require.NoError(t, err)
	require.Error(t, s.doors.AddFault(t.Context(), standin.Fault{Action: "explode"}))

	log, err := s.doors.Requests(t.Context())
	require.NoError(t, err)
	require.Contains(t, log[0].Body, "unit_amount")
	for _, r := range log {
		require.NotContains(t, r.Body+r.Query, testKey)
	}
}

func TestCallbacks_AreRepeatedAndSignedAnew(t *testing.T) {
	t.Parallel()
	s := newStand(t, func(o *sandbox.Options) { o.Backoff = []time.Duration{1100 * time.Millisecond, 10 * time.Millisecond} })
	s.hook.failNext(1, http.StatusFound)
	cs := s.create(hosted(1000, "usd"))
	_, err := s.api.CheckoutSessions.Expire(cs.ID, nil)
	require.NoError(t, err)
	s.eventually("checkout.session.expired", "checkout.session.expired")
	s.hook.mu.Lock()
	defer s.hook.mu.Unlock()
	require.NotEqual(t, s.hook.stamps[0], s.hook.stamps[1], "a repeat has its own time")
	require.Equal(t, s.hook.events[0].ID, s.hook.events[1].ID)
}

func TestCallbacks_WithheldDuplicatedAndResent(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	require.NoError(t, s.doors.AddFault(t.Context(), standin.Fault{Callback: "payment_intent.", Action: standin.Withhold}))
	require.NoError(t, s.doors.AddFault(t.Context(), standin.Fault{Callback: "charge.succeeded", Action: standin.Duplicate, Count: 3}))
	s.paid(hosted(1000, "usd"), good)
	s.eventually("charge.succeeded", "charge.succeeded", "charge.succeeded", "checkout.session.completed")
	n, err := s.doors.Release(t.Context(), standin.ReleaseOrder{Reverse: true})
	require.NoError(t, err)
	require.Equal(t, 2, n)
	s.event("payment_intent.created")
	types := s.hook.types()
	require.Equal(t, []string{"payment_intent.succeeded", "payment_intent.created"}, types[len(types)-2:])

	list, err := s.doors.Callbacks(t.Context())
	require.NoError(t, err)
	require.NoError(t, s.doors.Resend(t.Context(), list[0].ID))
	require.Eventually(t, func() bool { return len(s.hook.types()) == len(types)+1 }, 30*time.Second, 5*time.Millisecond)
	require.Error(t, s.doors.Resend(t.Context(), "evt_none"))
}

func TestCallbacks_WrongSecretDoesNotVerify(t *testing.T) {
	t.Parallel()
	s := newStand(t, func(o *sandbox.Options) { o.Disable, o.Backoff = []string{"signing"}, []time.Duration{} })
	s.paid(hosted(1000, "usd"), good)
	require.Eventually(t, func() bool {
		s.hook.mu.Lock()
		defer s.hook.mu.Unlock()
		return len(s.hook.errs) == 4
	}, 30*time.Second, 5*time.Millisecond)
	require.Empty(t, s.hook.types())
}

func TestCallbacks_EventsAreOnRecordAndAnotherVersionCanBeSent(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	require.NoError(t, s.doors.SetWebhook(t.Context(), ""))
	s.paid(hosted(1000, "usd"), good)
	it := s.api.Events.List(&stripe.EventListParams{Type: stripe.String("charge.*")})
	require.True(t, it.Next())
	require.Equal(t, "2023-10-16", it.Event().APIVersion)
	require.NoError(t, s.doors.SetWebhook(t.Context(), s.hook.url))
	req, _ := http.NewRequest("PUT", s.base+"/_sandbox/event_version", strings.NewReader(`{"version":"2025-03-31.basil"}`))
	resp, err := web.Do(req)
	require.NoError(t, err)
	resp.Body.Close()
	s.paid(hosted(1000, "usd"), good)
	require.Eventually(t, func() bool {
		s.hook.mu.Lock()
		defer s.hook.mu.Unlock()
		return len(s.hook.errs) > 0 && strings.Contains(s.hook.errs[0].Error(), "API version")
	}, 30*time.Second, 5*time.Millisecond)
	we, err := s.api.WebhookEndpoints.New(&stripe.WebhookEndpointParams{
		URL: stripe.String(s.hook.url), EnabledEvents: stripe.StringSlice([]string{"charge.succeeded"}), APIVersion: stripe.String("2023-10-16"),
	})
	require.NoError(t, err)
	require.NotEmpty(t, we.Secret)
}
