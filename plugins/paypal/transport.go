package main

import (
	"cmp"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"
)

const (
	maxAnswer   = 4 << 20          // an order with hundreds of refunds is under 1 MiB
	maxProblem  = 64 << 10         // a refusal
	callTimeout = 60 * time.Second // only for a caller without a deadline
)

func newTransport() http.RoundTripper {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConns = 128
	t.MaxIdleConnsPerHost = 64
	return carefulTransport{t}
}

// newHTTPClient: PayPal does not redirect; a POST that is redirected could be
// lost or doubled, and a token could go elsewhere.
func newHTTPClient(transport http.RoundTripper) *http.Client {
	return &http.Client{
		Timeout:       callTimeout,
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// unwritten wraps an error that came before a connection was there, so that
// nothing of the request can have left.
type unwritten struct {
	error
	reason string // for people; holds no secret
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
	DebugID string `json:"debug_id"`
	Details []struct {
		Issue string `json:"issue"`
	} `json:"details"`
	Links []link `json:"links"`
}

func (p *problem) Error() string { return fmt.Sprintf("HTTP %d", p.status) }

// carefulTransport limits answers, sends a request once, turns refusals into
// errors that keep everything, and knows what was provably never sent.
//
// net/http repeats a request on its own when a kept connection breaks, if it
// has no body or GetBody. Repeating is the hub's decision, so GetBody is taken
// away. And because a first try may have arrived where a second could not
// connect, a dial error alone proves nothing: only if no connection was ever
// handed out for this request was nothing written.
type carefulTransport struct{ base http.RoundTripper }

func (t carefulTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	var connected atomic.Bool
	req = req.WithContext(httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) { connected.Store(true) },
	}))
	req.GetBody = nil
	res, err := t.base.RoundTrip(req)
	if err != nil {
		if reason := beforeWriting(err); reason != "" && !connected.Load() {
			return nil, &unwritten{err, reason}
		}
		return nil, err
	}
	if res.StatusCode < 200 || res.StatusCode > 299 {
		defer res.Body.Close()
		return nil, problemOf(res)
	}
	res.Body = http.MaxBytesReader(nil, res.Body, maxAnswer)
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

// beforeWriting names the errors of connecting, "" for any other.
func beforeWriting(err error) string {
	var op *net.OpError
	var cert *tls.CertificateVerificationError
	switch {
	case errors.As(err, &cert):
		return "PayPal's certificate is not trusted"
	case errors.As(err, &op) && op.Op == "dial":
		return "no connection to PayPal"
	}
	return ""
}

// errUnreadable is an answer that says nothing: cut, empty, HTML, without an id.
var errUnreadable = errors.New("the answer could not be read")
