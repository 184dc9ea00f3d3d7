package postgres

import (
	"context"
	"time"

	"github.com/superpayhub/superpay/hub/internal/ledger"
)

// noticesSQL is part of the commit: one notification for each endpoint of the
// app that is not disabled, due at once.
const noticesSQL = `notices_in AS (
	INSERT INTO notifications (id, app_id, endpoint_id, order_id, type, version, payload, state, due_at, tries, created_at)
	SELECT x.id || '_' || e.id, x.app_id, e.id, x.order_id, x.type, x.version, x.payload, 'pending', x.at, 0, x.at
	FROM d, jsonb_to_recordset(d.d->'notices') AS x (id text, app_id text, order_id text, type text, version bigint, payload text, at timestamptz)
	JOIN webhook_endpoints e ON e.app_id = x.app_id AND e.disabled_at IS NULL
	WHERE x.order_id IN (SELECT id FROM written) RETURNING 1)`

// Endpoint is an address that an app wants notifications at.
type Endpoint struct {
	ID             string     `db:"id"`
	AppID          string     `db:"app_id"`
	URL            string     `db:"url"`
	Secret         string     `db:"-"` // only when it was just made
	PreviousUntil  *time.Time `db:"previous_until"`
	FailingSince   *time.Time `db:"failing_since"`
	DisabledAt     *time.Time `db:"disabled_at"`
	DisabledReason string     `db:"disabled_reason"`
	CreatedAt      time.Time  `db:"created_at"`
}

const endpointColumns = `id, app_id, url, previous_until, failing_since, disabled_at, disabled_reason, created_at`

func (p *DB) sealSecret(endpointID, secret string) []byte {
	return p.keys.seal("webhook_endpoints.secret "+endpointID, []byte(secret))
}

// AddEndpoint stores an endpoint, unless the app has limit of them: ErrDuplicate.
func (p *DB) AddEndpoint(ctx context.Context, e Endpoint, limit int) error {
	res, err := p.db.ExecContext(ctx, `INSERT INTO webhook_endpoints (id, app_id, url, secret, created_at)
		SELECT $1, $2, $3, $4, $5 WHERE (SELECT count(*) FROM webhook_endpoints WHERE app_id = $2) < $6`,
		e.ID, e.AppID, e.URL, p.sealSecret(e.ID, e.Secret), e.CreatedAt, limit)
	if err != nil {
		return mapErr(err)
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return ErrDuplicate
	}
	return nil
}

// Endpoints lists an app's endpoints, the oldest first.
func (p *DB) Endpoints(ctx context.Context, appID string) ([]Endpoint, error) {
	var out []Endpoint
	err := p.db.SelectContext(ctx, &out, `SELECT `+endpointColumns+` FROM webhook_endpoints WHERE app_id = $1 ORDER BY id`, appID)
	return out, mapErr(err)
}

// Endpoint reads one of an app's endpoints. ErrNotFound.
func (p *DB) Endpoint(ctx context.Context, appID, id string) (Endpoint, error) {
	var e Endpoint
	err := p.db.GetContext(ctx, &e, `SELECT `+endpointColumns+` FROM webhook_endpoints WHERE app_id = $1 AND id = $2`, appID, id)
	return e, mapErr(err)
}

// DeleteEndpoint ends an endpoint and what was still to be sent to it. ErrNotFound.
func (p *DB) DeleteEndpoint(ctx context.Context, appID, id string) error {
	return p.mustHit(ctx, `DELETE FROM webhook_endpoints WHERE app_id = $1 AND id = $2`, appID, id)
}

// RotateEndpoint gives an endpoint a new secret; the old one signs beside it
// until then. It also enables the endpoint again. ErrNotFound.
func (p *DB) RotateEndpoint(ctx context.Context, appID, id, secret string, until time.Time) error {
	return p.mustHit(ctx, `UPDATE webhook_endpoints SET previous_secret = secret, previous_until = $4, secret = $3
		WHERE app_id = $1 AND id = $2`, appID, id, p.sealSecret(id, secret), until)
}

// EnableEndpoint lets a disabled endpoint be tried again; what waited is due. ErrNotFound.
func (p *DB) EnableEndpoint(ctx context.Context, appID, id string) error {
	return p.mustHit(ctx, `UPDATE webhook_endpoints SET disabled_at = NULL, disabled_reason = '', failing_since = NULL
		WHERE app_id = $1 AND id = $2`, appID, id)
}

// mustHit runs a statement that must hit a row. ErrNotFound.
func (p *DB) mustHit(ctx context.Context, q string, args ...any) error {
	res, err := p.db.ExecContext(ctx, q, args...)
	if err != nil {
		return mapErr(err)
	}
	if n, err := res.RowsAffected(); err != nil {
		return mapErr(err)
	} else if n == 0 {
		return ErrNotFound
	}
	return nil
}

// Notification is one notification to one endpoint.
type Notification struct {
	ID          string     `db:"id"`
	EndpointID  string     `db:"endpoint_id"`
	OrderID     string     `db:"order_id"`
	Type        string     `db:"type"`
	Version     int64      `db:"version"`
	Payload     string     `db:"payload"`
	State       string     `db:"state"`
	Tries       int        `db:"tries"`
	DueAt       *time.Time `db:"due_at"`
	LastStatus  int        `db:"last_status"`
	LastError   string     `db:"last_error"`
	CreatedAt   time.Time  `db:"created_at"`
	DeliveredAt *time.Time `db:"delivered_at"`
}

