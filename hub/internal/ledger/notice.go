package ledger

import (
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/superpayhub/superpay/sdk"
)

// Notice tells an app of a change: written with it, and sent to each of the
// app's webhook endpoints.
type Notice struct {
	ID      string    `json:"id"`
	AppID   string    `json:"app_id"`
	OrderID string    `json:"order_id"`
	Type    string    `json:"type"`
	Version int64     `json:"version"`
	Payload string    `json:"payload"`
	At      time.Time `json:"created_at"`
}

// NoticeType names a change for apps: by the order's new status, if that is what
// changed, by the status also for each refund that succeeds, or by what is about to
// happen to it. It is empty where there is nothing to tell: at creation, which the
// app asked for (unless the order is made anew because a database had lost it),
// where something was begun of which only the end is news, where only the hub's own
// schedule moved, and of a provider's fee or an event that reads do not show yet,
// which no app sees.
func (c *Change) NoticeType() string {
	recovered := func(e Event) bool { return e.Kind == paymentRecovered }
	if c.Order.Version == 1 && !slices.ContainsFunc(c.Events, recovered) {
		return ""
	}
	status := "order." + string(c.Order.Status)
	kind := ""
	for _, e := range c.Events {
		switch {
		case e.Kind == status || e.Kind == AuthorizationExpiring:
			return e.Kind
		case e.Kind == refundSucceeded && (c.Order.Status == OrderPartiallyRefunded || c.Order.Status == OrderRefunded):
			return status
		}
		if e.forApps() {
			kind = "order.updated"
		}
	}
	return kind
}

// TellAgain changes nothing of the order but its version, so that its app is told
// of it once more.
func (o *Order) TellAgain(env Env) Change {
	d := start(o, env)
	d.events = append(d.events, Event{ID: env.NewID(EventID), OrderID: o.ID, At: env.Now, Kind: "order.told_again", Source: FromHub, Data: map[string]any{}})
	return d.finish()
}

// forApps reports whether an app is told of an event.
func (e *Event) forApps() bool {
	return !strings.HasSuffix(e.Kind, ".fee") && !strings.HasSuffix(e.Kind, ".settled") && !strings.HasPrefix(e.Kind, "event.") && !strings.HasSuffix(e.Kind, operationStarted)
}

// operationStarted ends the name of the event that an operation was recorded, as
// "refund.started".
const operationStarted = ".started"

// refundSucceeded is the event that money went back.
const refundSucceeded = "refund." + string(sdk.MovementSucceeded)

// paymentUpdated tells that details of an attempt changed and nothing else of it.
const paymentUpdated = "payment.updated"

// learned adds the event payment.updated where a field that apps see of an attempt
// changed and the decision has no other event for apps. Without an event there is no
// notification, and the newest one would say less than the order reads.
func (d *decision) learned() {
	if slices.ContainsFunc(d.events, func(e Event) bool { return e.forApps() }) {
		return
	}
	for _, a := range d.o.Attempts {
		was := d.before.Attempt(a.ID)
		if was == nil || a.CaptureBefore.Equal(was.CaptureBefore) && a.HonoredUntil.Equal(was.HonoredUntil) && a.Authorized == was.Authorized && a.Abandoned == was.Abandoned &&
			slices.Equal(a.Refs, was.Refs) && reflect.DeepEqual(a.Failure, was.Failure) {
			continue
		}
		d.record(a, News{Source: FromHub}, paymentUpdated, nil)
	}
}
