// Package postgres is the hub's store: load an order whole, commit what was
// decided in one statement guarded by the order's version. Every hot statement
// is prepared once; database errors are mapped here and nowhere else.
package postgres

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"github.com/superpayhub/superpay/hub/internal/ledger"
)

// DB is the hub's database.
type DB struct {
	db         *sqlx.DB
	url        string
	keys       *Keys
	log        *slog.Logger
	instanceID string
	secret     ledger.Secret
	versions   versionFloor
	witness    witness
	stmts
	layouts          layouts
	commitStatements commitStatements

	commits group[namedChange, Written]
	// heldCommits are those of commits that were not written, though they may be.
	heldCommits group[namedChange, Written]
	stores      group[*ledger.Callback, struct{}]
	ignores     group[*ledger.Callback, struct{}]
	hearings    group[hearing, Heard]
	delivered   group[Delivery, struct{}]
}

// stmts are the statements of every request, prepared once.
type stmts struct {
	loadOrder, loadAttempt, loadKey, loadReference, loadCallbacks, storeCallback, ignoreCallback,
	apiKey, claimAttempts, claimCallbacks, claimNotifications, claimSchedules, recordDeliveries, events, refund, session *sqlx.Stmt
}

// Options say how to reach the database.
type Options struct {
	URL      string
	Keys     *Keys
	MaxConns int // 16 when 0: about 8 for each core of the database, shared by all hubs
	Logger   *slog.Logger

	// Existing refuses a database that is not there whole, and creates and changes
	// nothing when it is opened: a role that may only read is enough for that.
	Existing bool
	// Unguarded has an order written whatever became of it since it was read.
	// For tests, which must notice.
	Unguarded bool
	// LockWait is how long statements wait for a lock; lockWait if 0.
	LockWait time.Duration
}

// Open connects, brings the schema up to date under a lock that other hubs
// wait for (see Existing), checks the encryption key and prepares the statements.
func Open(ctx context.Context, o Options) (*DB, error) {
	if o.MaxConns == 0 {
		o.MaxConns = 16
	}
	if o.LockWait == 0 {
		o.LockWait = lockWait
	}
	db, err := connect(o.URL, o.LockWait)
	if err != nil {
		return nil, fmt.Errorf("database URL: %w", err)
	}
	db.SetMaxOpenConns(o.MaxConns)
	db.SetMaxIdleConns(o.MaxConns)
	db.SetConnMaxIdleTime(5 * time.Minute)
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	p := &DB{db: db, keys: o.Keys, log: o.Logger, url: o.URL}
	p.layouts.db = db
	p.commitStatements = commitStatements{db: db, guard: versionGuard, prepared: map[shape]*sqlx.Stmt{}}
	if o.Unguarded {
		p.commitStatements.guard = ""
	}
	// As many at once as the database is thought to have cores.
	atOnce := max(2, o.MaxConns/8)
	p.commits = group[namedChange, Written]{atOnce: atOnce, run: p.commitAll, clash: clashOfChange, findOut: p.findOut}
	p.heldCommits = group[namedChange, Written]{atOnce: 1, run: p.commitHeld, clash: clashOfChange, findOut: p.findOut}
	p.stores = group[*ledger.Callback, struct{}]{atOnce: atOnce, run: p.storeAll, clash: clashOfCallback}
	p.ignores = group[*ledger.Callback, struct{}]{atOnce: atOnce, run: p.ignoreAll, clash: clashOfCallback}
	p.hearings = group[hearing, Heard]{atOnce: atOnce, run: p.hearAll}
	p.delivered = group[Delivery, struct{}]{atOnce: atOnce, run: p.recordDelivered, clash: clashOfDelivery}
	schema, identify := p.migrate, p.begin
	if o.Existing {
		schema, identify = p.checkSchema, p.identify
	}
	for _, step := range []func(context.Context) error{p.reach, schema, identify, p.layouts.read, p.prepare, p.commitStatements.prepare} {
		if err := step(ctx); err != nil {
			_ = db.Close()
			return nil, err
		}
	}
	return p, nil
}

func (p *DB) reach(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if err := p.db.PingContext(ctx); err != nil {
		return fmt.Errorf("reach the database (is HUB_DATABASE_URL right, and PostgreSQL up?): %w", err)
	}
	return nil
}

// keyCheck is the known text under the hub's key.
const keyCheck = "superpay"

// begin makes the hub's instance id and its secret, where there are none. Of hubs
// that start at once, the first makes them for all. From then on the newest of its
// keys is the one to be known.
func (p *DB) begin(ctx context.Context) error {
	raw, secret := make([]byte, 8), make([]byte, 32)
	_, _ = rand.Read(raw) // never fails
	_, _ = rand.Read(secret)
	_, err := p.db.ExecContext(ctx, `INSERT INTO hub (instance_id, key_check) VALUES ($1, $2) ON CONFLICT DO NOTHING`,
		hex.EncodeToString(raw), p.keys.seal("hub", []byte(keyCheck)))
	if err != nil {
		return mapErr(err)
	}
	if err := p.checkKey(ctx); err != nil { // before anything is written with it
		return err
	}
	_, err = p.db.ExecContext(ctx, `UPDATE hub SET key_check = $1, secret = coalesce(secret, $2)`, p.keys.seal("hub", []byte(keyCheck)), p.keys.seal(secretContext, secret))
	if err != nil {
		return mapErr(err)
	}
	return p.identify(ctx)
}

