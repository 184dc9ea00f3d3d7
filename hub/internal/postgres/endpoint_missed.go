package postgres

import (
	"context"
	"encoding/json"
	"time"

	"github.com/superpayhub/superpay/hub/internal/ledger"
)

// Behind is an endpoint that was disabled: what changed meanwhile is still to be told.
type Behind struct {
	EndpointID string    `db:"id"`
	AppID      string    `db:"app_id"`
	From       time.Time `db:"missed_from"`
	ID         string    `db:"missed_id"`
	Until      time.Time `db:"missed_until"`
}

// EndpointBehind is one that was enabled before then and is behind. ErrNotFound.
func (p *DB) EndpointBehind(ctx context.Context, before time.Time) (Behind, error) {
	var b Behind
	err := p.db.GetContext(ctx, &b, `SELECT id, app_id, missed_from, missed_id, missed_until FROM webhook_endpoints
		WHERE missed_from IS NOT NULL AND disabled_at IS NULL AND missed_until < $1 ORDER BY random() LIMIT 1`, before)
	return b, mapErr(err)
}

// TellMissed has an endpoint told of orders, each as it is now, unless it was told of
// that version or a later one; and notes how far that is: up to a place, or to the end
// if that is nil. Of several hubs one does so.
func (p *DB) TellMissed(ctx context.Context, b Behind, notices []ledger.Notice, upTo *Place) error {
	doc, err := json.Marshal(notices)
	if err != nil {
		return err
	}
	var from *time.Time
	id := ""
	if upTo != nil {
		from, id = &upTo.At, upTo.ID
	}
	_, err = p.exec(ctx, `WITH moved AS (
			UPDATE webhook_endpoints SET missed_from = $4, missed_id = $5
			WHERE id = $1 AND missed_from = $2 AND missed_id = $3 AND disabled_at IS NULL RETURNING id, app_id
		) INSERT INTO notifications (id, app_id, endpoint_id, order_id, type, version, payload, state, due_at, tries, created_at)
		SELECT x.id || '_' || m.id, m.app_id, m.id, x.order_id, x.type, x.version, x.payload, 'pending', x.created_at, 0, x.created_at
		FROM moved m, jsonb_to_recordset($6::jsonb) AS x (id text, order_id text, type text, version bigint, payload text, created_at timestamptz)
		WHERE NOT EXISTS (SELECT FROM notifications n WHERE n.order_id = x.order_id AND n.endpoint_id = m.id AND n.version >= x.version)`,
		b.EndpointID, b.From, b.ID, from, id, string(withoutNUL(doc)))
	return mapErr(err)
}
