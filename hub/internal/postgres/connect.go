package postgres

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
)

// connector makes connections as the hub needs them.
type connector struct{ driver.Connector }

// Connect switches compiling of queries off: all of ours are short, and where
// the planner takes one for long, compiling it takes many times its own time.
func (c connector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	execer, ok := conn.(driver.ExecerContext)
	if !ok {
		return nil, errors.Join(errors.New("the database driver takes no statement"), conn.Close())
	}
	if _, err := execer.ExecContext(ctx, "SET jit = off", nil); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return conn, nil
}

// connect has values of []byte sent as they are: for bytea, and for arrays of
// rows. JSON must be sent as a string.
func connect(url string) (*sqlx.DB, error) {
	config, err := pq.NewConfig(url)
	if err != nil {
		return nil, err
	}
	config.BinaryParameters = true
	c, err := pq.NewConnectorConfig(config)
	if err != nil {
		return nil, err
	}
	return sqlx.NewDb(sql.OpenDB(connector{c}), "postgres"), nil
}
