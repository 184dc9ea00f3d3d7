package postgres

import (
	"context"
	"time"
)

// KeepReturn keeps what a payer's browser brought back to an attempt, sealed, in
// place of what it brought before.
func (p *DB) KeepReturn(ctx context.Context, attemptID string, plain []byte, at time.Time) error {
	_, err := p.exec(ctx, `INSERT INTO returns (attempt_id, brought, at) VALUES ($1, $2, $3)
		ON CONFLICT (attempt_id) DO UPDATE SET brought = excluded.brought, at = excluded.at`, attemptID, p.keys.seal("returns.brought "+attemptID, plain), at)
	return mapErr(err)
}

// KeptReturn returns what an attempt's payer brought back, and when. ErrNotFound if
// that is nothing, or was dropped.
func (p *DB) KeptReturn(ctx context.Context, attemptID string) (plain []byte, at time.Time, err error) {
	var row struct {
		Brought []byte
		At      time.Time
	}
	if err := p.get(ctx, &row, `SELECT brought, at FROM returns WHERE attempt_id = $1`, attemptID); err != nil {
		return nil, at, mapErr(err)
	}
	plain, err = p.keys.open("returns.brought "+attemptID, row.Brought)
	return plain, row.At, err
}

// DropReturn forgets what was brought at that time; later news stay.
func (p *DB) DropReturn(ctx context.Context, attemptID string, at time.Time) error {
	_, err := p.exec(ctx, `DELETE FROM returns WHERE attempt_id = $1 AND at = $2`, attemptID, at)
	return mapErr(err)
}

// DropReturns forgets what was brought before then: nobody took it.
func (p *DB) DropReturns(ctx context.Context, before time.Time) error {
	_, err := p.exec(ctx, `DELETE FROM returns WHERE at < $1`, before)
	return mapErr(err)
}