// checkKey finds a wrong key.
func (p *DB) checkKey(ctx context.Context) error {
	var check []byte
	if err := p.db.QueryRowContext(ctx, `SELECT key_check FROM hub`).Scan(&check); err != nil {
		return neverBegun(err)
	}
	if _, err := p.keys.open("hub", check); err != nil {
		return errors.New("HUB_ENCRYPTION_KEY is not the key that this database was written with; start with the old key (several may be joined by commas, the newest first)")
	}
	return nil
}

// secretContext is what the hub's secret is encrypted for: its column, and the
// key of the table's one row.
const secretContext = "hub.secret true"

// identify reads what begin made. It writes nothing.
func (p *DB) identify(ctx context.Context) error {
	if err := p.checkKey(ctx); err != nil {
		return err
	}
	var sealed []byte
	var floor int64
	if err := p.db.QueryRowContext(ctx, `SELECT instance_id, secret, version_floor FROM hub`).Scan(&p.instanceID, &sealed, &floor); err != nil {
		return neverBegun(err)
	}
	p.versions.learn(floor)
	secret, err := p.keys.open(secretContext, sealed)
	if err != nil {
		return fmt.Errorf("the hub's secret cannot be read; start with the key that it was encrypted with as well (several may be joined by commas, the newest first): %w", err)
	}
	p.secret = ledger.NewSecret(secret)
	return nil
}

func neverBegun(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return errors.New("no hub has started on this database yet: run `hub migrate`, or start `hub serve`")
	}
	return mapErr(err)
}

func (p *DB) prepare(ctx context.Context) error {
	for _, s := range []struct {
		to    **sqlx.Stmt
		query string
	}{
		{&p.loadOrder, loadOrderSQL},
		{&p.loadAttempt, loadAttemptSQL},
		{&p.loadKey, loadKeySQL},
		{&p.loadReference, loadReferenceSQL},
		{&p.loadCallbacks, loadCallbacksSQL},
		{&p.storeCallback, storeCallbackSQL},
		{&p.ignoreCallback, ignoreCallbackSQL},
		{&p.apiKey, apiKeySQL},
		{&p.claimAttempts, claimAttemptsSQL},
		{&p.claimCallbacks, claimCallbacksSQL},
		{&p.claimNotifications, claimNotificationsSQL},
		{&p.claimSchedules, claimSchedulesSQL},
		{&p.recordDeliveries, recordDeliveredSQL},
		{&p.events, eventsSQL},
		{&p.refund, refundSQL},
		{&p.session, sessionSQL},
	} {
		st, err := p.db.PreparexContext(ctx, s.query)
		if err != nil {
			return fmt.Errorf("prepare %.60q: %w", s.query, err)
		}
		*s.to = st
	}
	return nil
}

// InstanceID tells this hub's payments from another's on the same account.
func (p *DB) InstanceID() string { return p.instanceID }

// Secret is what the hub derives providers' keys and digests from.
func (p *DB) Secret() ledger.Secret { return p.secret }

// Ping reports whether the database answers.
func (p *DB) Ping(ctx context.Context) error { return mapErr(p.db.PingContext(ctx)) }

// Stats are the pool's, for metrics.
func (p *DB) Stats() sql.DBStats { return p.db.Stats() }

// exec runs a statement whose repetition changes nothing: once more, if its
// answer was lost. A statement that may be repeated knows its own first run by an
// id or a moment that it wrote, and does not mistake it for somebody else's.
func (p *DB) exec(ctx context.Context, q string, args ...any) (res sql.Result, err error) {
	err = again(ctx, func() error {
		res, err = p.db.ExecContext(ctx, q, args...)
		return err
	})
	return res, err
}

// get is exec for a statement that returns one row.
func (p *DB) get(ctx context.Context, to any, q string, args ...any) error {
	return again(ctx, func() error { return p.db.GetContext(ctx, to, q, args...) })
}

// within does it all or nothing, for what no payment waits for.
func (p *DB) within(ctx context.Context, f func(*sqlx.Tx) error) error {
	tx, err := p.db.BeginTxx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	if err := f(tx); err != nil {
		return err
	}
	return tx.Commit()
}

// Close ends all connections.
func (p *DB) Close() error { return p.db.Close() }

// What a statement can run into, apart from the database being away.
var (
	ErrNotFound      = errors.New("not found")
	ErrKeyUsed       = errors.New("idempotency key already used")
	ErrReferenceUsed = errors.New("reference already used")
	ErrTaken         = errors.New("the provider's id belongs to another payment")
	ErrHashUsed      = errors.New("key hash already used")
	ErrStale         = errors.New("the order changed meanwhile")
	ErrDuplicate     = errors.New("already exists")
	ErrLocked        = errors.New("somebody else holds a lock on it") // and nothing was written
)

// mapErr maps the database's errors inward, once.
func mapErr(err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, sql.ErrNoRows) {
		return ErrNotFound
	}
	var pe *pq.Error
	if errors.As(err, &pe) {
		if pe.Code == "23505" {
			switch pe.Constraint {
			case "operations_key_once":
				return ErrKeyUsed
			case "operations_key_hash_once":
				return ErrHashUsed
			case "orders_reference_once":
				return ErrReferenceUsed
			case "refs_one_attempt", "captures_once", "refunds_once", "disputes_once", "api_keys_pkey":
				return ErrTaken
			case "operations_one_open", "orders_pkey":
				return ErrStale
			}
			return fmt.Errorf("%w: %s", ErrDuplicate, pe.Constraint)
		}
		if pe.Code == lockNotAvailable {
			return ErrLocked
		}
		// Class 22: a value PostgreSQL cannot hold, and nothing was written.
		if pe.Code.Class() == "22" {
			return ledger.Invalidf("", "a value cannot be stored: %s", pe.Message)
		}
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return fmt.Errorf("database: %w", err)
}
