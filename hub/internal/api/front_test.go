package api_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/hub/internal/access"
	"github.com/superpayhub/superpay/hub/internal/api"
	"github.com/superpayhub/superpay/hub/internal/assets"
	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/hub/internal/payments"
	"github.com/superpayhub/superpay/hub/internal/payments/paytest"
	"github.com/superpayhub/superpay/hub/internal/postgres"
	"github.com/superpayhub/superpay/sdk"
)

// front is the API before a payments service with a scripted provider.
type front struct {
	*paytest.Env
	app *fiber.App
	key string
}

func newFront(t *testing.T, change func(*api.Options)) *front {
	t.Helper()
	e := paytest.New(t, paytest.Options{Service: func(o *payments.Options) { o.CallTimeout = time.Minute }})
	o := api.Options{
		Payments: e.Service, DB: e.DB, Providers: e.Registry, PublicURL: "https://hub.example",
		Logger: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry(), Assets: &assets.Files{},
	}
	if change != nil {
		change(&o)
	}
	f := &front{Env: e, app: api.New(o), key: access.NewKey()}
	require.NoError(t, e.DB.AddKey(t.Context(), postgres.NewKey{
		ID: "key_1", AppID: e.App.ID, Hint: access.Hint(f.key), Hash: access.HashKey(f.key), CreatedAt: e.Clock.Now(),
	}))
	return f
}

// answer is what a call was answered with.
type answer struct {
	Status int
	Header http.Header
	Body   map[string]any
}

func (a answer) code() string {
	code, _ := a.Body["code"].(string)
	return code
}

// call asks the API as the app; headers are pairs of name and value.
func (f *front) call(method, path, body string, headers ...string) (answer, error) {
	r := httptest.NewRequestWithContext(context.Background(), method, path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+f.key)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	res, err := f.app.Test(r, -1)
	if err != nil {
		return answer{}, err
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		return answer{}, err
	}
	a := answer{Status: res.StatusCode, Header: res.Header}
	if len(raw) > 0 {
		err = json.Unmarshal(raw, &a.Body)
	}
	return a, err
}

func (f *front) must(method, path, body string, headers ...string) answer {
	f.T.Helper()
	a, err := f.call(method, path, body, headers...)
	require.NoError(f.T, err)
	return a
}

// checkout makes an order through the front door.
func (f *front) checkout(n int) answer {
	f.T.Helper()
	body := fmt.Sprintf(`{"reference":"r-%d","amount":10000,"currency":"USD","provider":%q,"flow":%q}`, n, paytest.Name, paytest.FlowPage)
	a := f.must("POST", "/v1/checkouts", body, "Idempotency-Key", fmt.Sprintf("k-%d", n))
	require.Equal(f.T, 201, a.Status, a.Body)
	return a
}

// TestOrders_EveryPageBeginsWhereTheLastEnded: each order once, the newest
// first, whatever the page's size and filter.
func TestOrders_EveryPageBeginsWhereTheLastEnded(t *testing.T) {
	t.Parallel()
	f := newFront(t, nil)
	var want []string
	for n := range 7 {
		f.Clock.Advance(time.Second)
		id, _ := f.checkout(n).Body["id"].(string)
		want = append([]string{id}, want...)
	}
	for _, query := range []string{"limit=1", "limit=2", "limit=3", "limit=7", "limit=100", "limit=3&status=open", "limit=3&from=2020-01-01T00:00:00Z"} {
		var got []string
		for cursor, pages := "", 0; ; pages++ {
			require.Less(t, pages, 10, query)
			a := f.must("GET", "/v1/orders?"+query+"&cursor="+cursor, "")
			require.Equal(t, 200, a.Status)
			for _, o := range a.Body["data"].([]any) {
				got = append(got, o.(map[string]any)["id"].(string))
			}
			cursor, _ = a.Body["next"].(string)
			if cursor == "" {
				break
			}
		}
		require.Equal(t, want, got, query)
	}
	require.Empty(t, f.must("GET", "/v1/orders?status=paid", "").Body["data"])
}

