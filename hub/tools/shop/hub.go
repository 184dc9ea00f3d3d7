package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Limits on what the hub may do to the shop.
const (
	hubTimeout = 30 * time.Second
	maxAnswer  = 2 << 20
	maxText    = 300 // bytes of any text of the hub's that is put on a page
)

var orderIDs = regexp.MustCompile(`^ord_[0-9a-z]{26}$`)

// order is the hub's order, as far as the shop reads it.
type order struct {
	ID             string     `json:"id"`
	Reference      string     `json:"reference"`
	Status         string     `json:"status"`
	Description    string     `json:"description"`
	Amount         int64      `json:"amount"`
	Currency       string     `json:"currency"`
	Exponent       int        `json:"exponent"`
	Authorized     int64      `json:"authorized"`
	Captured       int64      `json:"captured"`
	Refunded       int64      `json:"refunded"`
	Refundable     int64      `json:"refundable"`
	Disputed       int64      `json:"disputed"`
	NeedsAttention bool       `json:"needs_attention"`
	Attempts       []attempt  `json:"attempts"`
	Refunds        []refund   `json:"refunds"`
	Disputes       []dispute  `json:"disputes"`
	NextAction     *action    `json:"next_action"`
	CreatedAt      time.Time  `json:"created_at"`
	Attention      []struct { // resolved ones are told apart by their time
		Reason     string    `json:"reason"`
		ResolvedAt time.Time `json:"resolved_at"`
	} `json:"attention"`
}

type attempt struct {
	ID       string   `json:"id"`
	Provider string   `json:"provider"`
	Flow     string   `json:"flow"`
	Mode     string   `json:"mode"`
	Status   string   `json:"status"`
	Failure  *failure `json:"failure"`

	// References are the provider's own names of the payment.
	References []struct {
		Kind  string `json:"kind"`
		Value string `json:"value"`
	} `json:"references"`
}

// dispute is a challenge of the payment: inquiry, open, won, lost or closed.
type dispute struct {
	Status string `json:"status"`
	Amount int64  `json:"amount"`
}

type failure struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

type refund struct {
	ID        string    `json:"id"`
	Status    string    `json:"status"`
	Amount    int64     `json:"amount"`
	Origin    string    `json:"origin"`
	Reason    string    `json:"reason"`
	Failure   *failure  `json:"failure"`
	CreatedAt time.Time `json:"created_at"`
}

// action is what the payer has to do next.
type action struct {
	Type   string            `json:"type"`
	URL    string            `json:"url"`
	Method string            `json:"method"`
	Fields map[string]string `json:"fields"`
	Kind   string            `json:"kind"`
	Data   string            `json:"data"`
	Client map[string]string `json:"client"` // for the provider's script
}

// event is one line of an order's timeline.
type event struct {
	At     time.Time       `json:"at"`
	Kind   string          `json:"kind"`
	Source string          `json:"source"`
	Data   json.RawMessage `json:"data"`
}

// provider is one that the hub granted to this shop, with its ways to pay.
type provider struct {
	Name   string `json:"name"`
	Plugin string `json:"plugin"`
	Mode   string `json:"mode"`
	Status string `json:"status"`
	Flows  []struct {
		Name         string   `json:"name"`
		Title        string   `json:"title"`
		Inputs       []input  `json:"inputs"`
		CaptureModes []string `json:"capture_modes"`
		Currencies   []string `json:"currencies"` // empty: whatever the provider accepts
		Capabilities []string `json:"capabilities"`
	} `json:"flows"`
}

type input struct {
	Name     string   `json:"name"`
	Title    string   `json:"title"`
	Help     string   `json:"help"`
	Required bool     `json:"required"`
	Options  []string `json:"options"`
	Default  string   `json:"default"`
}

// checkout is what is asked of the hub. The same purchase always makes the
// same bytes, or a repeat under its key would be refused.
type checkout struct {
	Reference   string            `json:"reference,omitempty"`
	Amount      int64             `json:"amount,omitempty"`
	Currency    string            `json:"currency,omitempty"`
	Provider    string            `json:"provider"`
	Flow        string            `json:"flow"`
	Capture     string            `json:"capture"`
	Input       map[string]string `json:"input"`
	ReturnURL   string            `json:"return_url,omitempty"`
	CancelURL   string            `json:"cancel_url,omitempty"`
	Description string            `json:"description,omitempty"`
	LineItems   []lineItem        `json:"line_items,omitempty"`
	Customer    map[string]string `json:"customer,omitempty"`
	Metadata    map[string]string `json:"metadata,omitempty"`
}

