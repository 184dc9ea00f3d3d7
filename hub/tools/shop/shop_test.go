package main

import (
	"html"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

const (
	orderID = "ord_01jpxabcdefghjkmnpqrstvwx0"
	key1    = "0123456789abcdef0123456789abcdef"
)

// visitor is a browser at a shop whose hub is fake.
type visitor struct {
	t    *testing.T
	hub  *fakeHub
	url  string
	http *http.Client
	logs *strings.Builder
}

func visit(t *testing.T) *visitor {
	t.Helper()
	return visitWith(t, nil)
}

// standIns is where the tests' stand-ins are said to be.
const standIns = "http://127.0.0.1:9/stands"

// visitStandIns visits a shop that knows where the stand-ins are.
func visitStandIns(t *testing.T) *visitor {
	t.Helper()
	at, err := baseURL("SHOP_SANDBOX_URL", standIns)
	if err != nil {
		t.Fatal(err)
	}
	return visitWith(t, at)
}

func visitWith(t *testing.T, sandbox *url.URL) *visitor {
	t.Helper()
	v := &visitor{t: t, hub: newFakeHub(), logs: &strings.Builder{}}
	hubServer := httptest.NewServer(v.hub)
	t.Cleanup(hubServer.Close)
	base, err := baseURL("hub", hubServer.URL+"/base/")
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(nil)
	public := &url.URL{Scheme: "http", Host: server.Listener.Addr().String(), Path: "/tea"}
	handler, err := newShop(newHub(base, apiKey), public, sandbox, public.Host, slog.New(slog.NewTextHandler(v.logs, nil)))
	if err != nil {
		t.Fatal(err)
	}
	server.Config.Handler = handler
	server.Start()
	t.Cleanup(server.Close)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	v.url = public.String()
	v.http = &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	v.get("/") // takes the cookie
	v.hub.heard = nil
	return v
}

func (v *visitor) do(r *http.Request) (*http.Response, string) {
	v.t.Helper()
	res, err := v.http.Do(r)
	if err != nil {
		v.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	if strings.Contains(string(b), apiKey) || strings.Contains(v.logs.String(), apiKey) {
		v.t.Error("the API key is on a page or in the log")
	}
	return res, string(b)
}

func (v *visitor) request(method, path, body string) *http.Request {
	v.t.Helper()
	r, err := http.NewRequestWithContext(v.t.Context(), method, v.url+path, strings.NewReader(body))
	if err != nil {
		v.t.Fatal(err)
	}
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	return r
}

func (v *visitor) get(path string) (*http.Response, string) {
	v.t.Helper()
	return v.do(v.request(http.MethodGet, path, ""))
}

func (v *visitor) post(path string, form url.Values) (*http.Response, string) {
	v.t.Helper()
	return v.do(v.request(http.MethodPost, path, form.Encode()))
}

// posts are what the hub was asked to do.
func (v *visitor) posts() []sent {
	var posts []sent
	for _, s := range v.hub.heard {
		if s.Method == http.MethodPost {
			posts = append(posts, s)
		}
	}
	return posts
}

var hidden = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)">`)

// hiddenForm reads the hidden fields of the form with that action.
func hiddenForm(page, action string) url.Values {
	form := url.Values{}
	_, page, _ = strings.Cut(page, `action="`+action+`"`)
	page, _, _ = strings.Cut(page, "</form>")
	for _, m := range hidden.FindAllStringSubmatch(page, -1) {
		form.Set(html.UnescapeString(m[1]), html.UnescapeString(m[2]))
	}
	return form
}

func purchaseForm() url.Values {
	return url.Values{
		"key": {key1}, "product": {"teapot"}, "quantity": {"2"}, "email": {"ada@example.com"},
		"way": {"stripe/checkout_session"}, "input:stripe/charge:token": {"tok_visa"},
	}
}

func TestFront_OffersEveryFlow(t *testing.T) {
	v := visit(t)
	res, page := v.get("/")
	for _, want := range []string{
		`value="stripe/checkout_session" class="holds" required checked`, `value="stripe/checkout_session.embedded" class="holds" required disabled`,
		`value="stripe/charge" required disabled`, `value="stripe/apple_pay.legacy"`, `value="paypal/server" class="holds" required>`, "not for JPY, KWD",
		`value="paypal/client" required disabled`, `value="acme/widget" required disabled`, `value="asleep/voucher" required disabled`, "SHOP_SANDBOX_URL",
		`name="input:acme/voucher:code"`, "144.00 EUR", "48.00 EUR", "1800 JPY", "4.250 KWD", `action="/tea/buy"`,
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the front page lacks %s", want)
		}
	}
	policy := res.Header.Get("Content-Security-Policy")
	if !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "script") || strings.Contains(policy, "unsafe") {
		t.Errorf("policy %q", policy)
	}
	v.hub.providers = `nonsense`
	if res, page := v.get("/"); res.StatusCode != 200 || !strings.Contains(page, "Nobody can pay at the moment") {
		t.Errorf("without providers: %d %s", res.StatusCode, page)
	}
}

