package access

import (
	"context"
	"errors"
	"regexp"
	"time"

	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/hub/internal/postgres"
)

// MaxApps bounds what is kept for each in memory and on pages.
const MaxApps = 1000

var appName = regexp.MustCompile(`^[a-z0-9][a-z0-9_.-]{0,62}$`)

// AddApp makes an app that may use the providers named; "*" is all of them.
// Invalid: its name. Conflict: there is one of that name, or there are MaxApps.
func AddApp(ctx context.Context, db *postgres.DB, name string, providers []string, now time.Time) (postgres.App, error) {
	if !appName.MatchString(name) {
		return postgres.App{}, refused(ledger.Invalid, "app_name", "the name must be a-z, 0-9, '_', '.' and '-', a letter or digit first, at most 63 characters")
	}
	_, err := db.AppByName(ctx, name)
	if err == nil {
		return postgres.App{}, refused(ledger.Conflict, "app_taken", "there is an app of this name")
	}
	if !errors.Is(err, postgres.ErrNotFound) {
		return postgres.App{}, err
	}
	all, err := db.Apps(ctx)
	if err != nil {
		return postgres.App{}, err
	}
	if len(all) >= MaxApps {
		return postgres.App{}, refused(ledger.Conflict, "too_many_apps", "there are 1000 apps, which is the limit: what serves many customers is one app")
	}
	return db.EnsureApp(ctx, ledger.NewID("app", now), name, providers, now)
}

func refused(kind ledger.Kind, code, message string) error {
	return &ledger.Error{Kind: kind, Code: code, Param: "name", Message: message}
}

// AddKey makes a key of an app and returns it, which is the only time that it
// is known. What it may do and until when is the caller's to say. Conflict: its
// app has postgres.MaxKeys.
func AddKey(ctx context.Context, db *postgres.DB, k postgres.NewKey, now time.Time) (id, key string, err error) {
	k, key = fresh(k, now)
	return k.ID, key, tooManyKeys(db.AddKey(ctx, k))
}

// RotateKey makes a key that may do what an old one may, which ends at a time:
// until then both work. NotFound: the app has no such key, or it has ended.
func RotateKey(ctx context.Context, db *postgres.DB, k postgres.NewKey, oldID string, ends, now time.Time) (id, key string, err error) {
	k, key = fresh(k, now)
	return k.ID, key, tooManyKeys(db.RotateKey(ctx, oldID, k, ends))
}

func fresh(k postgres.NewKey, now time.Time) (postgres.NewKey, string) {
	key := NewKey()
	if k.ID == "" {
		k.ID = ledger.NewID("key", now)
	}
	k.Hint, k.Hash, k.CreatedAt = Hint(key), HashKey(key), now
	return k, key
}

func tooManyKeys(err error) error {
	if errors.Is(err, postgres.ErrTaken) {
		return ledger.Conflictf("already_made", "this form was sent twice, and the key that it made was shown the first time; if nobody has it, revoke it and make another")
	}
	if errors.Is(err, postgres.ErrDuplicate) {
		return ledger.Conflictf("too_many_keys", "the app has %d keys, which is the limit: revoke one first", postgres.MaxKeys)
	}
	return err
}
