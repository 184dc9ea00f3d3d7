package postgres

import (
	"context"
	"time"
)

// Session is a user who is signed in, in one browser.
type Session struct {
	ID        string     `db:"id"`
	UserID    string     `db:"user_id"`
	Address   string     `db:"address"`
	Agent     string     `db:"agent"`
	CreatedAt time.Time  `db:"created_at"`
	SeenAt    time.Time  `db:"seen_at"`
	ExpiresAt time.Time  `db:"expires_at"`
	EndedAt   *time.Time `db:"ended_at"`
}

const sessionColumns = `s.id, s.user_id, s.address, s.agent, s.created_at, s.seen_at, s.expires_at, s.ended_at`

// AddSession signs a user in. device, if not nil, is the hash by which the
// browser is known from now on. What is long over is cleared away with it.
func (p *DB) AddSession(ctx context.Context, s Session, hash, device []byte) error {
	_, err := p.exec(ctx, `WITH seen AS (
			UPDATE users SET seen_at = $6 WHERE id = $3
		), known AS (
			INSERT INTO devices (hash, user_id, seen_at) SELECT $8::bytea, $3, $6 WHERE $8::bytea IS NOT NULL
			ON CONFLICT (hash) DO UPDATE SET seen_at = excluded.seen_at
		), old AS (
			DELETE FROM sessions WHERE expires_at < $6 - interval '30 days'
		), forgotten AS (
			DELETE FROM devices WHERE seen_at < $6 - interval '180 days'
		), calm AS (
			DELETE FROM sign_in_tries WHERE last_at < $6 - interval '2 days'
		) INSERT INTO sessions (id, hash, user_id, address, agent, created_at, seen_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $6, $7)
		ON CONFLICT (id) DO NOTHING`,
		s.ID, hash, s.UserID, s.Address, s.Agent, s.CreatedAt, s.ExpiresAt, device)
	return mapErr(err)
}

const sessionSQL = `SELECT ` + sessionColumns + `, u.id AS "user.id", u.email AS "user.email", u.name AS "user.name", u.role AS "user.role",
		u.lang AS "user.lang", u.theme AS "user.theme", u.zone AS "user.zone", u.keys AS "user.keys", u.created_at AS "user.created_at"
	FROM sessions s JOIN users u ON u.id = s.user_id
	WHERE s.hash = $1 AND s.ended_at IS NULL AND s.expires_at > $2 AND s.seen_at > $3 AND u.disabled_at IS NULL`

// Session finds a session that is not over, and was used after idle, with its
// user (without the password). ErrNotFound.
func (p *DB) Session(ctx context.Context, hash []byte, now, idle time.Time) (Session, User, error) {
	var row struct {
		Session
		User User `db:"user"`
	}
	err := p.session.GetContext(ctx, &row, hash, now, idle)
	return row.Session, row.User, mapErr(err)
}

// SeeSession keeps a session from being idle.
func (p *DB) SeeSession(ctx context.Context, id string, now time.Time) error {
	_, err := p.exec(ctx, `UPDATE sessions SET seen_at = $2 WHERE id = $1`, id, now)
	return mapErr(err)
}

// EndSession ends a session of that user at once. ErrNotFound, also if it is
// over already.
func (p *DB) EndSession(ctx context.Context, userID, id string, now time.Time) error {
	return p.mustHit(ctx, `UPDATE sessions SET ended_at = $3 WHERE user_id = $1 AND id = $2 AND (ended_at IS NULL OR ended_at = $3)`, userID, id, now)
}

// EndOtherSessions ends all sessions of a user but one ("" spares none), and
// forgets the user's browsers. It returns how many there were.
func (p *DB) EndOtherSessions(ctx context.Context, userID, keep string, now time.Time) (int, error) {
	res, err := p.exec(ctx, `WITH forgotten AS (
			DELETE FROM devices WHERE user_id = $1
		) UPDATE sessions SET ended_at = $3 WHERE user_id = $1 AND id <> $2 AND ended_at IS NULL AND expires_at > $3`, userID, keep, now)
	if err != nil {
		return 0, mapErr(err)
	}
	n, err := res.RowsAffected()
	return int(n), mapErr(err)
}

// SessionsOf lists a user's sessions that are not over, the newest first.
func (p *DB) SessionsOf(ctx context.Context, userID string, now, idle time.Time) ([]Session, error) {
	var out []Session
	err := p.db.SelectContext(ctx, &out, `SELECT `+sessionColumns+` FROM sessions s
		WHERE s.user_id = $1 AND s.ended_at IS NULL AND s.expires_at > $2 AND s.seen_at > $3 ORDER BY s.id DESC LIMIT 100`, userID, now, idle)
	return out, mapErr(err)
}

// KnownDevice reports whether the user signed in with that browser before.
func (p *DB) KnownDevice(ctx context.Context, userID string, hash []byte) (bool, error) {
	var known bool
	err := p.db.GetContext(ctx, &known, `SELECT EXISTS (SELECT 1 FROM devices WHERE hash = $1 AND user_id = $2)`, hash, userID)
	return known, mapErr(err)
}
