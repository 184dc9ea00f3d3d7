package postgres

import (
	"context"
	"time"
)

// Unmatched is a payment at a provider that carries this hub's name and belongs
// to no attempt of it, with the money that moved.
type Unmatched struct {
	Provider   string     `db:"provider"`
	Ref        string     `db:"ref"` // the provider's own name of it: kind and value
	AttemptID  string     `db:"attempt_id"`
	Certain    bool       `db:"certain"` // it names this hub; else another's on the same account may have made it
	Status     string     `db:"status"`
	Amount     int64      `db:"amount"`
	Captured   int64      `db:"captured"`
	Refunded   int64      `db:"refunded"`
	Currency   string     `db:"currency"`
	Exponent   int        `db:"exponent"`
	FirstSeen  time.Time  `db:"first_seen"`
	LastSeen   time.Time  `db:"last_seen"`
	ResolvedAt *time.Time `db:"resolved_at"`
	Resolution string     `db:"resolution"`
}

// AddUnmatched keeps one, and reports whether it is new or its money moved since
// it was last seen: then it is to be looked at, also if a person had settled it.
func (p *DB) AddUnmatched(ctx context.Context, u Unmatched) (news bool, err error) {
	var lost bool
	err = again(ctx, func() error {
		news, err = p.addUnmatched(ctx, u)
		lost = lost || err != nil
		return err
	})
	// After a lost answer nobody knows: looked at once too often is harmless.
	return news || err == nil && lost, mapErr(err)
}

func (p *DB) addUnmatched(ctx context.Context, u Unmatched) (news bool, err error) {
	rows, err := p.db.NamedQueryContext(ctx, `INSERT INTO unmatched (provider, ref, attempt_id, certain, status, amount, captured, refunded, currency, exponent, first_seen, last_seen)
		VALUES (:provider, :ref, :attempt_id, :certain, :status, :amount, :captured, :refunded, :currency, :exponent, :last_seen, :last_seen)
		ON CONFLICT (provider, ref) DO UPDATE SET status = excluded.status, captured = excluded.captured, refunded = excluded.refunded,
			last_seen = excluded.last_seen, resolved_at = NULL
		WHERE (unmatched.status, unmatched.captured, unmatched.refunded) IS DISTINCT FROM (excluded.status, excluded.captured, excluded.refunded)
		RETURNING 1`, u)
	if err != nil {
		return false, err
	}
	defer rows.Close()
	news = rows.Next()
	return news, rows.Err()
}

// Unmatched lists those that nobody has settled, the oldest first.
func (p *DB) Unmatched(ctx context.Context, limit int) ([]Unmatched, error) {
	var out []Unmatched
	err := p.db.SelectContext(ctx, &out, `SELECT * FROM unmatched WHERE resolved_at IS NULL ORDER BY first_seen, provider, ref LIMIT $1`, limit)
	return out, mapErr(err)
}

// ResolveUnmatched records that a person settled one. ErrNotFound if there is
// none to be settled.
func (p *DB) ResolveUnmatched(ctx context.Context, provider, ref, resolution string, now time.Time) error {
	var found string
	return mapErr(p.get(ctx, &found, `UPDATE unmatched SET resolved_at = $4, resolution = $3
		WHERE provider = $1 AND ref = $2 AND (resolved_at IS NULL OR resolved_at = $4 AND resolution = $3) RETURNING ref`, provider, ref, resolution, now))
}

// AdoptUnmatched records that what was put before a person is on record now.
func (p *DB) AdoptUnmatched(ctx context.Context, provider, attemptID, resolution string, now time.Time) error {
	_, err := p.exec(ctx, `UPDATE unmatched SET resolved_at = $4, resolution = $3 WHERE provider = $1 AND attempt_id = $2 AND resolved_at IS NULL`,
		provider, attemptID, resolution, now)
	return mapErr(err)
}
