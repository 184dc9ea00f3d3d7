package postgres

import (
	"context"
	"errors"
	"time"
)

// Tries bounds how often one subject (an account, a device, an address) may
// fail to sign in.
type Tries struct {
	Subject     string
	Free        int           // failures without a delay
	First, Most time.Duration // the delay after them, which doubles
}

// TrySignIn counts a try as a failure, before it is looked at, so that parallel
// guesses count too; several hubs count together. It returns until when the try
// is refused; zero lets it through. What is refused does not count: whoever
// keeps asking waits no longer for it. A day without a failure forgets them.
func (p *DB) TrySignIn(ctx context.Context, t Tries, now time.Time) (time.Time, error) {
	const q = `INSERT INTO sign_in_tries AS t (subject, failures, last_at, locked_until) VALUES ($1, 1, $2, $2)
		ON CONFLICT (subject) DO UPDATE SET
			failures = CASE WHEN t.last_at < $2 - interval '1 day' THEN 1 ELSE t.failures + 1 END,
			last_at = $2,
			locked_until = CASE WHEN t.last_at < $2 - interval '1 day' OR t.failures + 1 < $3 THEN $2
				ELSE $2 + make_interval(secs => least($5::float8, $4::float8 * 2 ^ least(20, t.failures + 1 - $3))) END
		WHERE t.locked_until <= $2
		RETURNING $2::timestamptz`
	var until time.Time
	err := mapErr(p.db.GetContext(ctx, &until, q, t.Subject, now, t.Free, t.First.Seconds(), t.Most.Seconds()))
	if err == nil {
		return time.Time{}, nil
	}
	if !errors.Is(err, ErrNotFound) {
		return time.Time{}, err
	}
	err = mapErr(p.db.GetContext(ctx, &until, `SELECT locked_until FROM sign_in_tries WHERE subject = $1`, t.Subject))
	return until, err
}

// ForgiveSignIn takes back what TrySignIn counted: the password was right.
// all forgets the failures before it as well.
func (p *DB) ForgiveSignIn(ctx context.Context, subject string, all bool) error {
	_, err := p.db.ExecContext(ctx, `UPDATE sign_in_tries SET locked_until = last_at,
		failures = CASE WHEN $2 THEN 0 ELSE greatest(0, failures - 1) END WHERE subject = $1`, subject, all)
	return mapErr(err)
}
