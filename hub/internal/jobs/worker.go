// Package jobs does what is due. Jobs are rows that already exist: an attempt
// or a callback with a due time. The worker claims them with a lease, so that
// several hubs share the work and a dead hub's work becomes due again.
package jobs

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/superpayhub/superpay/hub/internal/notifications"
	"github.com/superpayhub/superpay/hub/internal/payments"
	"github.com/superpayhub/superpay/hub/internal/postgres"
)

const (
	atOnce = 64 // attempts worked on at the same moment, of all providers: some may hang
	share  = 8  // of them for one provider: one that hangs does not hold up the others
	opened = 16 // callbacks looked into once more at the same moment

	calls         = 384 // notifications under way at the same moment: they wait for apps, and never hold up money
	few           = 16  // of them for one endpoint, claimed at once
	endpointShare = 16  // of them for one endpoint: none is claimed while so many are under way
	many          = 32  // of them for all endpoints of one app, claimed at once
	appShare      = 64  // of them for one app: an app whose receivers hang does not hold up the others

	poll    = time.Second     // how long something may be due unnoticed
	patient = 2 * time.Second // between polls that fail
	grace   = time.Second     // of deliveries under way when the hub is to end
)

// Worker claims due rows until its context ends.
type Worker struct {
	Keep     Retention
	DB       *postgres.DB
	Payments *payments.Service
	Sender   *notifications.Sender
	Logger   *slog.Logger
	Now      func() time.Time
	// Reads bounds how many attempts of each provider are looked at in a second.
	// What apps, payers and operators ask of it does not wait for that.
	Reads map[string]float64

	kick   chan struct{}
	ended  chan struct{} // some work ended, and there may be more of it
	behind atomic.Bool   // the last round left work, for want of room
	work   sync.WaitGroup
	room   chan struct{}
	inbox  chan struct{} // the room for callbacks
	post   chan struct{} // the room for notifications
	pace   pace          // at which providers are asked

	verified *verifyMetrics

	seen time.Time // when the providers that are up were last noted

	mu   sync.Mutex
	with map[string]underWay // by the id of a provider, an endpoint or an app
}

// New makes a worker. Kick may be called from then on.
func New() *Worker {
	return &Worker{
		kick: make(chan struct{}, 1), ended: make(chan struct{}, 1), room: make(chan struct{}, atOnce), inbox: make(chan struct{}, opened), post: make(chan struct{}, calls),
		with: map[string]underWay{}, Now: time.Now, verified: newVerifyMetrics(),
	}
}

// underWay is how much of the worker one of those it works for has, and its share.
type underWay struct{ n, share int }

// begin counts one more of what is under way with a provider, an endpoint or an app,
// until end is called.
func (w *Worker) begin(id string, share int) (end func()) {
	w.count(id, share, 1)
	return func() { w.count(id, share, -1) }
}

func (w *Worker) count(id string, share, n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n += w.with[id].n
	if n == 0 {
		delete(w.with, id)
		return
	}
	w.with[id] = underWay{n, share}
}

// busy are the providers, endpoints and apps that have their share of the worker.
func (w *Worker) busy() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	names := []string{}
	for id, u := range w.with {
		if u.n >= u.share {
			names = append(names, id)
		}
	}
	return names
}

// Kick wakes the worker: something became due.
func (w *Worker) Kick() {
	select {
	case w.kick <- struct{}{}:
	default:
	}
}

// Run works until the context ends, then waits for what is under way.
func (w *Worker) Run(ctx context.Context) {
	defer w.work.Wait()
	w.work.Go(func() { w.tidy(ctx) })
	w.work.Go(func() { w.roll(ctx) })
	w.work.Go(func() { w.analyze(ctx) })
	w.work.Go(func() { w.verify(ctx) })
	w.work.Go(func() { w.tellMissed(ctx) })
	w.work.Go(func() { w.Payments.Watch(ctx) })
	w.pace = newPace(w.Reads)
	for {
		more, wait, err := w.round(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			w.Logger.WarnContext(ctx, "could not look for due work", "error", err)
			wait = patient
		case more:
			continue
		}
		select {
		case <-ctx.Done():
			return
		case <-w.ended:
		case <-w.kick:
			// What was kicked for is due within moments, not yet perhaps.
			select {
			case <-time.After(20 * time.Millisecond):
			case <-ctx.Done():
				return
			}
		case <-time.After(wait):
		}
	}
}

// lease is how long a claimed row is ours: longer than the call of a provider
// that is made for it.
func (w *Worker) lease() time.Duration {
	return max(w.Sender.Scale(30*time.Second), w.Payments.CallTimeout+10*time.Second)
}

