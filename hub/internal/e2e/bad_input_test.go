package e2e

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestBadInput gets a clear 4xx that names the field, changes nothing, and
// never sends back what was sent.
func TestBadInput(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	const secret = "4242424242424242-should-never-come-back"
	long := strings.Repeat("x", 10_000)
	for name, c := range map[string]struct {
		change map[string]any
		param  string
	}{
		"no reference":           {map[string]any{"reference": nil}, "reference"},
		"no amount":              {map[string]any{"amount": nil}, "amount"},
		"no currency":            {map[string]any{"currency": nil}, "currency"},
		"no provider":            {map[string]any{"provider": nil}, "provider"},
		"no flow":                {map[string]any{"flow": nil}, "flow"},
		"reference of spaces":    {map[string]any{"reference": "  "}, "reference"},
		"reference of no width":  {map[string]any{"reference": "INV-1\u200b"}, "reference"},
		"reference, no-break":    {map[string]any{"reference": "INV\u00a01"}, "reference"},
		"long reference":         {map[string]any{"reference": long}, "reference"},
		"control character":      {map[string]any{"reference": "a\x00b"}, "reference"},
		"amount as text":         {map[string]any{"amount": "1050"}, "amount"},
		"amount zero":            {map[string]any{"amount": 0}, "amount"},
		"amount negative":        {map[string]any{"amount": -1}, "amount"},
		"amount with fraction":   {map[string]any{"amount": 10.5}, "amount"},
		"amount huge":            {map[string]any{"amount": 1e18}, "amount"},
		"currency lower case":    {map[string]any{"currency": "usd"}, "currency"},
		"currency unknown":       {map[string]any{"currency": "QQQ"}, "currency"},
		"currency a number":      {map[string]any{"currency": 840}, "currency"},
		"provider unknown":       {map[string]any{"provider": "nobody"}, "provider"},
		"flow unknown":           {map[string]any{"flow": "nothing"}, "flow"},
		"capture unknown":        {map[string]any{"capture": "later"}, "capture"},
		"input unknown":          {map[string]any{"input": map[string]any{"card": secret}}, "input.card"},
		"input not text":         {map[string]any{"input": map[string]any{"ui_mode": 1}}, "input.ui_mode"},
		"input not an option":    {map[string]any{"input": map[string]any{"ui_mode": secret}}, "input.ui_mode"},
		"unknown field":          {map[string]any{"card_number": secret}, "card_number"},
		"return_url http":        {map[string]any{"return_url": "http://shop.example/"}, "return_url"},
		"return_url script":      {map[string]any{"return_url": "javascript:alert(1)"}, "return_url"},
		"return_url relative":    {map[string]any{"return_url": "/thanks"}, "return_url"},
		"return_url with user":   {map[string]any{"return_url": "https://a:b@shop.example/"}, "return_url"},
		"cancel_url http":        {map[string]any{"cancel_url": "http://shop.example/"}, "cancel_url"},
		"expired already":        {map[string]any{"expires_at": "2020-01-01T00:00:00Z"}, "expires_at"},
		"expires_at nonsense":    {map[string]any{"expires_at": "tomorrow"}, "expires_at"},
		"quantity zero":          {map[string]any{"line_items": []any{map[string]any{"name": "a", "quantity": 0, "amount": 1}}}, "line_items[0].quantity"},
		"too many lines":         {map[string]any{"line_items": make([]any, 101)}, "line_items"},
		"metadata not text":      {map[string]any{"metadata": map[string]any{"a": 1}}, "metadata.a"},
		"metadata of the hub":    {map[string]any{"metadata": map[string]any{"superpay_attempt": "att_1"}}, "metadata"},
		"metadata value long":    {map[string]any{"metadata": map[string]any{"a": long}}, "metadata.a"},
		"customer not an e-mail": {map[string]any{"customer": map[string]any{"email": "nobody"}}, "customer.email"},
	} {
		a := h.ask("POST", "/v1/checkouts", unique("key"), body(c.change))
		require.Equal(t, 422, a.status, "%s: %s", name, a.raw)
		require.Equal(t, c.param, a.Param, "%s: %s", name, a.raw)
		require.NotContains(t, a.raw, secret, name)
		require.Equal(t, "application/problem+json", a.header.Get("Content-Type"), name)
		require.Contains(t, a.raw, `"request_id":"req_`, name)
	}
	for name, c := range map[string]struct {
		key, body string
		status    int
	}{
		"no key":        {"", `{}`, 422},
		"long key":      {long[:300], `{}`, 422},
		"no body":       {"k", ``, 422},
		"not JSON":      {"k", `{"amount":`, 400},
		"two documents": {"k", `{}{}`, 400},
		"a list":        {"k", `[]`, 422},
		"null":          {"k", `null`, 422},
		"not UTF-8":     {"k", "{\"reference\":\"\xff\xfe\"}", 400},
		"deep":          {"k", strings.Repeat(`{"a":`, 20000) + "1" + strings.Repeat("}", 20000), 400},
		"10 MB":         {"k", `{"reference":"` + strings.Repeat("x", 10<<20) + `"}`, 413},
	} {
		a, err := h.try("POST", "/v1/checkouts", c.key, c.body)
		if name == "10 MB" && err != nil {
			continue // the connection was closed while it was still being sent
		}
		require.NoError(t, err, name)
		require.True(t, a.status >= 400 && a.status < 500, "%s: %d %s", name, a.status, a.raw)
		if name != "deep" {
			require.Equal(t, c.status, a.status, "%s: %s", name, a.raw)
		}
	}
	require.Equal(t, 415, h.send("POST", "/v1/checkouts", "gzip", "application/json", packed(t)))
	require.Equal(t, 415, h.send("POST", "/v1/checkouts", "", "text/plain", []byte(`{}`)))
	require.Equal(t, 401, h.statusOf("GET", "/v1/orders"))
	require.Equal(t, 404, h.ask("GET", "/v1/nothing", "", nil).status)
	require.Equal(t, 405, h.ask("DELETE", "/v1/orders", "", nil).status)
	require.Equal(t, 404, h.statusOf("GET", "/return/att_nothing"))
	require.Equal(t, 404, h.statusOf("GET", "/return/att_01jd2v9q4x6m3k8n5p7r9s1t2w"))
	require.Equal(t, 422, h.ask("GET", "/v1/orders?limit=0", "", nil).status)
	require.Equal(t, 422, h.ask("GET", "/v1/orders?status=everything", "", nil).status)
	require.Equal(t, 0, h.count(`SELECT count(*) FROM orders`), "nothing was written")
	require.Equal(t, 0, h.count(`SELECT count(*) FROM operations`))

	o := h.paid(nil)
	for name, b := range map[string]any{
		"negative": map[string]any{"amount": -5}, "zero": map[string]any{"amount": 0}, "text": map[string]any{"amount": "1"},
		"unknown": map[string]any{"colour": "red"}, "not taken": map[string]any{"currency": "EUR"}, "more": map[string]any{"amount": 1051}, "stale": map[string]any{"expected_refundable": 5},
	} {
		a := h.ask("POST", "/v1/orders/"+o.ID+"/refunds", unique("key"), b)
		require.True(t, a.status == 422 || (name == "stale" || name == "not taken") && a.status == 409, "%s: %d %s", name, a.status, a.raw)
	}
	require.Equal(t, 422, h.ask("POST", "/v1/orders/"+o.ID+"/confirm", unique("key"), map[string]any{}).status)
	require.Equal(t, 409, h.ask("POST", "/v1/orders/"+o.ID+"/capture", unique("key"), map[string]any{}).status)
	require.Empty(t, h.books().Refunds)
}

