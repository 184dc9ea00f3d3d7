package postgres

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"regexp"
	"time"

	"github.com/lib/pq"
)

// database/sql repeats a statement by itself when the driver returns
// driver.ErrBadConn, and lib/pq returns that also when the connection was lost
// after PostgreSQL committed and before its answer came. conn and stmt let
// database/sql repeat only what is harmless: what was never sent, and reads.
// Everything else is a lostError: who wrote has to find out what became of it.

// lostError says that a connection was lost after a statement was sent. The
// statement may have been done. It is not driver.ErrBadConn and hides it.
type lostError struct{ cause error }

func (e *lostError) Error() string {
	return "the connection was lost before the statement was answered: " + e.cause.Error()
}

// unsentError says that a statement never left the hub.
type unsentError struct{ error }

func (e unsentError) Unwrap() error { return e.error }

// certain reports whether an error leaves nothing open: PostgreSQL answered the
// statement (a refused one did nothing), or it was never sent.
func certain(err error) bool {
	var unsent unsentError
	var refused *pq.Error
	if errors.As(err, &refused) {
		return !connectionClass(refused) || errors.As(err, &unsent)
	}
	return errors.Is(err, sql.ErrNoRows) || errors.As(err, &unsent)
}

// connectionClass reports whether an error is about the connection, not about
// the statement: a pooler between may say so after the statement was done.
func connectionClass(e *pq.Error) bool { return e.Fatal() || e.Code.Class() == "08" }

// again runs a statement whose repetition changes nothing, and once more if its
// answer was lost.
func again(ctx context.Context, run func() error) error {
	err := run()
	if err == nil || certain(err) || ctx.Err() != nil {
		return err
	}
	return run()
}

// driverConn is what lib/pq's connections are, as database/sql uses them.
type driverConn interface {
	driver.Conn
	driver.ConnPrepareContext
	driver.ConnBeginTx
	driver.QueryerContext
	driver.ExecerContext
	driver.Pinger
	driver.SessionResetter
	driver.Validator
	driver.NamedValueChecker
}

// conn is a connection of the pool. To prepare, to begin a transaction and to
// ping are harmless to repeat, so these are the driver's own.
type conn struct {
	driverConn
	socket   *socket
	lost     bool
	deadline time.Time // of the statement's answer, which the socket has; zero: none
}

type answerByKey struct{}

// answerWithin returns a context for a statement that must be answered within d,
// and before ctx's own deadline, or its connection is lost. The context itself
// never ends: for one that can end, database/sql and the driver start a goroutine
// each, which for a short statement is a tenth of its work.
func answerWithin(ctx context.Context, d time.Duration) context.Context {
	deadline := time.Now().Add(d)
	if own, ok := ctx.Deadline(); ok && own.Before(deadline) {
		deadline = own
	}
	return context.WithValue(context.WithoutCancel(ctx), answerByKey{}, deadline)
}

// limit sets the deadline of a statement that has one. Its error is the
// statement's, which is not sent.
func (c *conn) limit(ctx context.Context) error {
	deadline, limited := ctx.Value(answerByKey{}).(time.Time)
	if !limited {
		return nil
	}
	if !time.Now().Before(deadline) {
		return context.DeadlineExceeded
	}
	if c.socket.SetReadDeadline(deadline) != nil {
		return driver.ErrBadConn
	}
	c.deadline = deadline
	return nil
}

// unlimit ends the deadline of the statement before.
func (c *conn) unlimit() error {
	if c.deadline.IsZero() {
		return nil
	}
	c.deadline = time.Time{}
	return c.socket.SetReadDeadline(time.Time{})
}

// QueryContext runs a query that is not prepared.
func (c *conn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	if err := c.limit(ctx); err != nil {
		return nil, err
	}
	before := c.socket.written.Load()
	rows, err := c.driverConn.QueryContext(ctx, query, args)
	return rows, c.outcome(before, err, query)
}

// ExecContext runs a statement that is not prepared.
func (c *conn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	if err := c.limit(ctx); err != nil {
		return nil, err
	}
	before := c.socket.written.Load()
	result, err := c.driverConn.ExecContext(ctx, query, args)
	return result, c.outcome(before, err, query)
}

// PrepareContext prepares a statement of this connection.
func (c *conn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	made, err := c.driverConn.PrepareContext(ctx, query)
	raw, ok := made.(driverStmt)
	if err != nil || !ok { // COPY has a statement of its own kind
		return made, err
	}
	return &stmt{raw, c, query}, nil
}

// IsValid reports whether the pool may keep the connection.
func (c *conn) IsValid() bool { return !c.lost && c.driverConn.IsValid() }

// ResetSession is called before an idle connection is used again. One that
// PostgreSQL has closed meanwhile is not used: nothing is sent into it.
func (c *conn) ResetSession(ctx context.Context) error {
	if c.lost || c.unlimit() != nil || c.socket.stale() {
		return driver.ErrBadConn
	}
	return c.driverConn.ResetSession(ctx)
}

// outcome is the error of a statement as the hub has to know it; before is how
// much was written when it began.
func (c *conn) outcome(before int64, err error, query string) error {
	if err == nil || c.socket.written.Load() == before {
		return err // nothing was sent: the driver's word that it may be repeated is true
	}
	var refused *pq.Error
	if errors.As(err, &refused) && !connectionClass(refused) {
		return err
	}
	c.lost = true
	switch {
	case !readOnly(query):
		return &lostError{err}
	case !c.deadline.IsZero() && !time.Now().Before(c.deadline): // no time to repeat it
		return context.DeadlineExceeded
	}
	return driver.ErrBadConn
}

// driverStmt is what lib/pq's statements are, as database/sql uses them.
type driverStmt interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

// stmt is a prepared statement.
type stmt struct {
	driverStmt
	conn  *conn
	query string
}

// QueryContext runs the statement and returns its rows.
func (s *stmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	if err := s.conn.limit(ctx); err != nil {
		return nil, err
	}
	before := s.conn.socket.written.Load()
	rows, err := s.driverStmt.QueryContext(ctx, args)
	return rows, s.conn.outcome(before, err, s.query)
}

// ExecContext runs the statement.
func (s *stmt) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	if err := s.conn.limit(ctx); err != nil {
		return nil, err
	}
	before := s.conn.socket.written.Load()
	result, err := s.driverStmt.ExecContext(ctx, args)
	return result, s.conn.outcome(before, err, s.query)
}

// A statement that begins as a read and has none of the words that write is a
// read. A word too many here only means that it is not repeated.
var (
	begins = regexp.MustCompile(`(?is)^\s*(select|with|values|table)\b`)
	writes = regexp.MustCompile(`(?i)\b(insert|update|delete|merge|truncate|into|lock|call|do|` +
		`nextval|setval|pg_notify|pg_\w*advisory\w*|pg_terminate_backend|pg_cancel_backend)\b`)
)

func readOnly(query string) bool { return begins.MatchString(query) && !writes.MatchString(query) }
