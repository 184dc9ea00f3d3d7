// Package e2e tests the hub through its front doors: real hub and plugin
// processes, the real stripe-go client, a real PostgreSQL, and Stripe's
// stand-in, whose books are compared with the hub's after every story.
package e2e

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/hub/internal/dev"
	"github.com/superpayhub/superpay/hub/internal/devpg/pgtest"
	"github.com/superpayhub/superpay/sdk"
	"github.com/superpayhub/superpay/sdk/plugintest/standin"
)

var bins string

func TestMain(m *testing.M) {
	if bins = os.Getenv("SUPERPAY_E2E_BIN"); bins != "" {
		os.Exit(m.Run())
	}
	dir, err := os.MkdirTemp("", "superpay-e2e-")
	if err == nil {
		bins, err = dev.Build(dir, false)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "build the binaries:", err)
		os.Exit(1)
	}
	racedDir = filepath.Join(dir, "raced")
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

var racedDir string

// raced builds the programs for the race detector, if the tests are: for the
// stories that put many things at the same moment. All stories so would take
// twice the time.
var raced = sync.OnceValues(func() (string, error) {
	if !dev.RaceBuilt || racedDir == "" {
		return bins, nil
	}
	return dev.Build(racedDir, true)
})

// inRace has a house of race-built programs.
func inRace(t *testing.T, o *dev.Options) {
	t.Helper()
	dir, err := raced()
	require.NoError(t, err)
	o.BinDir = dir
}

// house is a hub with everything around it, and what a story needs to use it.
type house struct {
	*dev.House
	BaseURL string
	t       *testing.T
	stripe  standin.Client
	paypal  standin.Client
	key     string
	logs    *syncBuffer
	dir     string  // the data folder
	pool    *sql.DB // see db

	skipBalance bool // the story leaves a difference on purpose
}

type syncBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// open stands a house up for one story. At its end the books are compared and
// the logs are searched for secrets.
func open(t *testing.T, change func(*dev.Options)) *house {
	t.Helper()
	if testing.Short() {
		t.Skip("stands processes up")
	}
	h := &house{t: t, logs: &syncBuffer{}, dir: t.TempDir()}
	o := dev.Options{
		BinDir: bins, DataDir: h.dir, DatabaseURL: pgtest.Migrated(t), Hubs: 1, CallTimeout: 8 * time.Second, // a busy machine with the race detector on stands still for seconds
		LogWriter: h.logs, Env: []string{"HUB_LOG__LEVEL=debug"},
	}
	if change != nil {
		change(&o)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	var err error
	h.House, err = dev.Start(ctx, o)
	if err != nil {
		t.Fatalf("start the house: %v\n%s", err, h.logs)
	}
	h.BaseURL, h.key = h.House.BaseURL(), h.APIKey
	h.db() // before the house is copied for the parts of a story
	h.stripe = standin.Client{BaseURL: h.SandboxURL + "/stripe"}
	h.paypal = standin.Client{BaseURL: h.SandboxURL + "/paypal"}
	t.Cleanup(func() {
		if !t.Failed() && !h.skipBalance {
			h.balanced()
			h.verify()
		}
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if err := h.Stop(ctx); err != nil {
			t.Error("stop the house:", err)
		}
		h.searchLogs()
		if t.Failed() {
			path := filepath.Join(os.TempDir(), "superpay-"+strings.ReplaceAll(t.Name(), "/", "_")+".log")
			_ = os.WriteFile(path, []byte(h.logs.String()), 0o600)
			t.Logf("the logs of all processes: %s", path)
		}
	})
	h.listed()
	return h
}

// answer is what the API said.
type answer struct {
	status int
	header http.Header
	raw    string
	order
}

// order is what stories look at, of an order, a refund and a problem alike.
type order struct {
	ID             string      `json:"id"`
	Status         any         `json:"status"`
	Amount         int64       `json:"amount"`
	Currency       string      `json:"currency"`
	Exponent       int         `json:"exponent"`
	Authorized     int64       `json:"authorized"`
	Captured       int64       `json:"captured"`
	Refunded       int64       `json:"refunded"`
	Refundable     int64       `json:"refundable"`
	Disputed       int64       `json:"disputed"`
	NeedsAttention bool        `json:"needs_attention"`
	Version        int64       `json:"version"`
	Attempts       []attempt   `json:"attempts"`
	Refunds        []order     `json:"refunds"`
	NextAction     *nextAction `json:"next_action"`
	Attention      []struct {
		Reason string `json:"reason"`
	} `json:"attention"`
	Code, Param, Detail, Origin string
	Data                        []json.RawMessage
}

type attempt struct {
	ID         string       `json:"id"`
	Status     string       `json:"status"`
	Captured   int64        `json:"captured"`
	Refunded   int64        `json:"refunded"`
	Failure    *sdk.Failure `json:"failure"`
	References []sdk.Ref    `json:"references"`
}

type nextAction struct {
	Type   string
	URL    string
	Client map[string]string
}

var counter atomic.Int64

// unique is a fresh name for references and keys.
func unique(prefix string) string { return fmt.Sprintf("%s-%d", prefix, counter.Add(1)) }

// ask calls the API. A body that is a string is sent as it is.
func (h *house) ask(method, path, key string, body any) answer {
	h.t.Helper()
	a, err := h.try(method, path, key, body)
	require.NoError(h.t, err)
	return a
}

// persist asks as an app does: it repeats with the same key while the hub says
// that it cannot right now.
func (h *house) persist(method, path, key string, body any) (a answer) {
	h.t.Helper()
	require.Eventually(h.t, func() bool {
		a = h.ask(method, path, key, body)
		return a.status != http.StatusServiceUnavailable && a.Code != "operation_open" // what made it paid may not have ended
	}, 30*time.Second, 100*time.Millisecond, "%s %s", method, path)
	return a
}

// try is ask for stories in which the hub may be dead.
func (h *house) try(method, path, key string, body any) (answer, error) {
	var r io.Reader
	switch b := body.(type) {
	case nil:
	case string:
		r = strings.NewReader(b)
	default:
		raw, err := json.Marshal(b)
		if err != nil {
			return answer{}, err
		}
		r = bytes.NewReader(raw)
	}
	req, err := http.NewRequest(method, h.BaseURL+path, r)
	if err != nil {
		return answer{}, err
	}
	req.Header.Set("Authorization", "Bearer "+h.key)
	if r != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if key != "" {
		req.Header.Set("Idempotency-Key", key)
	}
	res, err := browser.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	a := answer{status: res.StatusCode, header: res.Header, raw: string(raw)}
	_ = json.Unmarshal(raw, &a.order)
	return a, err
}

// browser follows no redirects, so that stories see them.
var browser = &http.Client{
	Timeout:       30 * time.Second,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// body is a checkout, with changes.
func body(changes map[string]any) map[string]any {
	b := map[string]any{
		"reference": unique("ref"), "amount": 1050, "currency": "USD", "provider": "stripe", "flow": "checkout_session",
		"return_url": "http://localhost:9/thanks", "cancel_url": "http://localhost:9/cart",
	}
	for k, v := range changes {
		if v == nil {
			delete(b, k)
		} else {
			b[k] = v
		}
	}
	return b
}

// checkout makes an order that waits for its payer.
func (h *house) checkout(changes map[string]any) answer {
	h.t.Helper()
	a := h.ask("POST", "/v1/checkouts", unique("key"), body(changes))
	require.Equal(h.t, 201, a.status, a.raw)
	require.Equal(h.t, "open", a.Status, a.raw)
	require.NotNil(h.t, a.NextAction, a.raw)
	return a
}

// pay fills in the hosted page's form, and returns where it leads.
func (h *house) pay(page, card string) string {
	h.t.Helper()
	res, err := browser.PostForm(page, url.Values{"card_number": {card}, "method": {"card"}})
	require.NoError(h.t, err)
	defer res.Body.Close()
	text, _ := io.ReadAll(res.Body)
	if card == visa {
		require.Equal(h.t, 303, res.StatusCode, string(text))
	}
	return res.Header.Get("Location")
}

const visa = "4242424242424242"

// paid makes an order and pays it.
func (h *house) paid(changes map[string]any) answer {
	h.t.Helper()
	a := h.checkout(changes)
	h.pay(a.NextAction.URL, visa)
	want := "paid"
	if changes["capture"] == "manual" {
		want = "authorized"
	}
	return h.until(a.ID, want)
}

// until waits for an order's status.
func (h *house) until(id, status string) answer {
	h.t.Helper()
	return h.when(id, status, func(a answer) bool { return a.Status == status })
}

func (h *house) when(id, what string, ok func(answer) bool) answer {
	h.t.Helper()
	var a answer
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(30 * time.Millisecond) {
		var err error
		if a, err = h.try("GET", "/v1/orders/"+id, "", nil); err == nil && ok(a) {
			return a
		}
	}
	h.t.Fatalf("order %s is not %s: %s", id, what, a.raw)
	return a
}

// dashboard presses a button at the provider.
func (h *house) dashboard(path string, form url.Values) {
	h.t.Helper()
	res, err := browser.PostForm(h.stripe.BaseURL+"/dashboard/"+path, form)
	require.NoError(h.t, err)
	res.Body.Close()
	require.Equal(h.t, 303, res.StatusCode, path)
}

func (h *house) books() standin.Books {
	h.t.Helper()
	b, err := h.stripe.Books(h.t.Context())
	require.NoError(h.t, err)
	return b
}

func (h *house) fault(f standin.Fault) {
	h.t.Helper()
	require.NoError(h.t, h.stripe.AddFault(h.t.Context(), f))
}

func (a answer) ref(kind string) string {
	for _, r := range a.Attempts[0].References {
		if r.Kind == kind {
			return r.Value
		}
	}
	return ""
}

// balanced compares the provider's books with the hub's, attempt by attempt.
func (h *house) balanced() {
	h.t.Helper()
	var diff string
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		if diff = h.difference(); diff == "" {
			return
		}
	}
	h.t.Errorf("the hub's books differ from the provider's:\n%s", diff)
}

func (h *house) difference() string {
	var b standin.Books
	for _, stand := range []standin.Client{h.stripe, h.paypal} {
		books, err := stand.Books(context.Background())
		if err != nil {
			return err.Error()
		}
		b.Captures = append(b.Captures, books.Captures...)
		b.Refunds = append(b.Refunds, books.Refunds...)
	}
	theirs, ours := map[string]string{}, map[string]string{}
	add := func(m map[string]string, kind, attempt, currency string, exponent int, amount int64) {
		k := kind + " " + attempt + " " + currency
		was, _ := sdk.ParseDecimal(orZero(m[k]), currency, exponent)
		m[k] = sdk.Money{Amount: was.Amount + amount, Currency: currency, Exponent: exponent}.Decimal()
	}
	attemptOf := map[string]string{} // a refund made in the dashboard knows only its payment
	for _, e := range b.Captures {
		attemptOf[e.PaymentID] = e.Metadata[sdk.MetadataAttempt]
	}
	sums := func(kind string, entries []standin.Entry) {
		for _, e := range entries {
			exponent, _ := sdk.Exponent(e.Currency)
			m, err := sdk.ParseDecimal(e.Amount, e.Currency, exponent)
			if e.Status == "succeeded" && err == nil {
				add(theirs, kind, attemptOf[e.PaymentID], e.Currency, exponent, m.Amount)
			}
		}
	}
	sums("captured", b.Captures)
	sums("refunded", b.Refunds)
	for cursor := ""; ; {
		a, err := h.try("GET", "/v1/orders?limit=100&cursor="+cursor, "", nil)
		if err != nil || a.status != 200 {
			return fmt.Sprint("list orders: ", err, a.raw)
		}
		var page struct {
			Data []order
			Next string
		}
		_ = json.Unmarshal([]byte(a.raw), &page)
		for _, o := range page.Data {
			for _, x := range o.Attempts {
				if x.Captured != 0 {
					add(ours, "captured", x.ID, o.Currency, o.Exponent, x.Captured)
				}
				if x.Refunded != 0 {
					add(ours, "refunded", x.ID, o.Currency, o.Exponent, x.Refunded)
				}
			}
		}
		if cursor = page.Next; cursor == "" {
			break
		}
	}
	var out strings.Builder
	for k, v := range theirs {
		if ours[k] != v {
			fmt.Fprintf(&out, "%s: the provider says %s, the hub %q\n", k, v, ours[k])
		}
	}
	for k, v := range ours {
		if theirs[k] == "" {
			fmt.Fprintf(&out, "%s: the hub says %s, the provider nothing\n", k, v)
		}
	}
	return out.String()
}

func orZero(s string) string {
	if s == "" {
		return "0"
	}
	return s
}

var secretLike = regexp.MustCompile(`(_secret_|whsec_|sk_test_|spk_)[A-Za-z0-9]{4}`)

// searchLogs fails the story if a secret stands in any process's log.
func (h *house) searchLogs() {
	h.t.Helper()
	logs := h.logs.String()
	for name, secret := range h.secrets() {
		if secret != "" && strings.Contains(logs, secret) {
			h.t.Errorf("the %s stands in a log", name)
		}
	}
	for _, at := range secretLike.FindAllStringIndex(logs, 3) {
		h.t.Errorf("something like a secret stands in a log: %q", logs[max(0, at[0]-80):min(len(logs), at[1]+20)])
	}
}
