package postgres

import (
	"context"

	"github.com/superpayhub/superpay/hub/internal/ledger"
)

// ChangedRefund is a refund that changed, with its order.
type ChangedRefund struct {
	Place           // of what changed last of it: itself, or a part
	RefundID string `db:"refund_id"`
	Order    *ledger.Order
}

// RefundsChanged lists an app's refunds by their last change, from a place on. One
// that was carried out in parts is there once, where its last part is.
func (p *DB) RefundsChanged(ctx context.Context, appID string, from Place, limit int) ([]ChangedRefund, error) {
	var rows []struct {
		ChangedRefund
		Raw []byte `db:"raw"`
	}
	err := p.db.SelectContext(ctx, &rows, `SELECT r.updated_at AS at, r.id, coalesce(r.part_of, r.id) AS refund_id, `+aggregate+` AS raw
		FROM refunds r JOIN orders o ON o.id = r.order_id
		WHERE o.app_id = $1 AND (r.updated_at, r.id) > ($2, $3) AND NOT EXISTS (SELECT FROM refunds x WHERE x.order_id = r.order_id
			AND coalesce(x.part_of, x.id) = coalesce(r.part_of, r.id) AND (x.updated_at, x.id) > (r.updated_at, r.id))
		ORDER BY r.updated_at, r.id LIMIT $4`, appID, from.At, from.ID, limit)
	if err != nil {
		return nil, mapErr(err)
	}
	changed := make([]ChangedRefund, 0, len(rows))
	for _, r := range rows {
		if r.Order, err = p.decode(ctx, r.Raw); err != nil {
			return nil, err
		}
		changed = append(changed, r.ChangedRefund)
	}
	return changed, nil
}
