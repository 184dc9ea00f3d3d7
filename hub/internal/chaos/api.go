package chaos

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"
)

// view is what the campaign looks at of what the API answers: of an order, a
// refund and a problem alike.
type view struct {
	ID             string    `json:"id"`
	OrderID        string    `json:"order_id"`
	Reference      string    `json:"reference"`
	Status         any       `json:"status"` // a problem's is a number
	Code           string    `json:"code"`
	Detail         string    `json:"detail"`
	Amount         int64     `json:"amount"`
	Currency       string    `json:"currency"`
	Exponent       int       `json:"exponent"`
	Captured       int64     `json:"captured"`
	Refunded       int64     `json:"refunded"`
	Refundable     int64     `json:"refundable"`
	Disputed       int64     `json:"disputed"`
	NeedsAttention bool      `json:"needs_attention"`
	Attempts       []attempt `json:"attempts"`
	Refunds        []refund  `json:"refunds"`
	Disputes       []dispute `json:"disputes"`
	ExpiresAt      time.Time `json:"expires_at"`
	Version        int64     `json:"version"`
	Attention      []struct {
		Reason string `json:"reason"`
	} `json:"attention"`

	content map[string]any // of an order: see shown
}

type attempt struct {
	ID         string `json:"id"`
	Provider   string `json:"provider"`
	Flow       string `json:"flow"`
	Status     string `json:"status"`
	Captured   int64  `json:"captured"`
	Refunded   int64  `json:"refunded"`
	Abandoned  bool   `json:"abandoned"`
	Failure    *struct{ Code string }
	NextAction *action `json:"next_action"`
	References []struct{ Kind, Value string }
}

type action struct {
	URL    string            `json:"url"`
	Client map[string]string `json:"client"`
}

type refund struct {
	ID         string `json:"id"`
	Status     string `json:"status"`
	Origin     string `json:"origin"`
	Amount     int64  `json:"amount"`
	ProviderID string `json:"provider_id"`
}

type dispute struct {
	Status         string `json:"status"`
	Amount         int64  `json:"amount"`
	FundsWithdrawn bool   `json:"funds_withdrawn"`
}

// is reports whether that is the order's status.
func (v *view) is(statuses ...string) bool {
	for _, s := range statuses {
		if v.Status == s {
			return true
		}
	}
	return false
}

// next is what the payer has to do.
func (v *view) next() *action {
	for i := len(v.Attempts) - 1; i >= 0; i-- {
		if v.Attempts[i].NextAction != nil {
			return v.Attempts[i].NextAction
		}
	}
	return nil
}

func (a *attempt) ref(kind string) string {
	for _, r := range a.References {
		if r.Kind == kind {
			return r.Value
		}
	}
	return ""
}

// answer is what one call came back with.
type answer struct {
	status int
	view
	raw string
}

// UnmarshalJSON reads a view, and of an order what it shows in all.
func (v *view) UnmarshalJSON(raw []byte) error {
	type fields view
	if err := json.Unmarshal(raw, (*fields)(v)); err != nil {
		return err
	}
	if v.isOrder() {
		v.content = shown(raw)
	}
	return nil
}

// isOrder tells an order from a refund and a problem.
func (v *view) isOrder() bool { return v.Reference != "" && v.Version > 0 }

// call asks a hub once, as an app.
func (c *campaign) call(ctx context.Context, as *app, base, method, path, key string, body any) (answer, error) {
	var reader io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			return answer{}, err
		}
		reader = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(ctx, method, base+path, reader)
	if err != nil {
		return answer{}, err
	}
	req.Header.Set("Authorization", "Bearer "+as.key)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if key != "" {
		req.Header.Set("Idempotency-Key", key)
	}
	res, err := c.web.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		return answer{}, err
	}
	a := answer{status: res.StatusCode, raw: string(raw)}
	if err := json.Unmarshal(raw, &a.view); err != nil {
		return a, fmt.Errorf("%s %s: status %d, no JSON: %w", method, path, a.status, err)
	}
	if a.isOrder() {
		as.receiver.answered(&a.view)
	}
	return a, nil
}