// TestOrders_AreOfTheirAppAlone: another app's order is as unknown as a random one.
func TestOrders_AreOfTheirAppAlone(t *testing.T) {
	t.Parallel()
	f := newFront(t, nil)
	other, err := f.DB.EnsureApp(t.Context(), "app_2", "another shop", []string{"*"}, f.Clock.Now())
	require.NoError(t, err)
	key := access.NewKey()
	require.NoError(t, f.DB.AddKey(t.Context(), postgres.NewKey{ID: "key_2", AppID: other.ID, Hint: access.Hint(key), Hash: access.HashKey(key), CreatedAt: f.Clock.Now()}))
	id, _ := f.checkout(1).Body["id"].(string)
	f.key = key
	for _, c := range []struct{ method, path, body string }{
		{"GET", "/v1/orders/" + id, ""},
		{"GET", "/v1/orders/" + id + "/events", ""},
		{"POST", "/v1/orders/" + id + "/cancel", ""},
		{"POST", "/v1/orders/" + id + "/capture", "{}"},
		{"POST", "/v1/orders/" + id + "/confirm", "{}"},
		{"POST", "/v1/orders/" + id + "/refunds", "{}"},
		{"POST", "/v1/orders/" + id + "/checkouts", fmt.Sprintf(`{"provider":%q,"flow":%q}`, paytest.Name, paytest.FlowPage)},
	} {
		a := f.must(c.method, c.path, c.body, "Idempotency-Key", "other-"+c.path)
		require.Equal(t, 404, a.Status, c.path)
		require.Equal(t, "not_found", a.code(), c.path)
	}
	require.Len(t, f.Moves(), 1)
	require.Empty(t, f.must("GET", "/v1/orders", "").Body["data"])
}

// TestOverload_Answers503: what the hub could only queue is refused at once, and
// what waits for a provider takes no place of what does not.
func TestOverload_Answers503(t *testing.T) {
	t.Parallel()
	f := newFront(t, func(o *api.Options) { o.MaxActive = 1 })
	f.checkout(0)

	held, arrived, release := paytest.Held(f.Provider.Honest.CreateCheckout)
	f.Provider.Script(func(s *paytest.Script) { s.CreateCheckout = held })
	waits := make(chan answer, 1)
	go func() {
		body := fmt.Sprintf(`{"reference":"r","amount":10000,"currency":"USD","provider":%q,"flow":%q}`, paytest.Name, paytest.FlowPage)
		a, _ := f.call("POST", "/v1/checkouts", body, "Idempotency-Key", "k")
		waits <- a
	}()
	<-arrived
	require.Equal(t, 200, f.must("GET", "/v1/orders", "").Status, "one waits for the provider, and one asks")
	release()
	require.Equal(t, 201, (<-waits).Status)

	// One that the database does not answer has the hub's only place.
	tx, err := f.SQL.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	defer func() { _ = tx.Rollback() }()
	_, err = tx.ExecContext(t.Context(), `LOCK TABLE orders IN ACCESS EXCLUSIVE MODE`)
	require.NoError(t, err)
	go func() {
		a, _ := f.call("GET", "/v1/orders", "")
		waits <- a
	}()
	require.Eventually(t, func() bool {
		return f.Count(`SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'orders'::regclass`) > 0
	}, time.Minute, 5*time.Millisecond)
	before := len(f.Moves())
	a := f.must("POST", "/v1/checkouts", `{}`, "Idempotency-Key", "k-2")
	require.Equal(t, 503, a.Status)
	require.Equal(t, "overloaded", a.code())
	require.NotEmpty(t, a.Header.Get("Retry-After"))
	require.Len(t, f.Moves(), before)
	require.Equal(t, 200, f.must("GET", "/healthz", "").Status)
	require.NoError(t, tx.Rollback())
	require.Equal(t, 200, (<-waits).Status)
	f.checkout(1)
}

