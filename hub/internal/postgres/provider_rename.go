package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
)

// ofProvider are the tables whose rows name their provider, beside orders and
// providers.
var ofProvider = []string{
	"attempts", "refs", "captures", "refunds", "disputes", "postings", "callbacks", "unmatched", "schedules", "fences", "app_providers", "provider_restarts", "order_hours",
	"provider_checks", "forged_callbacks",
}

// ownOfName are those of them that a provider has as soon as it was up, without any
// order.
var ownOfName = []string{"schedules", "fences", "app_providers", "provider_restarts", "provider_checks", "forged_callbacks"}

// ErrHasOrders says that a name cannot be given to a provider: orders of another are
// on record under it.
var ErrHasOrders = errors.New("orders are on record under that name")

// ErrMoneyOutClosed says that a provider's history is being read: its fence must not be
// taken for another's.
var ErrMoneyOutClosed = errors.New("money-out is closed")

// RenameProvider gives what is on record of a provider another name, all of it or
// nothing, and returns of how many orders that is. Each of them gets a new version:
// what a hub decides on it meanwhile is stale, and decided anew. ErrNotFound: there is
// nothing of that name. ErrHasOrders. ErrMoneyOutClosed. A provider that is set up under the new name
// already, and has no orders, gets them.
func (p *DB) RenameProvider(ctx context.Context, from, to string, now time.Time) (orders int64, err error) {
	err = p.within(ctx, func(tx *sqlx.Tx) error {
		if _, err := tx.ExecContext(ctx, `SET LOCAL lock_timeout = '30s'; SET LOCAL statement_timeout = 0`); err != nil {
			return err
		}
		var closed, taken bool
		if err := tx.GetContext(ctx, &closed, `SELECT EXISTS (SELECT FROM fences WHERE provider IN ($1, $2) AND state <> 'open')`, from, to); err != nil {
			return err
		}
		if closed {
			return ErrMoneyOutClosed
		}
		if err := tx.GetContext(ctx, &taken, `SELECT EXISTS (SELECT FROM attempts WHERE provider = $1) OR (SELECT count(*) = 2 FROM providers WHERE id IN ($1, $2))`, to, from); err != nil {
			return err
		}
		if taken {
			return ErrHasOrders
		}
		for _, table := range ownOfName {
			if _, err := tx.ExecContext(ctx, `DELETE FROM `+table+` WHERE provider = $1 AND EXISTS (SELECT FROM `+table+` x WHERE x.provider = $2)`, to, from); err != nil {
				return err
			}
		}
		result, err := tx.ExecContext(ctx, `UPDATE orders SET provider = CASE WHEN provider = $1 THEN $2 ELSE provider END,
			version = version + 1, previous_at = updated_at, updated_at = greatest($3, updated_at + interval '1 microsecond'),
			changed_about = date_bin($4::interval, greatest($3, updated_at + interval '1 microsecond'), timestamptz '2000-01-01 00:00:00+00')
			WHERE id IN (SELECT order_id FROM attempts WHERE provider = $1)`, from, to, now, changedWithin.String())
		if err != nil {
			return err
		}
		if orders, err = result.RowsAffected(); err != nil {
			return err
		}
		found, err := renameKept(ctx, tx, p.keys, from, to)
		if err != nil {
			return err
		}
		for _, table := range ofProvider {
			result, err := tx.ExecContext(ctx, fmt.Sprintf(`UPDATE %s SET provider = $2 WHERE provider = $1`, table), from, to)
			if err != nil {
				return fmt.Errorf("%s: %w", table, err)
			}
			n, err := result.RowsAffected()
			if err != nil {
				return err
			}
			found += n
		}
		if _, err := tx.ExecContext(ctx, `UPDATE postings SET account = split_part(account, ':', 1) || ':' || $2::text
			WHERE provider = $2 AND split_part(account, ':', 1) <> 'app' AND split_part(account, ':', 2) = $1`, from, to); err != nil {
			return err
		}
		if orders+found == 0 {
			return ErrNotFound
		}
		return nil
	})
	if errors.Is(err, ErrHasOrders) || errors.Is(err, ErrMoneyOutClosed) || errors.Is(err, ErrNotFound) {
		return 0, err
	}
	return orders, mapErr(err)
}

// renameKept renames settings that the console keeps. They are sealed for their name.
func renameKept(ctx context.Context, tx *sqlx.Tx, keys *Keys, from, to string) (found int64, err error) {
	var sealed [][]byte
	if err := tx.SelectContext(ctx, &sealed, `SELECT settings FROM providers WHERE id = $1 FOR UPDATE`, from); err != nil || len(sealed) == 0 {
		return 0, err
	}
	plain, err := keys.open("providers.settings "+from, sealed[0])
	if err != nil {
		return 0, err
	}
	_, err = tx.ExecContext(ctx, `UPDATE providers SET id = $2, settings = $3, version = version + 1 WHERE id = $1`, from, to, keys.seal("providers.settings "+to, plain))
	return 1, err
}

// NamesBut are the providers' names that orders are on record under, without those
// given. It looks at one row of each name.
func (p *DB) NamesBut(ctx context.Context, names []string) ([]string, error) {
	var gone pq.StringArray
	err := p.db.GetContext(ctx, &gone, `WITH RECURSIVE known AS (
			(SELECT provider FROM orders WHERE provider > '' ORDER BY provider LIMIT 1)
			UNION ALL SELECT (SELECT o.provider FROM orders o WHERE o.provider > known.provider ORDER BY o.provider LIMIT 1) FROM known WHERE known.provider IS NOT NULL
		) SELECT coalesce(array_agg(provider ORDER BY provider), '{}') FROM known WHERE provider IS NOT NULL AND provider <> ALL($1)`, pq.StringArray(names))
	return gone, mapErr(err)
}

// ProviderOfAttempt is the name of the provider that an attempt is on record with.
// ErrNotFound.
func (p *DB) ProviderOfAttempt(ctx context.Context, attemptID string) (name string, err error) {
	err = p.db.GetContext(ctx, &name, `SELECT provider FROM attempts WHERE id = $1`, attemptID)
	return name, mapErr(err)
}
