package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"

	"github.com/superpayhub/superpay/sdk/once"
)

// maxAnswer bounds what is read of an answer, in bytes.
const maxAnswer = 8 << 20

// client asks Acmepay. It never repeats: that is the hub's decision.
type client struct {
	settings settings
	http     *http.Client
}

func newClient(s settings) *client {
	return &client{settings: s, http: once.Client(once.Transport{Provider: "Acmepay", MaxAnswer: maxAnswer, Base: once.Pool()})}
}

// post asks for something, under the operation's key.
func (c *client) post(ctx context.Context, path, key string, in, out any) error {
	body, err := json.Marshal(in) // of a struct, or of a map, whose keys are sorted: the same bytes each time
	if err != nil {
		return err
	}
	return c.do(ctx, http.MethodPost, path, key, body, out)
}

func (c *client) get(ctx context.Context, path string, out any) error {
	return c.do(ctx, http.MethodGet, path, "", nil, out)
}

func (c *client) do(ctx context.Context, method, path, key string, body []byte, out any) error {
	r, err := http.NewRequestWithContext(ctx, method, c.settings.apiURL+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+c.settings.apiKey)
	r.Header.Set("Content-Type", "application/json")
	if key != "" {
		r.Header.Set("Idempotency-Key", key)
	}
	res, err := c.http.Do(r)
	if err != nil {
		return callError(err)
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		return callError(err)
	}
	if res.StatusCode != http.StatusOK {
		refused := refusal{status: res.StatusCode}
		_ = json.Unmarshal(data, &refused) // what cannot be read has no code, and is unknown
		return refused.outcome()
	}
	if json.Unmarshal(data, out) != nil {
		return once.ErrUnreadable
	}
	return nil
}
