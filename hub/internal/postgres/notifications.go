package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/lib/pq"

	"github.com/superpayhub/superpay/hub/internal/ledger"
)

// notices is part of the commit: one notification for each endpoint of the app
// that is not disabled, due at once.
func notices(_ table, from string) string {
	return `INSERT INTO notifications (id, app_id, endpoint_id, order_id, type, version, payload, state, due_at, tries, created_at)
	SELECT x.id || '_' || e.id, x.app_id, e.id, x.order_id, x.type, x.version, x.payload, 'pending', x.created_at, 0, x.created_at
	FROM ` + from + ` x JOIN webhook_endpoints e ON e.app_id = x.app_id AND e.disabled_at IS NULL
	WHERE x.order_id IN (SELECT id FROM written) RETURNING 1`
}

// Notification is one notification to one endpoint.
type Notification struct {
	ID          string     `db:"id"`
	AppID       string     `db:"app_id"`
	EndpointID  string     `db:"endpoint_id"`
	OrderID     string     `db:"order_id"` // empty if it is about an endpoint
	Type        string     `db:"type"`
	Version     int64      `db:"version"`
	Payload     string     `db:"payload"` // not in lists
	State       string     `db:"state"`
	Tries       int        `db:"tries"`
	DueAt       *time.Time `db:"due_at"`
	LastStatus  int        `db:"last_status"`
	LastError   string     `db:"last_error"`
	CreatedAt   time.Time  `db:"created_at"`
	DeliveredAt *time.Time `db:"delivered_at"`
}

// NotificationID is the prefix of notifications' ids.
const NotificationID = "ntf"

const notificationColumns = `id, app_id, endpoint_id, order_id, type, version, state, tries, due_at, last_status, last_error, created_at, delivered_at`

// NotificationFilter narrows a list of notifications. Zero fields do not; an
// empty app is the hub itself.
type NotificationFilter struct {
	AppID, OrderID, EndpointID, State, Type string
	IDs                                     []string  // only these; nil is all
	From, To                                time.Time // made at or after, and before
	Before                                  string    // cursor: ids below this one
	Limit                                   int
}

// where is the filter as a condition on notifications n. Ids hold the time, so
// that times are a range of the key.
func (f NotificationFilter) where() (string, []any) {
	cond, args := "true", []any{}
	add := func(what, v string) {
		if v != "" {
			args = append(args, v)
			cond += fmt.Sprintf(" AND n.%s $%d", what, len(args))
		}
	}
	add("app_id =", f.AppID)
	add("order_id =", f.OrderID)
	add("endpoint_id =", f.EndpointID)
	add("state =", f.State)
	add("type =", f.Type)
	add("id <", f.Before)
	if f.IDs != nil {
		args = append(args, pq.StringArray(f.IDs))
		cond += fmt.Sprintf(" AND n.id = ANY($%d)", len(args))
	}
	if !f.From.IsZero() {
		add("id >=", ledger.FirstID(NotificationID, f.From))
	}
	if !f.To.IsZero() {
		add("id <", ledger.FirstID(NotificationID, f.To))
	}
	return cond, args
}

// Notifications lists notifications, the newest first.
func (p *DB) Notifications(ctx context.Context, f NotificationFilter) ([]Notification, error) {
	cond, args := f.where()
	q := fmt.Sprintf(`SELECT %s FROM notifications n WHERE %s ORDER BY n.id DESC LIMIT %d`, notificationColumns, cond, f.Limit)
	var out []Notification
	err := p.db.SelectContext(ctx, &out, q, args...)
	return out, mapErr(err)
}

// Try is one line of the delivery log.
type Try struct {
	ID     string     `db:"id"`
	At     time.Time  `db:"at"`
	URL    string     `db:"url"`
	Status int        `db:"status"` // 0: no answer
	Error  string     `db:"error"`
	TookMS int        `db:"took_ms"`
	Answer *string    `db:"answer"` // the first bytes; nil when it was dropped for its age
	NextAt *time.Time `db:"next_at"`
}

// maxTriesShown bounds the log of one notification, which can be resent for ever.
const maxTriesShown = 100

