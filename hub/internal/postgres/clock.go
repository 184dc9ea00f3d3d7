package postgres

import (
	"context"
	"time"

	"github.com/superpayhub/superpay/hub/internal/clock"
)

// clockSamples is how often the database's clock is read for one reading: the
// quickest answer is the most exact.
const clockSamples = 3

// Clock reads the database's clock, on one connection: waiting for one is not
// part of the round trip.
func (p *DB) Clock(ctx context.Context) (clock.Reading, error) {
	conn, err := p.db.Conn(ctx)
	if err != nil {
		return clock.Reading{}, mapErr(err)
	}
	defer conn.Close()
	var best clock.Reading
	for i := range clockSamples {
		var at time.Time
		began := time.Now()
		if err := conn.QueryRowContext(ctx, `SELECT clock_timestamp()`).Scan(&at); err != nil {
			return clock.Reading{}, mapErr(err)
		}
		half := time.Since(began) / 2
		if i == 0 || half < best.Within {
			best = clock.Reading{At: at, Asked: began.Add(half), Within: half}
		}
	}
	return best, nil
}