type lineItem struct {
	Name     string `json:"name"`
	Quantity int64  `json:"quantity"`
	Amount   int64  `json:"amount"`
}

// problem is the hub's refusal (RFC 9457), or that it could not be heard.
// Maybe says that the request may have had an effect: only the same request
// under the same key may follow.
type problem struct {
	Status     int    `json:"-"`
	Title      string `json:"title"`
	Detail     string `json:"detail"`
	Code       string `json:"code"`
	Param      string `json:"param"`
	RequestID  string `json:"request_id"`
	OrderID    string `json:"order_id"`
	RetryAfter int    `json:"-"` // seconds, 0 when not said
	Maybe      bool   `json:"-"`
}

func (p *problem) Error() string {
	return fmt.Sprintf("hub answered %d %s (request %s)", p.Status, p.Code, p.RequestID)
}

// hub is the client of the hub's public API.
type hub struct {
	base, key string
	client    *http.Client
}

func newHub(base *url.URL, key string) *hub {
	return &hub{base: base.String(), key: key, client: &http.Client{
		Timeout: hubTimeout,
		// A redirect would carry the key, or the purchase, elsewhere.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

func (h *hub) get(ctx context.Context, path string, into any) error {
	_, err := h.do(ctx, http.MethodGet, path, "", nil, into)
	return err
}

// post sends one request that asks for money; it returns the status, because
// 202 says that the outcome is not known yet.
func (h *hub) post(ctx context.Context, path, key string, body, into any) (int, error) {
	return h.do(ctx, http.MethodPost, path, key, body, into)
}

func (h *hub) do(ctx context.Context, method, path, key string, body, into any) (int, error) {
	var sent io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return 0, err
		}
		sent = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, h.base+path, sent)
	if err != nil {
		return 0, err
	}
	req.Header.Set("Authorization", "Bearer "+h.key)
	req.Header.Set("Accept", "application/json")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Idempotency-Key", key)
	}
	lost := &problem{Title: "The hub did not answer", Code: "no_answer", Maybe: true}
	res, err := h.client.Do(req)
	if err != nil {
		return 0, errors.Join(lost, err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	if err != nil {
		return 0, errors.Join(lost, err)
	}
	if res.StatusCode/100 != 2 {
		return res.StatusCode, refusal(res, b)
	}
	if len(b) > maxAnswer || json.Unmarshal(b, into) != nil {
		return 0, &problem{Status: res.StatusCode, Title: "The hub's answer could not be read", Code: "bad_answer", Maybe: true}
	}
	return res.StatusCode, nil
}

// refusal reads a problem. What is not one (a proxy's page) keeps its status.
func refusal(res *http.Response, body []byte) *problem {
	p := &problem{}
	if strings.HasPrefix(res.Header.Get("Content-Type"), "application/problem+json") && len(body) <= maxAnswer {
		if json.Unmarshal(body, p) != nil {
			p = &problem{}
		}
	}
	p.Status = res.StatusCode
	if p.Title == "" {
		p.Title = "The hub answered " + strconv.Itoa(res.StatusCode)
	}
	p.Title, p.Detail, p.RequestID = clip(p.Title), clip(p.Detail), clip(p.RequestID)
	if n, err := strconv.Atoi(res.Header.Get("Retry-After")); err == nil && n > 0 && n <= 3600 {
		p.RetryAfter = n
	}
	// 502 and 504 are a proxy's: the hub may have heard the request.
	p.Maybe = p.Status >= 500 && p.Status != http.StatusServiceUnavailable || p.Status/100 == 3 || p.Code == "in_flight" || p.Code == "outcome_not_recorded"
	return p
}

// passing reports whether the same request may well succeed later.
func (p *problem) passing() bool {
	return p.Maybe || p.Status == http.StatusServiceUnavailable || p.Status == http.StatusTooManyRequests
}

// order reads one order. The id was checked, and an answer about another is not believed.
func (h *hub) order(ctx context.Context, id string) (*order, error) {
	var o order
	if err := h.get(ctx, "/v1/orders/"+id, &o); err != nil {
		return nil, err
	}
	if o.ID != id || !o.sane() {
		return nil, &problem{Title: "The hub's answer could not be read", Code: "bad_answer"}
	}
	return &o, nil
}

// sane reports whether the order can be put on a page and in a URL.
func (o *order) sane() bool {
	return orderIDs.MatchString(o.ID) && o.Exponent >= 0 && o.Exponent <= 4
}

func clip(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if len(s) > maxText {
		s = strings.ToValidUTF8(s[:maxText], "") + "…"
	}
	return s
}