// TestBadInput_LiveMode: with real money no URL leads over plain http, not even
// to this machine.
func TestBadInput_LiveMode(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	h.KillHub(0)
	require.NoError(t, h.StartHub(t.Context(), 0, "HUB_PROVIDERS__STRIPE__SETTINGS__SECRET_KEY=sk_live_nothing1234567890", "HUB_PROVIDERS__STRIPE__SETTINGS__API_URL=", "HUB_PROVIDERS__STRIPE__SETTINGS__PUBLISHABLE_KEY="))
	for _, param := range []string{"return_url", "cancel_url"} {
		a := h.ask("POST", "/v1/checkouts", unique("key"), body(map[string]any{"return_url": "https://shop.example/", "cancel_url": "https://shop.example/", param: "http://localhost:9/thanks"}))
		require.Equal(t, 422, a.status, a.raw)
		require.Equal(t, param, a.Param, a.raw)
	}
	require.Equal(t, 0, h.count(`SELECT count(*) FROM orders`))
}

// TestBadInput_OfFlows: what a flow asks for is checked before anything is
// asked of a provider, and a token pays once.
func TestBadInput_OfFlows(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	charge := func(input map[string]any) answer {
		return h.ask("POST", "/v1/checkouts", unique("key"), body(map[string]any{"flow": "charge", "input": input}))
	}
	for param, input := range map[string]map[string]any{
		"input.token":  {},
		"input.number": {"token": "tok_visa", "number": "4242424242424242"},
	} {
		a := charge(input)
		require.Equal(t, 422, a.status, a.raw)
		require.Equal(t, param, a.Param, a.raw)
		require.NotContains(t, a.raw, "4242")
	}
	require.Equal(t, 422, charge(map[string]any{"token": "../../v1/refunds"}).status)
	both := map[string]any{"finalize": "server", "payment_method": "pm_card_visa", "confirmation_token": "ctoken_1abc"}
	require.Equal(t, 422, h.ask("POST", "/v1/checkouts", unique("key"), body(map[string]any{"flow": "apple_pay", "input": both})).status)
	require.Empty(t, h.books().Payments)

	res, err := browser.PostForm(h.stripe.BaseURL+"/token-form?return=http%3A%2F%2Flocalhost%3A9%2F", url.Values{"card_number": {visa}, "expiry": {"12/34"}})
	require.NoError(t, err)
	res.Body.Close()
	to, err := res.Location()
	require.NoError(t, err)
	token := to.Query().Get("token")
	require.NotEmpty(t, token)
	first := charge(map[string]any{"token": token})
	require.Equal(t, 201, first.status, first.raw)
	require.Equal(t, "paid", first.Status)
	second := charge(map[string]any{"token": token})
	require.True(t, second.status == 422 || second.Status == "open", second.raw)
	require.Len(t, h.books().Captures, 1)
	require.NotContains(t, second.raw, token)

	// A confirm for what is finished, or of a flow that has none.
	a := h.ask("POST", "/v1/orders/"+ways[3].pay(h, nil).ID+"/confirm", unique("key"), map[string]any{})
	require.Equal(t, 200, a.status, a.raw)
	require.Equal(t, "paid", a.Status, "the payer's coming back was faster")
	require.Equal(t, 422, h.ask("POST", "/v1/orders/"+h.checkout(nil).ID+"/confirm", unique("key"), map[string]any{}).status)
	held := ways[4].pay(h, map[string]any{"capture": "manual"})
	require.Equal(t, 422, h.ask("POST", "/v1/orders/"+held.ID+"/capture", unique("key"), map[string]any{"amount": 1051}).status)
	require.Equal(t, 409, h.ask("POST", "/v1/orders/"+first.ID+"/refunds", unique("key"), map[string]any{"amount": 1, "currency": "EUR"}).status)
}

