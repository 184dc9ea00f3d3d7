package standin

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Client opens a stand-in's doors from a test or a tool.
type Client struct {
	BaseURL string // of the stand-in, e.g. http://127.0.0.1:4242/stripe
	HTTP    *http.Client
}

// Books returns the stand-in's account of the money.
func (c Client) Books(ctx context.Context) (books Books, err error) {
	err = c.call(ctx, http.MethodGet, "books", nil, &books)
	return books, err
}

// BooksOf returns the lines of one payment.
func (c Client) BooksOf(ctx context.Context, payment string) (books Books, err error) {
	err = c.call(ctx, http.MethodGet, "books?payment="+url.QueryEscape(payment), nil, &books)
	return books, err
}

// Callbacks lists what was, is being, and will be delivered.
func (c Client) Callbacks(ctx context.Context) (list []Callback, err error) {
	err = c.call(ctx, http.MethodGet, "callbacks", nil, &list)
	return list, err
}

// CallbacksOf lists those whose body has a text in it: a payment's id, say.
func (c Client) CallbacksOf(ctx context.Context, match string) (list []Callback, err error) {
	err = c.call(ctx, http.MethodGet, "callbacks?match="+url.QueryEscape(match), nil, &list)
	return list, err
}

// Requests lists the API requests that arrived.
func (c Client) Requests(ctx context.Context) (list []Request, err error) {
	err = c.call(ctx, http.MethodGet, "requests", nil, &list)
	return list, err
}

// AddFault puts a rule in force.
func (c Client) AddFault(ctx context.Context, f Fault) error {
	return c.call(ctx, http.MethodPost, "faults", f, nil)
}

// Bitten counts what faults did, by action.
func (c Client) Bitten(ctx context.Context) (count map[Action]int, err error) {
	err = c.call(ctx, http.MethodGet, "faults", nil, &count)
	return count, err
}

// ClearFaults lifts every rule.
func (c Client) ClearFaults(ctx context.Context) error {
	return c.call(ctx, http.MethodDelete, "faults", nil, nil)
}

// ClearFaultsOf lifts the rules for what carries that text.
func (c Client) ClearFaultsOf(ctx context.Context, match string) error {
	return c.call(ctx, http.MethodDelete, "faults?match="+url.QueryEscape(match), nil, nil)
}

// SetClock puts the stand-in's clock ahead of the machine's.
func (c Client) SetClock(ctx context.Context, ahead time.Duration) error {
	return c.call(ctx, http.MethodPut, "clock", map[string]string{"ahead": ahead.String()}, nil)
}

// Release sends the withheld callbacks in the given order.
func (c Client) Release(ctx context.Context, order ReleaseOrder) (int, error) {
	var answer struct{ Released int }
	err := c.call(ctx, http.MethodPost, "callbacks/release", order, &answer)
	return answer.Released, err
}

// Resend delivers one callback again.
func (c Client) Resend(ctx context.Context, id string) error {
	return c.call(ctx, http.MethodPost, "callbacks/"+url.PathEscape(id)+"/resend", nil, nil)
}

// SetWebhook changes where callbacks go.
func (c Client) SetWebhook(ctx context.Context, address string) error {
	return c.call(ctx, http.MethodPut, "webhook", map[string]string{"url": address}, nil)
}

// Set changes what one of the sandbox's own doors sets: PUT /_sandbox/{door}.
func (c Client) Set(ctx context.Context, door string, in any) error {
	return c.call(ctx, http.MethodPut, door, in, nil)
}

func (c Client) call(ctx context.Context, method, door string, in, out any) error {
	var body io.Reader
	if in != nil {
		data, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimRight(c.BaseURL, "/")+DoorPrefix+door, body)
	if err != nil {
		return err
	}
	client := c.HTTP
	if client == nil {
		client = http.DefaultClient
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(io.LimitReader(resp.Body, 64<<20))
	if err != nil {
		return err
	}
	if resp.StatusCode >= 300 {
		return fmt.Errorf("%s %s: %s: %s", method, door, resp.Status, bytes.TrimSpace(data))
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(data, out)
}
