package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"github.com/superpayhub/superpay/sdk/once"
)

const (
	maxAnswer  = 4 << 20  // bytes; an order with hundreds of refunds is under 1 MiB
	maxProblem = 64 << 10 // of a refusal
)

func newTransport() http.RoundTripper { return transportOver(once.Pool()) }

func transportOver(base http.RoundTripper) http.RoundTripper {
	return problems{once.Transport{Provider: "PayPal", MaxAnswer: maxAnswer, Base: base}}
}

// link is one of PayPal's links to what can be done next.
type link struct {
	Href string `json:"href"`
	Rel  string `json:"rel"`
}

// problem is any answer but 2xx. The library would lose the status of one that
// is not JSON, and the links of one that is.
type problem struct {
	status int

	Name    string `json:"name"`
	Message string `json:"message"`
	DebugID string `json:"debug_id"`
	Details []struct {
		Field string `json:"field"`
		Issue string `json:"issue"`
	} `json:"details"`
	Links []link `json:"links"`
}

func (p *problem) Error() string { return fmt.Sprintf("HTTP %d", p.status) }

// problems turns refusals into errors that keep everything.
type problems struct{ base http.RoundTripper }

func (t problems) RoundTrip(req *http.Request) (*http.Response, error) {
	res, err := t.base.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	if res.StatusCode < 200 || res.StatusCode > 299 {
		defer res.Body.Close()
		return nil, problemOf(res)
	}
	return res, nil
}

// problemOf reads a refusal. One that is not PayPal's JSON has no name.
func problemOf(res *http.Response) *problem {
	p := &problem{}
	if body, err := io.ReadAll(io.LimitReader(res.Body, maxProblem)); err != nil || json.Unmarshal(body, p) != nil {
		p = &problem{}
	}
	p.status, p.DebugID = res.StatusCode, cmp.Or(res.Header.Get("Paypal-Debug-Id"), p.DebugID)
	return p
}
