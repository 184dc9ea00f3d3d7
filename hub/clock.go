package main

import (
	"context"

	"github.com/superpayhub/superpay/hub/internal/clock"
	"github.com/superpayhub/superpay/hub/internal/postgres"
)

// clock returns the hub's clock, compared with the database's once. What
// decides by the time is not begun while the two are too far apart.
func (h *hub) clock(ctx context.Context, db *postgres.DB) (*clock.Clock, error) {
	c := clock.New(clock.Options{
		Ask: db.Clock, Warn: h.config.Clock.Warn, Refuse: h.config.Clock.Refuse, OffsetFile: h.config.ClockOffsetFile, Logger: h.log,
	})
	return c, c.Check(ctx)
}

// withClock runs what needs the settings, the database and the time.
func withClock(ctx context.Context, do func(*hub, *postgres.DB, *clock.Clock) error) error {
	return withDatabase(ctx, func(h *hub, db *postgres.DB) error {
		c, err := h.clock(ctx, db)
		if err != nil {
			return err
		}
		return do(h, db, c)
	})
}