// TestOverload_CallbacksOfOneProvider are bounded on their own: more than that
// at once are to be sent again.
func TestOverload_CallbacksOfOneProvider(t *testing.T) {
	t.Parallel()
	f := newFront(t, nil)
	held, arrived, release := paytest.Held(func(context.Context, sdk.CallbackRequest) (*sdk.CallbackResult, error) {
		return &sdk.CallbackResult{Verdict: sdk.Genuine}, nil
	})
	f.Provider.Script(func(s *paytest.Script) { s.HandleCallback = held })
	const most = 128
	answers := make(chan answer, most)
	for range most {
		go func() {
			a, _ := f.call("POST", "/callback/"+paytest.Name, `{}`)
			answers <- a
		}()
	}
	for range most {
		<-arrived
	}
	a := f.must("POST", "/callback/"+paytest.Name, `{}`)
	require.Equal(t, 503, a.Status)
	require.NotEmpty(t, a.Header.Get("Retry-After"))
	release()
	for range most {
		require.Equal(t, 200, (<-answers).Status)
	}
	require.Len(t, f.Provider.Calls("HandleCallback"), most)
}

// TestOutcomes_HaveTheirStatus: what became of the asking decides how a call is answered.
func TestOutcomes_HaveTheirStatus(t *testing.T) {
	t.Parallel()
	f := newFront(t, nil)
	for name, test := range map[string]struct {
		err    error
		status int
		code   string
	}{
		"rejected": {sdk.Rejected(sdk.Failure{Code: sdk.FailureAmount, ProviderCode: "too_small"}), 422, "provider_rejected"},
		"not sent": {sdk.NotSent("no route"), 503, "not_sent"},
		"unknown":  {paytest.ErrBroken, 202, ""},
		"done":     {nil, 201, ""},
	} {
		f.Provider.Script(func(s *paytest.Script) {
			s.CreateCheckout = nil
			if test.err != nil {
				s.CreateCheckout = paytest.Fails[sdk.CheckoutRequest, sdk.Payment](test.err)
			}
		})
		body := fmt.Sprintf(`{"reference":%q,"amount":10000,"currency":"USD","provider":%q,"flow":%q}`, name, paytest.Name, paytest.FlowPage)
		a := f.must("POST", "/v1/checkouts", body, "Idempotency-Key", "k-"+strings.ReplaceAll(name, " ", "-"))
		require.Equal(t, test.status, a.Status, name)
		require.Equal(t, test.code, a.code(), name)
		require.Equal(t, test.status == 503, a.Header.Get("Retry-After") != "", name)
	}
	require.Equal(t, 1, f.Count(`SELECT count(*) FROM orders WHERE status = $1`, string(ledger.OrderPending)))
}

// TestKey_RefusedAndMadeAfterwards: what is remembered of a bad key is forgotten in
// time, and a flood of others changes nothing for a good one.
func TestKey_RefusedAndMadeAfterwards(t *testing.T) {
	t.Parallel()
	f := newFront(t, nil)
	good, late := f.key, access.NewKey()
	for i := range 1100 {
		f.key = fmt.Sprintf("%s%d", late, i)
		a := f.must("GET", "/v1/orders", "")
		require.Equal(t, 401, a.Status)
		require.Equal(t, "unauthorized", a.code())
	}
	f.key = good
	require.Equal(t, 200, f.must("GET", "/v1/orders", "").Status)
	f.key = late
	for range 3 {
		require.Equal(t, 401, f.must("GET", "/v1/orders", "").Status)
	}
	require.NoError(t, f.DB.AddKey(t.Context(), postgres.NewKey{ID: "key_2", AppID: f.App.ID, Hint: access.Hint(late), Hash: access.HashKey(late), CreatedAt: f.Clock.Now()}))
	require.Eventually(t, func() bool { return f.must("GET", "/v1/orders", "").Status == 200 }, 5*time.Second, 50*time.Millisecond)
}
