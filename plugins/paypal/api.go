package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"time"

	paypal "github.com/plutov/paypal/v4"

	"github.com/superpayhub/superpay/sdk"
	"github.com/superpayhub/superpay/sdk/once"
)

const (
	tokenTimeout = 10 * time.Second
)

// api asks PayPal, through the library's NewRequest and SendWithAuth. Its
// helpers are not used: they write to the shared client without a lock
// (CaptureOrder), send no request id (AuthorizeOrder, void), lose the
// authorization's id, or call an address that is not PayPal's (GetRefund).
//
// The library fetches tokens inside a lock that knows no deadline, and keeps a
// token that PayPal has revoked. So tokens are fetched here: each lives in a
// library client of its own, which by SetAccessToken never fetches one itself.
type api struct {
	settings settings
	http     *http.Client
	token    atomic.Pointer[token]
	renewing chan struct{} // holds one: a lock that can be waited for with a deadline
}

type token struct {
	*paypal.Client
	renewAt time.Time
}

func newAPI(s settings, transport http.RoundTripper) *api {
	return &api{settings: s, http: once.Client(transport), renewing: make(chan struct{}, 1)}
}

// call is one request. PayPal answers a repeated key with the latest status of
// what the first one did.
type call struct {
	method, path string
	key          string // PayPal-Request-Id; reads have none
	in           any    // marshalled, but for []byte, which is sent as it is
}

func get(path string) call { return call{method: http.MethodGet, path: path} }

func post(path, key string, in any) call {
	return call{method: http.MethodPost, path: path, key: key, in: in}
}

// send asks, and decodes the answer into out. A token that PayPal refuses is
// renewed once and the request repeated under its own key: a 401 is answered
// before PayPal looks at the request.
func (a *api) send(ctx context.Context, c call, out any) error {
	body, raw := c.in.([]byte)
	if !raw && c.in != nil {
		var err error
		if body, err = json.Marshal(c.in); err != nil {
			return sdk.NotSent("the request cannot be written")
		}
	}
	t, err := a.usable(ctx, nil)
	if err != nil {
		return err
	}
	err = a.once(ctx, t, c, body, out)
	if statusOf(err) != http.StatusUnauthorized {
		return err
	}
	if t, err = a.usable(ctx, t); err != nil {
		return err
	}
	return a.once(ctx, t, c, body, out)
}

func (a *api) once(ctx context.Context, t *token, c call, body []byte, out any) error {
	// No payload: it would be marshalled anew, and its body would come with
	// GetBody, by which net/http repeats requests on its own.
	req, err := t.NewRequest(ctx, c.method, t.APIBase+c.path, nil)
	if err != nil {
		return sdk.NotSent("the request cannot be written")
	}
	if body != nil {
		req.Body, req.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	}
	if c.key != "" {
		req.Header.Set("PayPal-Request-Id", c.key)
		req.Header.Set("Prefer", "return=representation") // the default is minimal: no amounts
	}
	return t.SendWithAuth(req, out)
}

// usable returns a token that is neither about to expire nor the refused one.
// One caller fetches it; the others wait, each no longer than its own deadline.
func (a *api) usable(ctx context.Context, refused *token) (*token, error) {
	good := func() *token {
		if t := a.token.Load(); t != nil && t != refused && time.Now().Before(t.renewAt) {
			return t
		}
		return nil
	}
	if t := good(); t != nil {
		return t, nil
	}
	select {
	case a.renewing <- struct{}{}:
		defer func() { <-a.renewing }()
	case <-ctx.Done():
		return nil, sdk.NotSent("no access token in time")
	}
	if t := good(); t != nil {
		return t, nil
	}
	t, err := a.fetch(ctx)
	if err != nil {
		return nil, notAuthorized(err)
	}
	a.token.Store(t)
	return t, nil
}

func (a *api) fetch(ctx context.Context) (*token, error) {
	ctx, cancel := context.WithTimeout(ctx, tokenTimeout)
	defer cancel()
	client, err := paypal.NewClient(a.settings.clientID, a.settings.clientSecret, a.settings.apiURL)
	if err != nil {
		return nil, err
	}
	client.SetHTTPClient(a.http)
	answer, err := client.GetAccessToken(ctx)
	if err != nil {
		return nil, err
	}
	if answer.Token == "" {
		return nil, once.ErrUnreadable
	}
	client.SetAccessToken(answer.Token)
	life := time.Duration(answer.ExpiresIn) * time.Second
	return &token{client, time.Now().Add(max(life/2, life-5*time.Minute))}, nil
}

// notAuthorized: without a token nothing was asked, however its fetch failed.
func notAuthorized(err error) error {
	var early *sdk.NotSentError
	switch status := statusOf(err); {
	case errors.As(err, &early):
		return early
	case status == http.StatusTooManyRequests:
		return sdk.NotSent("rate limited")
	case status >= 400 && status < 500:
		return sdk.NotSent(fmt.Sprintf("credentials refused (HTTP %d)", status))
	}
	return sdk.NotSent("no access token: " + cause(err).Error())
}