func packed(t *testing.T) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := w.Write(make([]byte, 1<<20))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return b.Bytes()
}

func (h *house) send(method, path, encoding, kind string, body []byte) int {
	req, _ := http.NewRequest(method, h.BaseURL+path, bytes.NewReader(body))
	req.Header.Set("Authorization", "Bearer "+h.key)
	req.Header.Set("Idempotency-Key", unique("key"))
	req.Header.Set("Content-Type", kind)
	if encoding != "" {
		req.Header.Set("Content-Encoding", encoding)
	}
	res, err := browser.Do(req)
	require.NoError(h.t, err)
	res.Body.Close()
	return res.StatusCode
}

// TestApps_SeeOnlyTheirOwn: another app's id is the same 404 as a random one,
// and a provider that is not granted does not exist.
func TestApps_SeeOnlyTheirOwn(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	o := h.paid(nil)
	refund := h.ask("POST", "/v1/orders/"+o.ID+"/refunds", unique("key"), map[string]any{"amount": 1})
	require.Equal(t, 201, refund.status)
	mine := h.key
	h.key = h.newApp("other")
	for path, random := range map[string]string{
		"/v1/orders/" + o.ID:             "/v1/orders/ord_01jd2v9q4x6m3k8n5p7r9s1t2w",
		"/v1/orders/" + o.ID + "/events": "/v1/orders/ord_01jd2v9q4x6m3k8n5p7r9s1t2w/events",
		"/v1/refunds/" + refund.ID:       "/v1/refunds/ref_01jd2v9q4x6m3k8n5p7r9s1t2w",
	} {
		theirs, none := h.ask("GET", path, "", nil), h.ask("GET", random, "", nil)
		require.Equal(t, 404, theirs.status)
		require.Equal(t, none.Detail, theirs.Detail)
		require.Equal(t, none.Code, theirs.Code)
	}
	for _, verb := range []string{"refunds", "capture", "cancel"} {
		require.Equal(t, 404, h.ask("POST", "/v1/orders/"+o.ID+"/"+verb, unique("key"), map[string]any{}).status, verb)
	}
	require.Equal(t, `{"data":[]}`, strings.TrimSpace(h.ask("GET", "/v1/orders", "", nil).raw))
	h.key = h.newApp("third", "stripe")
	h.count(`WITH d AS (DELETE FROM app_providers WHERE app_id = (SELECT id FROM apps WHERE name = 'third') RETURNING 1) SELECT count(*) FROM d`)
	a := h.ask("POST", "/v1/checkouts", unique("key"), body(nil))
	require.Equal(t, 422, a.status)
	require.Equal(t, "provider", a.Param)
	require.Equal(t, `{"data":[]}`, strings.TrimSpace(h.ask("GET", "/v1/providers", "", nil).raw))
	h.key = mine + "x"
	require.Equal(t, 401, h.ask("GET", "/v1/orders", "", nil).status)
	h.key = mine
}