func TestBuy_SendsThePayerOn(t *testing.T) {
	v := visit(t)
	for range 2 { // a double click is one purchase
		res, page := v.post("/buy", purchaseForm())
		if res.StatusCode != http.StatusSeeOther || res.Header.Get("Location") != v.hub.payAt {
			t.Fatalf("%d to %q: %s", res.StatusCode, res.Header.Get("Location"), page)
		}
	}
	posts := v.posts()
	if len(posts) != 2 || posts[0] != posts[1] || posts[0].Key == "" || len(v.hub.orders) != 1 {
		t.Fatalf("a double click asked for different things: %+v", posts)
	}
	for _, want := range []string{
		`"amount":9600,"currency":"EUR","provider":"stripe","flow":"checkout_session","capture":"automatic","input":{"ui_mode":"hosted"}`,
		`"return_url":"` + v.url + `/return"`, `"cancel_url":"` + v.url + `/cancelled"`, `"customer":{"email":"ada@example.com"}`,
		`"line_items":[{"name":"Little Round Pot","quantity":2,"amount":4800}]`, `"reference":"shop-`,
	} {
		if !strings.Contains(posts[0].Body, want) {
			t.Errorf("checkout lacks %s: %s", want, posts[0].Body)
		}
	}
	other := purchaseForm()
	other.Set("quantity", "3") // the page from the cache, changed: another purchase
	v.post("/buy", other)
	if posts = v.posts(); posts[2].Key == posts[0].Key || len(v.hub.orders) != 2 {
		t.Error("a changed form repeated the first purchase")
	}
}

func TestBuy_RetriesUnderTheSameKey(t *testing.T) {
	refusals := map[string]func(w http.ResponseWriter){
		"503": func(w http.ResponseWriter) {
			w.Header().Set("Retry-After", "3")
			refuse(w, 503, "provider_down", "stripe is down")
		},
		"502 html": func(w http.ResponseWriter) { http.Error(w, "<script>bad gateway</script>", http.StatusBadGateway) },
		"inflight": func(w http.ResponseWriter) { refuse(w, 409, "in_flight", "still at it") },
		"garbage":  func(w http.ResponseWriter) { _, _ = io.WriteString(w, `{"id":`) },
		"hang up":  func(http.ResponseWriter) { panic(http.ErrAbortHandler) },
	}
	for name, refusal := range refusals {
		t.Run(name, func(t *testing.T) {
			v := visit(t)
			v.hub.instead(func(w http.ResponseWriter, r *http.Request) bool {
				if strings.HasSuffix(r.URL.Path, "/checkouts") {
					refusal(w)
					return true
				}
				return false
			})
			res, page := v.post("/buy", purchaseForm())
			if res.StatusCode != http.StatusServiceUnavailable || !strings.Contains(page, "Try again") || strings.Contains(page, "<script") {
				t.Fatalf("%d %s", res.StatusCode, page)
			}
			v.hub.instead(nil)
			res, _ = v.post("/buy", hiddenForm(page, "/tea/buy"))
			if res.StatusCode != http.StatusSeeOther || res.Header.Get("Location") != v.hub.payAt {
				t.Fatalf("retry: %d", res.StatusCode)
			}
			if p := v.posts(); p[0] != p[len(p)-1] {
				t.Errorf("the retry asked for something else:\n%+v\n%+v", p[0], p[len(p)-1])
			}
		})
	}
}

