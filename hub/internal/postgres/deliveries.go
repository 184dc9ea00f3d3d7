package postgres

import (
	"context"
	"encoding/json"
	"time"

	"github.com/lib/pq"

	"github.com/superpayhub/superpay/hub/internal/ledger"
)

const deliveryID = "dlv"

// Outgoing is a notification that is due, with what is needed to send it.
type Outgoing struct {
	Notification
	URL          string
	Secrets      []string   // the newest first
	FailingSince *time.Time // of the endpoint
	GoneSince    *time.Time // likewise: since when each answer is 410
}

// claimNotificationsSQL looks at each endpoint by itself, in no order, and
// takes a few of each, and not many of all endpoints of one app: one that is slow,
// or has a long queue, does not hold up the others, and what waits for a disabled
// one costs nothing.
const claimNotificationsSQL = `UPDATE notifications n SET due_at = $1::timestamptz + make_interval(secs => $2), tries = n.tries + 1
	FROM webhook_endpoints e WHERE e.id = n.endpoint_id AND n.id IN (
		SELECT id FROM (SELECT x.id, row_number() OVER (PARTITION BY y.app_id) AS nth
			FROM (SELECT id, app_id FROM webhook_endpoints WHERE disabled_at IS NULL AND id <> ALL($4) AND app_id <> ALL($4) ORDER BY random()) y,
			LATERAL (SELECT id FROM notifications z WHERE z.endpoint_id = y.id AND z.due_at <= $1
				AND (cardinality($6::text[]) = 0 OR NOT EXISTS (SELECT FROM attempts a WHERE a.order_id = z.order_id AND a.provider = ANY($6)))
				ORDER BY z.due_at LIMIT $5 FOR NO KEY UPDATE SKIP LOCKED) x) fair
		WHERE nth <= $7 LIMIT $3)
	RETURNING n.id, n.app_id, n.endpoint_id, n.order_id, n.type, n.version, n.payload, n.tries, n.due_at, n.created_at, e.url, e.failing_since, e.gone_since, e.secret,
		ARRAY(SELECT s.secret FROM webhook_secrets s WHERE s.endpoint_id = e.id AND (s.expires_at IS NULL OR s.expires_at > $1) ORDER BY s.id DESC) AS secrets`

// ClaimNotifications leases up to limit notifications that are due, few of
// each app and endpoint at once and none of those that are not to be called now
// (but: ids of apps and endpoints). Nor is
// any told of an order that was tried at one of the providers in held: what is on
// record of it may be older than what its app knows.
func (p *DB) ClaimNotifications(ctx context.Context, now time.Time, lease float64, limit, each, eachApp int, but, held []string) ([]Outgoing, error) {
	var rows []struct {
		Notification
		URL          string        `db:"url"`
		FailingSince *time.Time    `db:"failing_since"`
		GoneSince    *time.Time    `db:"gone_since"`
		Secret       []byte        `db:"secret"`
		Secrets      pq.ByteaArray `db:"secrets"`
	}
	if err := p.claimNotifications.SelectContext(ctx, &rows, now, lease, limit, pq.StringArray(but), each, pq.StringArray(held), eachApp); err != nil {
		return nil, mapErr(err)
	}
	out := make([]Outgoing, 0, len(rows))
	for _, r := range rows {
		o := Outgoing{Notification: r.Notification, URL: r.URL, FailingSince: r.FailingSince, GoneSince: r.GoneSince}
		if len(r.Secrets) == 0 { // a hub from before webhook_secrets made the endpoint
			r.Secrets = pq.ByteaArray{r.Secret}
		}
		for _, sealed := range r.Secrets {
			plain, err := p.openSecret(r.EndpointID, sealed)
			if err != nil {
				// It is sent all the same if one of them can be read; the others are not held up by it.
				p.log.ErrorContext(ctx, "a webhook endpoint's secret cannot be read", "endpoint", r.EndpointID, "error", err)
			}
			if plain != nil {
				o.Secrets = append(o.Secrets, string(plain))
			}
		}
		out = append(out, o)
	}
	return out, nil
}

// ReturnNotification ends the lease of a notification that was not tried: it is due
// at that time, unless somebody else has it by now.
func (p *DB) ReturnNotification(ctx context.Context, n Outgoing, due time.Time) error {
	_, err := p.db.ExecContext(ctx, `UPDATE notifications SET due_at = $3, tries = greatest(tries - 1, 0) WHERE id = $1 AND due_at = $2`, n.ID, n.DueAt, due)
	return mapErr(err)
}

// Delivery is how one try ended.
type Delivery struct {
	id string

	NotificationID, EndpointID string
	Leased                     *time.Time // until when the notification was
	At                         time.Time
	URL                        string
	Status                     int // 0: no answer
	Error                      string
	Answer                     string // the first bytes of it
	Took                       time.Duration
	State                      string    // of the notification from now on
	DueAt                      time.Time // of the next try; zero: none

	// The endpoint is disabled if it fails since before this, or if it is gone.
	GiveUpBefore time.Time
	SaidGone     bool   // the answer was 410
	Gone         bool   // and so was each one for long enough
	Reason       string // to say why, if it is disabled
	Notice       string // to tell the app's other endpoints, if it is disabled
}

