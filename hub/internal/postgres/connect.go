package postgres

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
)

// lockWait is how long a statement waits for a row that somebody else has locked:
// much longer than commits take, and so short that a commit which many share can
// be tried again without the one that has to wait.
const lockWait = 200 * time.Millisecond

// dialTime is how long a connection may take to make.
const dialTime = 10 * time.Second

// connector makes connections as the hub needs them.
type connector struct {
	*pq.Connector
	setUp string // what is run on each
}

// Connect makes a connection. Its errors are unsentErrors.
func (c connector) Connect(ctx context.Context) (driver.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTime)
	defer cancel()
	var opened *socket
	made, err := c.Connector.Connect(context.WithValue(ctx, openedKey{}, &opened))
	if err != nil {
		return nil, unsentError{err}
	}
	raw, ok := made.(driverConn)
	if !ok || opened == nil {
		return nil, unsentError{errors.Join(errors.New("the database driver is not the one that the hub was made for"), made.Close())}
	}
	if _, err := raw.ExecContext(ctx, c.setUp, nil); err != nil {
		return nil, unsentError{errors.Join(err, raw.Close())}
	}
	return &conn{driverConn: raw, socket: opened}, nil
}

// connect has values of []byte sent as they are: for bytea, and for arrays of
// rows. JSON must be sent as a string. Its statements wait that long for locks;
// zero is without end.
func connect(url string, wait time.Duration) (*sqlx.DB, error) {
	config, err := pq.NewConfig(url)
	if err != nil {
		return nil, err
	}
	config.BinaryParameters = true
	c, err := pq.NewConnectorConfig(config)
	if err != nil {
		return nil, err
	}
	c.Dialer(&dialer{})
	// Compiling of queries is off: all of ours are short, and where the planner takes
	// one for long, compiling it takes many times its own time.
	setUp := fmt.Sprintf("SET jit = off; SET lock_timeout = %d", wait.Milliseconds())
	return sqlx.NewDb(sql.OpenDB(connector{c, setUp}), "postgres"), nil
}

// openedKey is the context's key for the place where Connect wants the socket.
type openedKey struct{}

// dialer opens sockets and hands each to the Connect that it is opened for.
type dialer struct{ net.Dialer }

// DialContext opens a connection's socket.
func (d *dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	c, err := d.Dialer.DialContext(ctx, network, address)
	place, ok := ctx.Value(openedKey{}).(**socket)
	if err != nil || !ok {
		return c, err
	}
	*place = newSocket(c)
	return *place, nil
}

// DialTimeout is what the driver's interface demands; the driver calls
// DialContext.
func (d *dialer) DialTimeout(network, address string, timeout time.Duration) (net.Conn, error) {
	return net.DialTimeout(network, address, timeout)
}

// socket counts what was written to it: what was not written was not sent.
type socket struct {
	net.Conn
	written atomic.Int64 // calls of Write that may have sent something
	peek    peek         // see stale
}

func (s *socket) Write(b []byte) (int, error) {
	n, err := s.Conn.Write(b)
	if n > 0 || err == nil {
		s.written.Add(1)
	}
	return n, err
}
