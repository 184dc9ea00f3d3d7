package api_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/hub/internal/payments/paytest"
)

// TestRequests_ThatAskForTheSame under one key are one request, however they are
// written.
func TestRequests_ThatAskForTheSame(t *testing.T) {
	t.Parallel()
	f := newFront(t, nil)
	body := func(reference, expires, more string) string {
		return fmt.Sprintf(`{"reference":%q,"amount":10000,"currency":"USD","provider":%q,"flow":%q,"expires_at":%q%s}`, reference, paytest.Name, paytest.FlowPage, expires, more)
	}
	at := f.Clock.Now().AddDate(0, 0, 2).UTC()
	utc, tokyo := at.Format("2006-01-02T15:04:05Z"), at.Add(9*60*60*1e9).Format("2006-01-02T15:04:05")+"+09:00"
	first := f.must("POST", "/v1/checkouts", body("r1", utc, ""), "Idempotency-Key", "k")
	require.Equal(t, 201, first.Status, first.Body)
	for _, same := range []string{
		body("r1", tokyo, ""), body(" r1 ", utc, ""), body("r1", utc, `,"metadata":{}`), body("r1", utc, `,"input":{}`), body("r1", utc, `,"line_items":[]`),
		body("r1", utc, `,"customer":{}`), body("r1", utc, `,"capture":"automatic"`),
	} {
		a := f.must("POST", "/v1/checkouts", same, "Idempotency-Key", "k")
		require.Equal(t, 201, a.Status, same)
		require.Equal(t, first.Body["id"], a.Body["id"])
	}
	for _, other := range []string{body("r1", at.AddDate(0, 0, 1).Format("2006-01-02T15:04:05Z"), ""), body("r1", utc, `,"metadata":{"a":"b"}`)} {
		require.Equal(t, "idempotency_key_reused", f.must("POST", "/v1/checkouts", other, "Idempotency-Key", "k").code(), other)
	}
	require.Len(t, f.Moves(), 1)
}

// TestRequests_ByTheirHeaders: the scheme's case does not matter, and of two keys
// nobody can tell which counts.
func TestRequests_ByTheirHeaders(t *testing.T) {
	t.Parallel()
	f := newFront(t, nil)
	for _, scheme := range []string{"Bearer", "bearer", "BEARER"} {
		require.Equal(t, 200, f.must("GET", "/v1/orders", "", "Authorization", scheme+" "+f.key).Status, scheme)
	}
	for _, wrong := range []string{f.key, "Basic " + f.key, "Bearer", "Bearer  " + f.key, "Bearer" + f.key} {
		require.Equal(t, 401, f.must("GET", "/v1/orders", "", "Authorization", wrong).Status, wrong)
	}
	id, _ := f.checkout(1).Body["id"].(string)
	r := httptest.NewRequestWithContext(context.Background(), "POST", "/v1/orders/"+id+"/cancel", strings.NewReader("{}"))
	r.Header.Set("Authorization", "Bearer "+f.key)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Add("Idempotency-Key", "a")
	r.Header.Add("Idempotency-Key", "b")
	res, err := f.app.Test(r, -1)
	require.NoError(t, err)
	defer res.Body.Close()
	require.Equal(t, 422, res.StatusCode)
	require.Len(t, f.Moves(), 1)
}

// TestReturn_KeepsTheAppsQuery byte by byte: it may be signed.
func TestReturn_KeepsTheAppsQuery(t *testing.T) {
	t.Parallel()
	f := newFront(t, nil)
	for query, want := range map[string]string{
		"":                              "",
		"?":                             "",
		"?b=2&a=1&c":                    "b=2&a=1&c&",
		"?sig=a%2Fb+c%20d&x=%7E~&e=%c3": "sig=a%2Fb+c%20d&x=%7E~&e=%c3&",
		"?status=mine&order_id=1&a=1":   "a=1&",
	} {
		in := f.Input(paytest.FlowPage)
		in.ReturnURL = "https://shop.example/thanks" + query
		a, err := f.Service.Checkout(t.Context(), f.Caller(), in)
		require.NoError(t, err, query)
		back := f.must("GET", "/return/"+a.Order.Attempts[0].ID, "")
		require.Equal(t, 303, back.Status, query)
		require.Equal(t, "https://shop.example/thanks?"+want+"order_id="+a.Order.ID+"&status=open", back.Header.Get("Location"))
	}
}

// TestRequests_WithAStrangeQuery: a name that a call does not have, or one given twice,
// would be ignored, and another thing done than was meant.
func TestRequests_WithAStrangeQuery(t *testing.T) {
	t.Parallel()
	f := newFront(t, nil)
	id, _ := f.checkout(1).Body["id"].(string)
	moves := len(f.Moves())
	for path, param := range map[string]string{
		"/v1/orders?stat=paid": "stat", "/v1/orders?status=paid&status=open": "status", "/v1/orders?Status=paid": "Status",
		"/v1/orders/" + id + "?a=1": "a", "/v1/orders?%zz": "query",
	} {
		a := f.must("GET", path, "")
		require.Equal(t, 422, a.Status, path)
		require.Equal(t, param, a.Body["param"], path)
	}
	for _, verb := range []string{"refunds", "capture", "cancel"} {
		a := f.must("POST", "/v1/orders/"+id+"/"+verb+"?amount=100", "{}", "Idempotency-Key", "k-"+verb)
		require.Equal(t, 422, a.Status, verb)
		require.Equal(t, "amount", a.Body["param"], verb)
	}
	require.Len(t, f.Moves(), moves)
}
