// Package once is the HTTP of requests about money, for plugins: each request
// leaves once, answers are bounded, redirects are not followed, and what was
// provably never sent is told from what may have arrived.
//
//	http := once.Client(once.Transport{Provider: "Acmepay", MaxAnswer: 8 << 20})
//
// An error of it is [sdk.NotSent] or unknown; [Cause] makes one fit for a log.
package once

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

	"github.com/superpayhub/superpay/sdk"
)

const (
	callTimeout  = 60 * time.Second       // only for a caller without a deadline
	answerMargin = 100 * time.Millisecond // to tell the hub what went wrong before it gives up
	keptOpen     = 64                     // connections to one host; net/http's 2 would mean one per call under load
)

// ErrUnreadable is an answer that says nothing: cut, empty, too long, HTML,
// redirected, without an id. What was asked for may have happened.
var ErrUnreadable = errors.New("the answer could not be read")

// Client returns a client over the transport. It never follows a redirect: a
// request for money could be lost or doubled, and a credential go elsewhere.
func Client(transport http.RoundTripper) *http.Client {
	return &http.Client{
		Timeout:       callTimeout,
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Pool returns a transport of net/http's with connections enough for a
// provider that is asked many things at once.
func Pool() *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConns, t.MaxIdleConnsPerHost = 2*keptOpen, keptOpen
	return t
}

// Transport sends a request once and knows what was provably never sent.
//
// net/http repeats a request on its own when a kept connection breaks, if it
// has no body, or has GetBody and an Idempotency-Key. Repeating is the hub's
// decision, so GetBody is taken away. And because a first try may have arrived
// where a second could not connect, a dial error alone proves nothing: only if
// no connection was ever handed out for this request was nothing written.
type Transport struct {
	Provider  string            // for people: "no connection to Stripe"
	MaxAnswer int64             // bytes of a body; reading more is an error
	Base      http.RoundTripper // what sends; see [Pool]
}

// RoundTrip implements http.RoundTripper. The error is sdk.NotSent where
// nothing can have left. A redirect is ErrUnreadable.
func (t Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	var connected atomic.Bool
	req = req.WithContext(httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) { connected.Store(true) },
	}))
	req.GetBody = nil
	res, err := t.Base.RoundTrip(req)
	if err != nil {
		if reason := t.beforeWriting(err); reason != "" && !connected.Load() {
			return nil, sdk.NotSent(reason)
		}
		return nil, err
	}
	if res.StatusCode >= 300 && res.StatusCode < 400 {
		res.Body.Close()
		return nil, fmt.Errorf("%w: HTTP %d", ErrUnreadable, res.StatusCode)
	}
	res.Body = http.MaxBytesReader(nil, res.Body, t.MaxAnswer)
	return res, nil
}

// beforeWriting names the errors of connecting, "" for any other.
func (t Transport) beforeWriting(err error) string {
	var op *net.OpError
	var cert *tls.CertificateVerificationError
	switch {
	case errors.As(err, &cert):
		return "the certificate of " + t.Provider + " is not trusted"
	case errors.As(err, &op) && op.Op == "dial":
		return "no connection to " + t.Provider
	}
	return ""
}

// Within gives a call a little less time than the hub's deadline.
func Within(ctx context.Context) (context.Context, context.CancelFunc) {
	if deadline, ok := ctx.Deadline(); ok {
		return context.WithDeadline(ctx, deadline.Add(-answerMargin))
	}
	return context.WithCancel(ctx)
}

// Cause says why a call failed without quoting the answer or the request, which
// may hold a secret.
func Cause(err error) error {
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
		return fmt.Errorf("%w: more than %d bytes", ErrUnreadable, large.Limit)
	case errors.As(err, &op):
		return op
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("the connection broke")
	}
	return ErrUnreadable
}