// round claims what is due, as much as there is room for. More says that there
// is more than that; else wait, how long nobody need look.
func (w *Worker) round(ctx context.Context) (more bool, wait time.Duration, err error) {
	if w.Payments.ClockRight() != nil { // what is due, and whose lease has ended, cannot be told
		return false, poll, nil
	}
	w.behind.Store(true) // until it is known better: work that ends meanwhile makes room
	now := w.Now().UTC()
	told, err := w.tell(ctx, now)
	if err != nil {
		return false, poll, err
	}
	// No more is claimed than there is room for: this waits for none, or the
	// notifications would wait with it.
	some, paused, wait := w.pace.room(now)
	some = min(atOnce-len(w.room), share, some)
	attempts, err := w.DB.ClaimAttempts(ctx, now, w.lease().Seconds(), some, append(w.busy(), paused...))
	if err != nil {
		return false, poll, err
	}
	for _, a := range attempts {
		w.pace.take(a.Provider, now)
		end := w.begin(a.Provider, share)
		w.do(ctx, w.room, "attempt", a.AttemptID, func(ctx context.Context) error {
			defer end()
			return w.Payments.Due(ctx, a)
		})
	}
	free := opened - len(w.inbox)
	callbacks, err := w.DB.ClaimCallbacks(ctx, now, w.lease().Seconds(), free)
	if err != nil {
		return false, poll, err
	}
	for _, cb := range callbacks {
		w.do(ctx, w.inbox, "callback", cb.ID, func(ctx context.Context) error { return w.Payments.Retry(ctx, cb) })
	}
	if err := w.list(ctx, now); err != nil {
		return false, poll, err
	}
	more = told || some > 0 && len(attempts) == some && len(w.room) < atOnce || free > 0 && len(callbacks) == free && len(w.inbox) < opened
	w.behind.Store(more || len(w.room) == atOnce || len(w.inbox) == opened || len(w.post) == calls || len(w.busy()) > 0)
	return more, wait, nil
}

// seenEvery is how exactly it is known until when a provider was up.
const seenEvery = 30 * time.Second

// list reads what providers know, as far as it is due.
func (w *Worker) list(ctx context.Context, now time.Time) error {
	running := w.Payments.Running()
	if now.Sub(w.seen) > seenEvery && !w.Payments.Alarmed() {
		if err := w.DB.Seen(ctx, running, now); err != nil {
			return err
		}
		w.seen = now
	}
	// One of a kind for each provider: they need no room.
	due, err := w.DB.ClaimSchedules(ctx, now, w.lease().Seconds(), running)
	if err != nil {
		return err
	}
	for _, l := range due {
		w.do(ctx, nil, "list", l.Provider, func(ctx context.Context) error { return w.Payments.List(ctx, l) })
	}
	return nil
}

// tell sends notifications that are due, in a room of their own.
func (w *Worker) tell(ctx context.Context, now time.Time) (more bool, err error) {
	free := calls - len(w.post)
	if free == 0 {
		return false, nil
	}
	due, err := w.DB.ClaimNotifications(ctx, now, w.lease().Seconds(), free, few, many, w.busy(), w.Payments.Unread())
	if err != nil {
		return false, err
	}
	for _, n := range due {
		endApp, endEndpoint := w.begin(n.AppID, appShare), w.begin(n.EndpointID, endpointShare)
		w.do(ctx, w.post, "notification", n.ID, func(work context.Context) error {
			work, done := cutAtEnd(ctx, work)
			defer done()
			defer endApp()
			defer endEndpoint()
			return w.Sender.Deliver(work, n)
		})
	}
	return len(due) >= few, nil
}

// cutAtEnd returns work's context, which also ends a moment after the worker's
// own: a receiver that hangs does not decide how long a hub takes to end.
func cutAtEnd(run, work context.Context) (context.Context, func()) {
	work, cut := context.WithCancelCause(work)
	stop := context.AfterFunc(run, func() {
		select {
		case <-time.After(grace):
			cut(notifications.ErrCut)
		case <-work.Done():
		}
	})
	return work, func() {
		stop()
		cut(nil)
	}
}

// do works on one row, in a room if it needs one. A hub that dies here leaves it
// leased: it is due again when the lease ends.
func (w *Worker) do(ctx context.Context, room chan struct{}, kind, id string, f func(context.Context) error) {
	if room != nil {
		room <- struct{}{}
	}
	w.work.Go(func() {
		defer func() {
			if room != nil {
				<-room
			}
			if r := recover(); r != nil {
				w.Logger.ErrorContext(ctx, "panic while working on what is due", "kind", kind, "id", id, "panic", r)
			}
			if w.behind.Load() {
				select {
				case w.ended <- struct{}{}:
				default:
				}
			}
		}()
		// A shutdown lets work in flight finish.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), w.lease())
		defer cancel()
		if err := f(ctx); err != nil {
			w.Logger.InfoContext(ctx, "what was due is not done; it is tried again", "kind", kind, "id", id, "error", err)
		}
	})
}
