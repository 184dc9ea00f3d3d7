package sandbox_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/plutov/paypal/v4"
	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/plugins/paypal/sandbox"
	"github.com/superpayhub/superpay/sdk/plugintest/standin"
)

const (
	clientID = "AXclient"
	secret   = "EXsecret"
	merchant = "SANDB2XSELLER"
	webhook  = "1SANDBXWEBHOOK001"
)

// stand is a stand-in with the real client in front and a webhook behind.
type stand struct {
	t      *testing.T
	base   string
	server *sandbox.Server
	api    *paypal.Client
	doors  standin.Client
	hook   *hook
	clock  *clock
	token  string
}

// clock can be moved on; the stand-in reads it from many goroutines.
type clock struct {
	mu    sync.Mutex
	ahead time.Duration
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.ahead)
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ahead += d
}

func newStand(t *testing.T, change ...func(*sandbox.Options)) *stand {
	t.Helper()
	s := &stand{t: t, clock: &clock{}, hook: &hook{}}
	receiver := httptest.NewServer(s.hook)
	t.Cleanup(receiver.Close)
	ts := httptest.NewUnstartedServer(nil)
	s.base = "http://" + ts.Listener.Addr().String() + "/paypal"
	opts := sandbox.Options{
		ClientID: clientID, ClientSecret: secret, MerchantID: merchant, WebhookID: webhook, WebhookURL: receiver.URL,
		PublicURL: s.base, Now: s.clock.now, Backoff: []time.Duration{10 * time.Millisecond, 20 * time.Millisecond},
	}
	for _, c := range change {
		c(&opts)
	}
	var err error
	s.server, err = sandbox.New(opts)
	require.NoError(t, err)
	ts.Config.Handler = s.server
	ts.Start()
	t.Cleanup(func() {
		ts.Close()
		require.NoError(t, s.server.Close())
	})
	s.doors = standin.Client{BaseURL: s.base}
	s.login()
	return s
}

// login takes a new token, as a client does whose old one has run out.
func (s *stand) login() {
	s.t.Helper()
	var err error
	s.api, err = paypal.NewClient(clientID, secret, s.base)
	require.NoError(s.t, err)
	s.api.SetReturnRepresentation()
	token, err := s.api.GetAccessToken(s.t.Context())
	require.NoError(s.t, err)
	s.token = token.Token
}

// hook is a webhook that keeps what arrives and can be told how to answer.
type hook struct {
	mu      sync.Mutex
	fails   int
	arrived []delivery
}

type delivery struct {
	header http.Header
	body   []byte
	event
}

type event struct {
	ID           string          `json:"id"`
	Type         string          `json:"event_type"`
	ResourceType string          `json:"resource_type"`
	Resource     json.RawMessage `json:"resource"`
}

func (h *hook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	h.mu.Lock()
	defer h.mu.Unlock()
	d := delivery{header: r.Header.Clone(), body: body}
	_ = json.Unmarshal(body, &d.event)
	h.arrived = append(h.arrived, d)
	if h.fails > 0 {
		h.fails--
		w.WriteHeader(http.StatusServiceUnavailable)
	}
}

func (h *hook) all() []delivery {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.arrived)
}

// event waits for the first event of a type.
func (s *stand) event(kind string) (found delivery) {
	s.t.Helper()
	require.Eventually(s.t, func() bool {
		all := s.hook.all()
		i := slices.IndexFunc(all, func(d delivery) bool { return d.Type == kind })
		if i >= 0 {
			found = all[i]
		}
		return i >= 0
	}, 30*time.Second, 5*time.Millisecond, "no %s arrived", kind)
	return found
}

// eventAbout waits for an event of a type whose resource names an id.
func (s *stand) eventAbout(kind, id string) {
	s.t.Helper()
	require.Eventually(s.t, func() bool {
		return slices.ContainsFunc(s.hook.all(), func(d delivery) bool {
			return d.Type == kind && strings.Contains(string(d.Resource), id)
		})
	}, 30*time.Second, 5*time.Millisecond, "no %s about %s arrived", kind, id)
}

// eventually waits for exactly these events.
func (s *stand) eventually(kinds ...string) {
	s.t.Helper()
	slices.Sort(kinds)
	var got []string
	require.Eventually(s.t, func() bool {
		got = nil
		for _, d := range s.hook.all() {
			got = append(got, d.Type)
		}
		slices.Sort(got)
		return slices.Equal(got, kinds)
	}, 30*time.Second, 5*time.Millisecond, "want exactly %v", kinds)
}

const oneUnit = `{"intent":"%INTENT","purchase_units":[{"custom_id":"att_1","amount":{"currency_code":"%CUR","value":"%VALUE"}}]}`

func orderBody(intent, currency, value string) string {
	return strings.NewReplacer("%INTENT", intent, "%CUR", currency, "%VALUE", value).Replace(oneUnit)
}

// create makes an order that leads back to a shop.
func (s *stand) create(intent, value, currency string) *paypal.Order {
	s.t.Helper()
	o, err := s.api.CreateOrder(s.t.Context(), intent, []paypal.PurchaseUnitRequest{{
		CustomID: "att_1", Amount: &paypal.PurchaseUnitAmount{Currency: currency, Value: value},
	}}, nil, &paypal.ApplicationContext{ReturnURL: "http://shop.test/back?x=1", CancelURL: "http://shop.test/cart"})
	require.NoError(s.t, err)
	return o
}

// web keeps no connection open: httptest closes those of the default client,
// also under the test beside it.
var web = http.Client{
	Transport:     &http.Transport{DisableKeepAlives: true},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// post submits a form without following the redirect.
func (s *stand) post(path string, pairs ...string) (int, string, string) {
	s.t.Helper()
	form := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	resp, err := web.PostForm(s.base+path, form)
	require.NoError(s.t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(s.t, err)
	return resp.StatusCode, resp.Header.Get("Location"), string(body)
}

func (s *stand) press(path string, pairs ...string) {
	s.t.Helper()
	status, _, body := s.post("/dashboard/"+path, pairs...)
	require.Equal(s.t, http.StatusSeeOther, status, body)
}

// approved makes an order and has its payer choose a way to pay.
func (s *stand) approved(intent, value, currency, way string) string {
	s.t.Helper()
	o := s.create(intent, value, currency)
	s.choose(o.ID, way)
	return o.ID
}

func (s *stand) choose(id, way string) string {
	s.t.Helper()
	status, to, body := s.post("/checkoutnow", "token", id, "choice", way)
	require.Equal(s.t, http.StatusSeeOther, status, body)
	return to
}

// paid makes an order, has it paid, and returns its capture.
func (s *stand) paid(value, currency, way string) thing {
	s.t.Helper()
	id := s.approved("CAPTURE", value, currency, way)
	r := s.ask("POST", "/v2/checkout/orders/"+id+"/capture", "{}")
	require.Equal(s.t, http.StatusCreated, r.status, r.raw)
	return r.Units[0].Payments.Captures[0]
}
