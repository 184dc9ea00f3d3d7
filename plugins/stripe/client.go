package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"

	stripe "github.com/stripe/stripe-go/v76"
	"github.com/stripe/stripe-go/v76/client"
)

const (
	maxAnswer    = 8 << 20                // a page of 100 expanded sessions is under 2 MiB
	callTimeout  = 60 * time.Second       // only for a caller without a deadline
	answerMargin = 100 * time.Millisecond // to tell the hub what went wrong before it gives up
)

// newClient makes a client of this provider's own. The library's globals
// (stripe.Key, SetBackend) are shared and unlocked, so they are never used.
// Each backend needs a config of its own: GetBackendWithConfig writes the
// default address into the config that it is given.
func newClient(s settings) *client.API {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConns = 128
	transport.MaxIdleConnsPerHost = 64
	hc := &http.Client{
		Timeout:   callTimeout,
		Transport: carefulTransport{transport},
		// Stripe does not redirect; a POST that is redirected could be lost or doubled.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	backend := func(kind stripe.SupportedBackend) stripe.Backend {
		return stripe.GetBackendWithConfig(kind, &stripe.BackendConfig{
			URL:               stripe.String(s.apiURL),
			HTTPClient:        hc,
			MaxNetworkRetries: stripe.Int64(0), // the hub repeats, with the same key
			EnableTelemetry:   stripe.Bool(false),
			LeveledLogger:     &stripe.LeveledLogger{Level: stripe.LevelNull}, // it would log whole answers
		})
	}
	return client.New(s.secretKey, &stripe.Backends{
		API:     backend(stripe.APIBackend),
		Connect: backend(stripe.ConnectBackend),
		Uploads: backend(stripe.UploadsBackend),
	})
}

// unwritten wraps an error that came before a connection was there, so that
// nothing of the request can have left.
type unwritten struct {
	error
	reason string // for people; holds no secret
}

// carefulTransport limits answers, sends a POST once, and knows what was
// provably never sent.
//
// net/http repeats a request on its own when a kept connection breaks, if it
// carries an Idempotency-Key and has GetBody. Repeating is the hub's decision,
// so GetBody is taken away. And because a first try may have arrived where a
// second could not connect, a dial error alone proves nothing: only if no
// connection was ever handed out for this request was nothing written.
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
	if res.StatusCode >= 300 && res.StatusCode < 400 { // the library would take it for success
		res.Body.Close()
		return nil, fmt.Errorf("%w: HTTP %d", errUnreadable, res.StatusCode)
	}
	res.Body = http.MaxBytesReader(nil, res.Body, maxAnswer)
	return res, nil
}

// beforeWriting names the errors of connecting, "" for any other.
func beforeWriting(err error) string {
	var op *net.OpError
	var cert *tls.CertificateVerificationError
	switch {
	case errors.As(err, &cert):
		return "Stripe's certificate is not trusted"
	case errors.As(err, &op) && op.Op == "dial":
		return "no connection to Stripe"
	}
	return ""
}

// within gives the call a little less time than the hub's deadline.
func within(ctx context.Context) (context.Context, context.CancelFunc) {
	if deadline, ok := ctx.Deadline(); ok {
		return context.WithDeadline(ctx, deadline.Add(-answerMargin))
	}
	return context.WithCancel(ctx)
}

// post are the parameters that every POST has; the dispatch has checked that
// the key is there. Without params the library would send no key at all.
func post(ctx context.Context, key string) stripe.Params {
	return stripe.Params{Context: ctx, IdempotencyKey: stripe.String(key)}
}

// get are the parameters that every GET has. Without them it has no deadline.
func get(ctx context.Context) stripe.Params { return stripe.Params{Context: ctx} }

const pageSize = 100 // Stripe's largest

// walk visits a list newest first until visit says stop, reading at most limit
// objects. whole says that the end was seen: only then is absence proven. A page
// without data, or an empty one before the end, is an error: {} would read as an
// empty list, and the library panics on the other.
func walk[T any](it *stripe.Iter, data func(stripe.ListContainer) []*T, limit int, visit func(*T) bool) (whole bool, err error) {
	sound := func() error {
		page := data(it.List())
		switch {
		case it.Err() != nil:
			return it.Err()
		case page == nil, len(page) == 0 && it.Meta().HasMore:
			return errUnreadable
		}
		return nil
	}
	for range limit {
		if err := sound(); err != nil {
			return false, err
		}
		if !it.Next() { // it may have asked for a further page
			err := sound()
			return err == nil, err
		}
		item, _ := it.Current().(*T)
		if item == nil {
			return false, errUnreadable
		}
		if !visit(item) {
			return false, nil
		}
	}
	return false, sound()
}

// errUnreadable is an answer that says nothing: cut, empty, HTML, without an id.
var errUnreadable = errors.New("the answer could not be read")

// cause says why a call failed without quoting the answer, which may hold a
// client secret: the library puts up to 500 bytes of it into its errors.
func cause(err error) error {
	var timeout interface{ Timeout() bool }
	var op *net.OpError
	var large *http.MaxBytesError
	switch {
	case errors.Is(err, context.Canceled):
		return context.Canceled
	case errors.Is(err, context.DeadlineExceeded):
		return context.DeadlineExceeded
	case errors.As(err, &timeout) && timeout.Timeout():
		return errors.New("timed out")
	case errors.As(err, &large):
		return fmt.Errorf("%w: more than %d bytes", errUnreadable, large.Limit)
	case errors.As(err, &op):
		return op
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("the connection broke")
	}
	return errUnreadable
}