func TestBuy_UnknownOutcomeSaysSo(t *testing.T) {
	v := visit(t)
	v.post("/buy", purchaseForm())
	for _, o := range v.hub.orders {
		o["attempts"] = []any{map[string]any{"status": "unknown"}}
		delete(o, "next_action")
	}
	res, page := v.post("/buy", purchaseForm())
	if res.StatusCode != http.StatusAccepted || !strings.Contains(page, "still finding out") || hiddenForm(page, "/tea/buy").Get("key") != key1 {
		t.Fatalf("%d %s", res.StatusCode, page)
	}
}

func TestBuy_RefusesWhatItMustNotFollow(t *testing.T) {
	for _, address := range []string{"javascript:alert(1)", "http://evil.example/", "//evil.example", "https://u:p@evil.example/", ""} {
		v := visit(t)
		v.hub.payAt = address
		if res, _ := v.post("/buy", purchaseForm()); !strings.HasPrefix(res.Header.Get("Location"), "/tea/order/ord_") {
			t.Errorf("next action %q led to %q", address, res.Header.Get("Location"))
		}
	}
	v := visit(t)
	v.hub.instead(func(w http.ResponseWriter, r *http.Request) bool {
		o := fakeOrder(orderID, "paid", 1, "EUR", 2)
		if r.Method == http.MethodPost {
			answer(w, 201, o)
		}
		return r.Method == http.MethodPost
	})
	if res, page := v.post("/buy", purchaseForm()); res.StatusCode != http.StatusBadGateway && res.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("another order was believed: %d %s", res.StatusCode, page)
	}
}

func TestBuy_RefusesHostileForms(t *testing.T) {
	v := visit(t)
	change := func(name, value string) url.Values {
		f := purchaseForm()
		f.Set(name, value)
		return f
	}
	for name, form := range map[string]url.Values{
		"no key": change("key", ""), "bad key": change("key", "x\r\nX-Evil: 1"), "product": change("product", "yacht"),
		"negative": change("quantity", "-1"), "many": change("quantity", "999999999999"), "email": change("email", "a@b\r\nBcc: c@d"),
		"way": change("way", "stripe/../../refunds"), "no way": change("way", ""), "unknown way": change("way", "stripe/other"),
		"closed way": change("way", "acme/widget"), "without stand-in": change("way", "stripe/charge"),
		"input": change("input:stripe/checkout_session:__proto__", "x"), "long input": change("input:stripe/checkout_session:a", strings.Repeat("x", 501)),
	} {
		if res, _ := v.post("/buy", form); res.StatusCode != 400 && res.StatusCode != 422 {
			t.Errorf("%s: %d", name, res.StatusCode)
		}
	}
	if res, _ := v.post("/buy", change("email", strings.Repeat("x", maxForm))); res.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("a form too large: %d", res.StatusCode)
	}
	if len(v.posts()) != 0 {
		t.Errorf("the hub heard of it: %+v", v.posts())
	}
}

func TestForms_OnlyFromThisShop(t *testing.T) {
	v := visit(t)
	body := purchaseForm().Encode()
	for name, change := range map[string]func(r *http.Request){
		"cross-site":   func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") },
		"other port":   func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "same-site") },
		"other origin": func(r *http.Request) { r.Header.Del("Sec-Fetch-Site"); r.Header.Set("Origin", "http://evil.example") },
		"null origin":  func(r *http.Request) { r.Header.Del("Sec-Fetch-Site"); r.Header.Set("Origin", "null") },
		"rebound name": func(r *http.Request) { r.Host = "evil.example" },
	} {
		r := v.request(http.MethodPost, "/buy", body)
		change(r)
		if res, _ := v.do(r); res.StatusCode != http.StatusForbidden && res.StatusCode != http.StatusMisdirectedRequest {
			t.Errorf("%s: %d", name, res.StatusCode)
		}
	}
	v.http.Jar, _ = cookiejar.New(nil)
	if res, _ := v.post("/buy", purchaseForm()); res.StatusCode != http.StatusForbidden {
		t.Errorf("without the cookie: %d", res.StatusCode)
	}
	if len(v.posts()) != 0 {
		t.Error("the hub heard of it")
	}
}