const notificationColumns = `id, endpoint_id, order_id, type, version, payload, state, tries, due_at, last_status, last_error, created_at, delivered_at`

// Notifications lists an app's notifications, the newest first, before the
// cursor; order and state narrow the list where they are given.
func (p *DB) Notifications(ctx context.Context, appID, orderID, state, before string, limit int) ([]Notification, error) {
	var out []Notification
	err := p.db.SelectContext(ctx, &out, `SELECT `+notificationColumns+` FROM notifications
		WHERE app_id = $1 AND ($2 = '' OR order_id = $2) AND ($3 = '' OR state = $3) AND ($4 = '' OR id < $4)
		ORDER BY id DESC LIMIT $5`, appID, orderID, state, before, limit)
	return out, mapErr(err)
}

// ResendNotification makes a notification due now, whatever became of it. An
// empty app is the hub itself. ErrNotFound.
func (p *DB) ResendNotification(ctx context.Context, appID, id string, now time.Time) error {
	return p.mustHit(ctx, `UPDATE notifications SET state = 'pending', due_at = $3, tries = 0 WHERE ($1 = '' OR app_id = $1) AND id = $2`, appID, id, now)
}

// Outgoing is a notification that is due, with what is needed to send it.
type Outgoing struct {
	Notification
	URL     string
	Secrets []string // the newest first
}

const claimNotificationsSQL = `UPDATE notifications n SET due_at = $1::timestamptz + make_interval(secs => $2), tries = n.tries + 1
	FROM webhook_endpoints e WHERE e.id = n.endpoint_id AND n.id IN (
		SELECT x.id FROM notifications x JOIN webhook_endpoints y ON y.id = x.endpoint_id AND y.disabled_at IS NULL
		WHERE x.due_at <= $1 ORDER BY x.due_at LIMIT $3 FOR UPDATE OF x SKIP LOCKED)
	RETURNING n.id, n.endpoint_id, n.order_id, n.type, n.version, n.payload, n.tries, n.created_at, e.url, e.secret,
		CASE WHEN e.previous_until > $1 THEN e.previous_secret END AS previous_secret`

// ClaimNotifications leases up to limit notifications that are due.
func (p *DB) ClaimNotifications(ctx context.Context, now time.Time, lease float64, limit int) ([]Outgoing, error) {
	var rows []struct {
		Notification
		URL            string `db:"url"`
		Secret         []byte `db:"secret"`
		PreviousSecret []byte `db:"previous_secret"`
	}
	if err := p.claimNotifications.SelectContext(ctx, &rows, now, lease, limit); err != nil {
		return nil, mapErr(err)
	}
	out := make([]Outgoing, 0, len(rows))
	for _, r := range rows {
		o := Outgoing{Notification: r.Notification, URL: r.URL}
		for _, sealed := range [][]byte{r.Secret, r.PreviousSecret} {
			plain, err := p.keys.open("webhook_endpoints.secret "+r.EndpointID, sealed)
			if err != nil {
				return nil, err
			}
			if plain != nil {
				o.Secrets = append(o.Secrets, string(plain))
			}
		}
		out = append(out, o)
	}
	return out, nil
}

// Delivery is how one try ended.
type Delivery struct {
	NotificationID, EndpointID string
	At                         time.Time
	Status                     int // 0: no answer
	Error                      string
	Took                       time.Duration
	State                      string    // of the notification from now on
	DueAt                      time.Time // of the next try; zero: none
	GiveUpBefore               time.Time // an endpoint that fails since before this is disabled
}

// RecordDelivery writes a try, what becomes of the notification, and how its
// endpoint fares, in one statement.
func (p *DB) RecordDelivery(ctx context.Context, d Delivery) error {
	var due *time.Time
	if !d.DueAt.IsZero() {
		due = &d.DueAt
	}
	_, err := p.db.ExecContext(ctx, `WITH tried AS (
			INSERT INTO deliveries (id, notification_id, at, status, error, took_ms)
			SELECT $1, id, $3, $4, $5, $6 FROM notifications WHERE id = $2
		), told AS (
			UPDATE notifications SET state = $7, due_at = $8, last_status = $4, last_error = $5,
				delivered_at = CASE WHEN $7 = 'delivered' THEN $3::timestamptz ELSE delivered_at END WHERE id = $2
		)
		UPDATE webhook_endpoints SET
			failing_since = CASE WHEN $7 = 'delivered' THEN NULL ELSE coalesce(failing_since, $3::timestamptz) END,
			disabled_at = CASE WHEN $7 <> 'delivered' AND failing_since < $10::timestamptz THEN $3::timestamptz ELSE disabled_at END,
			disabled_reason = CASE WHEN $7 <> 'delivered' AND failing_since < $10::timestamptz THEN 'every delivery failed for three days; the last: ' || $5 ELSE disabled_reason END
		WHERE id = $9 AND (failing_since IS NOT NULL OR $7 <> 'delivered')`,
		ledger.NewID("dlv", d.At), d.NotificationID, d.At, d.Status, d.Error, d.Took.Milliseconds(), d.State, due, d.EndpointID, d.GiveUpBefore)
	return mapErr(err)
}
