package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/lib/pq"

	"github.com/superpayhub/superpay/sdk"
)

// ProviderCheck is what a plugin last found at its provider.
type ProviderCheck struct {
	Provider string
	At       time.Time
	By       string // a person, or "hub"
	Findings []sdk.Finding
	Error    string // why the provider could not be asked; empty: it was
}

// OK reports whether nothing is wrong.
func (c ProviderCheck) OK() bool {
	for _, f := range c.Findings {
		if !f.OK {
			return false
		}
	}
	return c.Error == "" && len(c.Findings) > 0
}

// KeepProviderCheck records what was found. An older one of the provider is written over.
func (p *DB) KeepProviderCheck(ctx context.Context, c ProviderCheck) error {
	findings, err := json.Marshal(c.Findings)
	if err != nil {
		return err
	}
	_, err = p.exec(ctx, `INSERT INTO provider_checks (provider, checked_at, checked_by, findings, error) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (provider) DO UPDATE SET checked_at = excluded.checked_at, checked_by = excluded.checked_by, findings = excluded.findings, error = excluded.error
		WHERE provider_checks.checked_at <= excluded.checked_at`, c.Provider, c.At, c.By, string(findings), c.Error)
	return mapErr(err)
}

// ClaimProviderCheck reports whether this hub is the one that looks at a provider now: its
// last check was before since, and no other hub has claimed it.
func (p *DB) ClaimProviderCheck(ctx context.Context, provider string, now, since time.Time) (bool, error) {
	result, err := p.exec(ctx, `INSERT INTO provider_checks (provider, checked_at, checked_by, findings, error) VALUES ($1, $2, 'hub', '[]', 'it is being looked at')
		ON CONFLICT (provider) DO UPDATE SET checked_at = excluded.checked_at WHERE provider_checks.checked_at < $3`, provider, now, since)
	if err != nil {
		return false, mapErr(err)
	}
	n, err := result.RowsAffected()
	return n == 1, err
}

// ProviderCheck reads what was last found at a provider; ErrNotFound: it was never looked at.
func (p *DB) ProviderCheck(ctx context.Context, provider string) (ProviderCheck, error) {
	var row struct {
		At       time.Time `db:"checked_at"`
		By       string    `db:"checked_by"`
		Findings []byte    `db:"findings"`
		Error    string    `db:"error"`
	}
	err := p.db.GetContext(ctx, &row, `SELECT checked_at, checked_by, findings, error FROM provider_checks WHERE provider = $1`, provider)
	if err != nil {
		return ProviderCheck{}, mapErr(err)
	}
	c := ProviderCheck{Provider: provider, At: row.At, By: row.By, Error: row.Error}
	if err := json.Unmarshal(row.Findings, &c.Findings); err != nil {
		return c, fmt.Errorf("read what was found at %s: %w", provider, err)
	}
	return c, nil
}

// ForgedCallbacks are those that were refused as not the provider's, for one reason.
type ForgedCallbacks struct {
	Provider string    `db:"provider"`
	Reason   string    `db:"reason"`
	N        int64     `db:"n"`
	FirstAt  time.Time `db:"first_at"`
	LastAt   time.Time `db:"last_at"`
}

// maxForgedReasons bounds what is kept of one provider: a reason is the plugin's, and
// what comes beyond is counted under one name.
const maxForgedReasons = 20

// CountForged adds to what is on record of them.
func (p *DB) CountForged(ctx context.Context, all []ForgedCallbacks) error {
	var providers, reasons pq.StringArray
	var n pq.Int64Array
	var first, last pq.StringArray
	for _, f := range all {
		providers, reasons, n = append(providers, f.Provider), append(reasons, f.Reason), append(n, f.N)
		first, last = append(first, f.FirstAt.UTC().Format(time.RFC3339Nano)), append(last, f.LastAt.UTC().Format(time.RFC3339Nano))
	}
	_, err := p.exec(ctx, `WITH come AS (
			SELECT x.provider, x.n, x.first_at, x.last_at, CASE
				WHEN (SELECT count(*) FROM forged_callbacks f WHERE f.provider = x.provider) < $6
					OR EXISTS (SELECT FROM forged_callbacks f WHERE f.provider = x.provider AND f.reason = x.reason) THEN x.reason
				ELSE 'other reasons' END AS reason
			FROM unnest($1::text[], $2::text[], $3::bigint[], $4::timestamptz[], $5::timestamptz[]) x (provider, reason, n, first_at, last_at))
		INSERT INTO forged_callbacks AS f (provider, reason, n, first_at, last_at)
		SELECT provider, reason, sum(n), min(first_at), max(last_at) FROM come GROUP BY provider, reason ORDER BY provider, reason
		ON CONFLICT (provider, reason) DO UPDATE SET n = f.n + excluded.n, last_at = greatest(f.last_at, excluded.last_at)`,
		providers, reasons, n, first, last, maxForgedReasons)
	return mapErr(err)
}

// Forged are those of one provider, the latest first.
func (p *DB) Forged(ctx context.Context, provider string) (out []ForgedCallbacks, err error) {
	err = p.db.SelectContext(ctx, &out, `SELECT provider, reason, n, first_at, last_at FROM forged_callbacks WHERE provider = $1 ORDER BY last_at DESC, reason`, provider)
	return out, mapErr(err)
}