// RecordDelivery writes a try, and tells whether it was the one that disabled the
// endpoint. A notification that somebody wants sent again since it was leased stays
// due.
func (p *DB) RecordDelivery(ctx context.Context, d Delivery) (disabled bool, err error) {
	d.id = ledger.NewID(deliveryID, d.At)
	if d.State == "delivered" {
		_, err := p.delivered.do(ctx, d)
		return false, mapErr(err)
	}
	err = p.get(ctx, &disabled, recordFailedSQL, d.id, d.NotificationID, d.At, d.Status, d.Error, d.Took.Milliseconds(),
		d.State, orNull(d.DueAt), d.EndpointID, d.GiveUpBefore, d.URL, d.Answer, d.Gone, d.Reason,
		ledger.NewID(ledger.EventID, d.At), ledger.NewID(NotificationID, d.At), d.Notice, d.Leased, d.SaidGone)
	return disabled, mapErr(err)
}

// recordDeliveredSQL writes tries that apps answered with 2xx, of as many
// notifications, and that their endpoints fail no longer.
const recordDeliveredSQL = `WITH d AS (
		SELECT * FROM json_to_recordset($1) AS d(id text, notification text, endpoint text, at timestamptz, url text, status int, took int, answer text, leased timestamptz)
	), tried AS (
		INSERT INTO deliveries (id, notification_id, at, url, status, error, took_ms, answer)
		SELECT d.id, n.id, d.at, d.url, d.status, '', d.took, d.answer FROM d JOIN notifications n ON n.id = d.notification
		ON CONFLICT (id) DO NOTHING
	), told AS (
		UPDATE notifications n SET last_status = d.status, last_error = '', delivered_at = d.at,
			state = CASE WHEN n.due_at IS NOT DISTINCT FROM d.leased THEN 'delivered' ELSE n.state END,
			due_at = CASE WHEN n.due_at IS NOT DISTINCT FROM d.leased THEN NULL ELSE n.due_at END
		FROM d WHERE n.id = d.notification
	) UPDATE webhook_endpoints SET failing_since = NULL, gone_since = NULL
	WHERE id IN (SELECT endpoint FROM d) AND failing_since IS NOT NULL AND disabled_at IS NULL`

func (p *DB) recordDelivered(ctx context.Context, all []Delivery) ([]struct{}, error) {
	type row struct {
		ID           string     `json:"id"`
		Notification string     `json:"notification"`
		Endpoint     string     `json:"endpoint"`
		At           time.Time  `json:"at"`
		URL          string     `json:"url"`
		Status       int        `json:"status"`
		Took         int64      `json:"took"` // milliseconds
		Answer       string     `json:"answer"`
		Leased       *time.Time `json:"leased"`
	}
	rows := make([]row, len(all))
	for i, d := range all {
		rows[i] = row{d.id, d.NotificationID, d.EndpointID, d.At, d.URL, d.Status, d.Took.Milliseconds(), d.Answer, d.Leased}
	}
	text, err := json.Marshal(rows)
	if err != nil {
		return nil, err
	}
	err = again(ctx, func() error {
		_, err := p.recordDeliveries.ExecContext(ctx, text)
		return err
	})
	return make([]struct{}, len(all)), err
}

// clashOfDelivery are the names that no two deliveries in one statement may share.
func clashOfDelivery(d Delivery) []string { return []string{d.NotificationID} }

// recordFailedSQL writes a try that failed, what becomes of the notification, and how
// its endpoint fares. An endpoint that is disabled by it is told of on the order's
// timeline and to the app's other endpoints, once.
const recordFailedSQL = `WITH tried AS (
		INSERT INTO deliveries (id, notification_id, at, url, status, error, took_ms, answer, next_at)
		SELECT $1, id, $3, $11, $4, $5, $6, $12, $8::timestamptz FROM notifications WHERE id = $2
		ON CONFLICT (id) DO NOTHING
	), told AS (
		UPDATE notifications SET last_status = $4, last_error = $5,
			state = CASE WHEN due_at IS NOT DISTINCT FROM $18::timestamptz THEN $7 ELSE state END,
			due_at = CASE WHEN due_at IS NOT DISTINCT FROM $18::timestamptz THEN $8::timestamptz ELSE due_at END
		WHERE id = $2 RETURNING order_id
	), fares AS (
		UPDATE webhook_endpoints SET
			failing_since = coalesce(failing_since, $3::timestamptz),
			gone_since = CASE WHEN $19 THEN coalesce(gone_since, $3::timestamptz) END,
			disabled_at = CASE WHEN $13 OR failing_since < $10::timestamptz THEN $3::timestamptz END,
			disabled_reason = CASE WHEN $13 OR failing_since < $10::timestamptz THEN $14 ELSE '' END
		WHERE id = $9 AND disabled_at IS NULL
		RETURNING id, app_id, disabled_at IS NOT NULL AS disabled
	), event AS (
		INSERT INTO events (id, order_id, at, kind, source, request_id, data)
		SELECT $15, told.order_id, $3, 'endpoint.disabled', 'hub', '', jsonb_build_object('endpoint', fares.id, 'reason', $14::text)
		FROM fares, told WHERE fares.disabled AND told.order_id <> ''
	), others AS (
		INSERT INTO notifications (id, app_id, endpoint_id, order_id, type, version, payload, state, due_at, tries, created_at)
		SELECT $16 || '_' || e.id, e.app_id, e.id, '', 'webhook_endpoint.disabled', 0, $17, 'pending', $3, 0, $3
		FROM fares JOIN webhook_endpoints e ON e.app_id = fares.app_id AND e.id <> fares.id AND e.disabled_at IS NULL WHERE fares.disabled
	) SELECT coalesce((SELECT disabled FROM fares), (SELECT disabled_at = $3 FROM webhook_endpoints WHERE id = $9), false)`
