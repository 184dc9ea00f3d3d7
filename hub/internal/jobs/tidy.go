package jobs

import (
	"context"
	"math/rand/v2"
	"time"
)

// Retention says how long what only helps to look into callbacks and
// notifications is kept. Orders and the books are kept for good, and timelines until they are archived.
type Retention struct {
	Callbacks     time.Duration // what providers' calls said; that they came is kept
	Answers       time.Duration // what apps answered
	Notifications time.Duration // notifications, with their tries
}

const (
	tidyEvery = time.Hour
	tidyRows  = 1000 // at once: short locks, and never much for a replica to follow
	tidyPause = 100 * time.Millisecond

	keepReturns = 7 * 24 * time.Hour // an order that nobody could confirm for so long is over
)

// tidy drops what is old until the context ends: soon after the start and then
// every hour, in small batches. Several hubs may do so at once.
func (w *Worker) tidy(ctx context.Context) {
	wait := rand.N(time.Minute)
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(max(tidyPause, w.Sender.Scale(wait))):
		}
		wait = tidyEvery
		now := w.Now().UTC()
		more, err := w.DB.TrimNotifications(ctx, now.Add(-w.Keep.Answers), now.Add(-w.Keep.Notifications), tidyRows)
		if more {
			wait = tidyPause
		}
		if err != nil && ctx.Err() == nil {
			w.Logger.WarnContext(ctx, "old notifications were not dropped; it is tried again", "error", err)
		}
		if err := w.DB.DropSecrets(ctx, now.Add(-tidyEvery)); err != nil && ctx.Err() == nil {
			w.Logger.WarnContext(ctx, "old secrets of endpoints were not dropped; it is tried again", "error", err)
		}
		if err := w.DB.DropReturns(ctx, now.Add(-keepReturns)); err != nil && ctx.Err() == nil {
			w.Logger.WarnContext(ctx, "what payers brought back was not dropped; it is tried again", "error", err)
		}
		erased, err := w.DB.EraseCallbacks(ctx, now.Add(-w.Keep.Callbacks), tidyRows)
		if erased == tidyRows {
			wait = tidyPause
		}
		if err != nil && ctx.Err() == nil {
			w.Logger.WarnContext(ctx, "the bodies of old callbacks were not erased; it is tried again", "error", err)
		}
	}
}

// analyzeEvery is how long a table that grows is planned for as it was.
const analyzeEvery = 5 * time.Second

// analyze has the database know its tables until the context ends.
func (w *Worker) analyze(ctx context.Context) {
	for wait := rand.N(analyzeEvery); ; wait = analyzeEvery {
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		if err := w.DB.Analyze(ctx); err != nil && ctx.Err() == nil {
			w.Logger.WarnContext(ctx, "tables were not analyzed; it is tried again", "error", err)
		}
	}
}

// rollEvery is how old what the overview counts may be, when nobody looks.
const rollEvery = time.Minute

// roll counts orders for the overview until the context ends.
func (w *Worker) roll(ctx context.Context) {
	for wait := rand.N(10 * time.Second); ; {
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		more, err := w.DB.RollOrders(ctx, w.Now().UTC())
		if err != nil && ctx.Err() == nil {
			w.Logger.WarnContext(ctx, "orders were not counted for the overview; it is tried again", "error", err)
		}
		if wait = rollEvery; more && err == nil {
			wait = tidyPause
		}
	}
}

// missedEvery is how often the worker looks for endpoints that were enabled again.
const missedEvery = 2 * time.Second

// tellMissed has endpoints told of what changed while they were disabled, until the
// context ends.
func (w *Worker) tellMissed(ctx context.Context) {
	for wait := missedEvery; ; {
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		more, err := w.Payments.TellMissed(ctx)
		if err != nil && ctx.Err() == nil {
			w.Logger.WarnContext(ctx, "an endpoint was not told what it missed; it is tried again", "error", err)
		}
		if wait = missedEvery; more && err == nil {
			wait = tidyPause
		}
	}
}
