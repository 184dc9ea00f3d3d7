package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/superpayhub/superpay/hub/internal/ledger"
)

// Story is what happened to an order, beside the order itself: each list the
// newest first, and no longer than asked.
type Story struct {
	App           string              `json:"app"` // its name
	Events        []ledger.Event      `json:"events"`
	Operations    []*ledger.Operation `json:"operations"`
	Callbacks     []*ledger.Callback  `json:"callbacks"`
	Notifications []ToldApp           `json:"notifications"`
	Postings      []ledger.Posting    `json:"postings"`
}

// ToldApp is a notification with its tries.
type ToldApp struct {
	ID         string    `json:"id"`
	EndpointID string    `json:"endpoint_id"`
	URL        string    `json:"url"`
	Type       string    `json:"type"`
	Version    int64     `json:"version"`
	State      string    `json:"state"`
	DueAt      time.Time `json:"due_at"`
	Disabled   bool      `json:"disabled"` // its endpoint is
	Tries      []Told    `json:"tries"`
	CreatedAt  time.Time `json:"created_at"`
}

// Told is one try of a notification.
type Told struct {
	ID     string    `json:"id"`
	At     time.Time `json:"at"`
	Status int       `json:"status"` // 0: no answer
	Error  string    `json:"error"`
	TookMS int       `json:"took_ms"`
}

// storySQL reads all of it in one round trip. The ids hold the time, so that
// "before" cuts each list at the same moment ($2 is an id's time, or the end of
// all times).
const storySQL = `SELECT json_build_object(
	'app', (SELECT a.name FROM orders o JOIN apps a ON a.id = o.app_id WHERE o.id = $1),
	'events', (SELECT json_agg(x) FROM (SELECT * FROM events WHERE order_id = $1 AND id < 'evt_' || $2 ORDER BY id DESC LIMIT $3) x),
	'operations', (SELECT json_agg(x) FROM (SELECT id, app_id, order_id, attempt_id, refund_id, kind, outcome, rejected, failure, first_sent_at, deadline,
		sends, plugin_version, created_at, updated_at FROM operations WHERE order_id = $1 ORDER BY id DESC LIMIT $3) x),
	'callbacks', (SELECT json_agg(x) FROM (SELECT id, provider, event_id, type, order_id, outcome, note, due_at, tries, received_at, updated_at
		FROM callbacks WHERE order_id = $1 AND id < 'cb_' || $2 ORDER BY id DESC LIMIT $3) x),
	'notifications', (SELECT json_agg(x) FROM (SELECT n.id, n.endpoint_id, e.url, n.type, n.version, n.state, n.due_at, e.disabled_at IS NOT NULL AS disabled, n.created_at,
		(SELECT json_agg(d) FROM (SELECT id, at, status, error, took_ms FROM deliveries WHERE notification_id = n.id ORDER BY id DESC LIMIT $3) d) AS tries
		FROM notifications n JOIN webhook_endpoints e ON e.id = n.endpoint_id WHERE n.order_id = $1 AND n.id < 'ntf_' || $2 ORDER BY n.id DESC LIMIT $3) x),
	'postings', (SELECT json_agg(x) FROM (SELECT * FROM postings WHERE order_id = $1 AND id < 'pst_' || $2 ORDER BY id DESC LIMIT $3) x))`

// OrderStory reads what happened to an order before a time (zero: until now),
// at most limit of each kind. An order that is not there has an empty story.
func (p *DB) OrderStory(ctx context.Context, orderID string, before time.Time, limit int) (Story, error) {
	end := "~"
	if !before.IsZero() {
		end = ledger.FirstID("", before)[1:]
	}
	var raw []byte
	var s Story
	if err := p.db.GetContext(ctx, &raw, storySQL, orderID, end, limit); err != nil {
		return s, mapErr(err)
	}
	if err := json.Unmarshal(raw, &s); err != nil {
		return s, fmt.Errorf("decode story: %w", err)
	}
	return s, nil
}

// OrderMoved is a short text that changes whenever an order's page would: with
// its version, and with each try to tell its app. Empty: no such order.
func (p *DB) OrderMoved(ctx context.Context, orderID string) (string, error) {
	var moved string
	err := p.db.GetContext(ctx, &moved, `SELECT coalesce((SELECT version FROM orders WHERE id = $1)
		|| '-' || (SELECT coalesce(sum(tries), 0) || '-' || count(*) || '-' || count(*) FILTER (WHERE state = 'pending') FROM notifications WHERE order_id = $1)
		|| '-' || (SELECT count(*) || '-' || coalesce(extract(epoch FROM max(updated_at)), 0) FROM callbacks WHERE order_id = $1), '')`, orderID)
	return moved, mapErr(err)
}
