package postgres

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/sdk"
)

// hearing is what a callback says of whom it is about.
type hearing struct {
	ID        string    `json:"id"`
	Provider  string    `json:"provider"`
	EventID   string    `json:"event_id"`
	AttemptID string    `json:"attempt_id"` // which our server put into the provider's metadata; may be empty
	Refs      []sdk.Ref `json:"refs"`
}

// loadCallbacksSQL finds the orders of any number of callbacks: each by our
// attempt id first, else by the provider's names; with the fate of the same
// event if it came before. The order of one that is settled is not loaded: a
// repetition costs one look into an index. Each LIMIT 1 makes the planner look a row up by an
// index, also while it knows nothing yet of how large the tables are; by which,
// it knows once they were analyzed (Analyze).
const loadCallbacksSQL = `SELECT coalesce(h.id, ''), coalesce(h.outcome, ''), coalesce(mine.attempt_id, named.attempt_id, ''), m.found
	FROM ROWS FROM (jsonb_to_recordset($1::jsonb) AS (id text, provider text, event_id text, attempt_id text, refs jsonb))
		WITH ORDINALITY AS ask (id, provider, event_id, attempt_id, refs, place)
	LEFT JOIN LATERAL (SELECT c.id, c.outcome FROM callbacks c WHERE c.provider = ask.provider AND c.event_id = ask.event_id LIMIT 1) h ON true
	LEFT JOIN LATERAL (SELECT a.id AS attempt_id, a.order_id FROM attempts a WHERE a.id = ask.attempt_id AND a.provider = ask.provider LIMIT 1) mine ON true
	LEFT JOIN LATERAL (
		SELECT r.attempt_id, r.order_id
		FROM ROWS FROM (jsonb_to_recordset(ask.refs) AS (kind text, value text)) WITH ORDINALITY AS q (kind, value, n)
		CROSS JOIN LATERAL (SELECT * FROM refs WHERE refs.provider = ask.provider AND refs.kind = q.kind AND refs.value = q.value LIMIT 1) r
		WHERE mine.attempt_id IS NULL ORDER BY q.n LIMIT 1
	) named ON true
	LEFT JOIN LATERAL (SELECT ` + aggregate + ` AS found FROM orders o WHERE o.id = coalesce(mine.order_id, named.order_id)
		AND (h.id IS NULL OR h.id = ask.id OR h.outcome NOT IN ('applied', 'no_news', 'ignored')) LIMIT 1) m ON true
	ORDER BY ask.place`

// Heard is what is on record about a callback.
type Heard struct {
	ID        string             // of the line in the inbox, if the event is not new
	Outcome   ledger.CallbackOut // empty if the event is new
	AttemptID string             // empty if it is of no attempt
	Order     *ledger.Order      // nil also if another line has settled the event
}

// OrderOfCallback finds what a callback's payment belongs to, and whether the
// event was heard before. What is asked at the same moment shares a statement.
func (p *DB) OrderOfCallback(ctx context.Context, cb *ledger.Callback, attemptID string, refs []sdk.Ref) (Heard, error) {
	if refs == nil {
		refs = []sdk.Ref{}
	}
	return p.hearings.do(ctx, hearing{cb.ID, cb.Provider, cb.EventID, attemptID, refs})
}

func (p *DB) hearAll(ctx context.Context, asked []hearing) ([]Heard, error) {
	doc, err := json.Marshal(asked)
	if err != nil {
		return nil, err
	}
	rows, err := p.loadCallbacks.QueryxContext(ctx, string(withoutNUL(doc)))
	if err != nil {
		return nil, mapErr(err)
	}
	defer rows.Close()
	heard, raw := make([]Heard, 0, len(asked)), make([][]byte, 0, len(asked))
	for rows.Next() {
		var h Heard
		var r []byte
		if err := rows.Scan(&h.ID, &h.Outcome, &h.AttemptID, &r); err != nil {
			return nil, mapErr(err)
		}
		heard, raw = append(heard, h), append(raw, r)
	}
	if err := rows.Err(); err != nil {
		return nil, mapErr(err)
	}
	_ = rows.Close() // to decode may take a connection
	for i, r := range raw {
		if r == nil {
			continue
		}
		if heard[i].Order, err = p.decode(ctx, r); err != nil {
			return nil, err
		}
	}
	if len(heard) != len(asked) {
		return nil, fmt.Errorf("database: asked for %d callbacks, told of %d", len(asked), len(heard))
	}
	return heard, nil
}