// Notification reads a notification with its payload and its tries, the newest
// first. An empty app is the hub itself. ErrNotFound.
func (p *DB) Notification(ctx context.Context, appID, id string) (Notification, []Try, error) {
	var n Notification
	err := p.db.GetContext(ctx, &n, `SELECT `+notificationColumns+`, payload FROM notifications
		WHERE id = $2 AND ($1 = '' OR app_id = $1)`, appID, id)
	if err != nil {
		return n, nil, mapErr(err)
	}
	var tries []Try
	err = p.db.SelectContext(ctx, &tries, `SELECT id, at, url, status, error, took_ms, answer, next_at FROM deliveries
		WHERE notification_id = $1 ORDER BY id DESC LIMIT $2`, id, maxTriesShown)
	return n, tries, mapErr(err)
}

// ErrDisabled says that nothing is sent to an endpoint until it is enabled.
var ErrDisabled = errors.New("the endpoint is disabled")

// ResendNotification makes a notification due now, whatever became of it. An
// empty app is the hub itself. ErrNotFound, ErrDisabled.
func (p *DB) ResendNotification(ctx context.Context, appID, id string, now time.Time) error {
	var disabled bool
	err := p.get(ctx, &disabled, `WITH found AS (
			SELECT n.id, e.disabled_at IS NOT NULL AS disabled FROM notifications n JOIN webhook_endpoints e ON e.id = n.endpoint_id
			WHERE n.id = $2 AND ($1 = '' OR n.app_id = $1)
		), again AS (
			UPDATE notifications SET state = 'pending', due_at = $3, tries = 0 WHERE id IN (SELECT id FROM found WHERE NOT disabled)
		) SELECT disabled FROM found`, appID, id, now)
	if err == nil && disabled {
		return ErrDisabled
	}
	return mapErr(err)
}

// ResendFailed makes failed notifications due now, at most limit, the oldest
// first, and tells how many: call it again while there are limit of them. What
// waits for a disabled endpoint stays as it is.
func (p *DB) ResendFailed(ctx context.Context, f NotificationFilter, now time.Time, limit int) (int64, error) {
	f.State = "failed"
	cond, args := f.where()
	args = append(args, now)
	res, err := p.exec(ctx, fmt.Sprintf(`UPDATE notifications SET state = 'pending', due_at = $%d, tries = 0 WHERE id IN (
		SELECT n.id FROM notifications n JOIN webhook_endpoints e ON e.id = n.endpoint_id AND e.disabled_at IS NULL
		WHERE %s ORDER BY n.id LIMIT %d)`, len(args), cond, limit), args...)
	if err != nil {
		return 0, mapErr(err)
	}
	return res.RowsAffected()
}

// CountFailed tells how many ResendFailed would find, counting to most.
func (p *DB) CountFailed(ctx context.Context, f NotificationFilter, most int) (int, error) {
	f.State = "failed"
	cond, args := f.where()
	var n int
	err := p.db.GetContext(ctx, &n, fmt.Sprintf(`SELECT count(*) FROM (
		SELECT FROM notifications n JOIN webhook_endpoints e ON e.id = n.endpoint_id AND e.disabled_at IS NULL WHERE %s LIMIT %d) x`, cond, most), args...)
	return n, mapErr(err)
}

// TrimNotifications drops what is old, at most limit rows of each kind: the
// answers of tries before answers, notifications made before notifications.
// It tells whether there may be more.
func (p *DB) TrimNotifications(ctx context.Context, answers, notifications time.Time, limit int) (more bool, err error) {
	for _, t := range []struct{ q, before string }{
		{`UPDATE deliveries SET answer = NULL WHERE id IN (
			SELECT id FROM deliveries WHERE answer IS NOT NULL AND id < $1 ORDER BY id LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED)`, ledger.FirstID(deliveryID, answers)},
		{`DELETE FROM notifications WHERE id IN (
			SELECT id FROM notifications WHERE id < $1 ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED)`, ledger.FirstID(NotificationID, notifications)},
	} {
		res, err := p.exec(ctx, t.q, t.before, limit)
		if err != nil {
			return false, mapErr(err)
		}
		n, err := res.RowsAffected()
		if err != nil {
			return false, mapErr(err)
		}
		more = more || n == int64(limit)
	}
	return more, nil
}
