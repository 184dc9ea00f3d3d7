package ledger

import (
	"time"

	"github.com/superpayhub/superpay/sdk"
)

// AuthorizationExpiring tells an app that approved money is about to be lost.
const AuthorizationExpiring = "order.authorization_expiring"

// DefaultNotice is how long before an authorisation lapses its app is told.
const DefaultNotice = 24 * time.Hour

// lapseGrace is how long after that moment the provider is asked what became of
// it: it may take a while to notice itself.
const lapseGrace = time.Minute

// ending is the time that an app is told of next: until when the provider is sure to
// pay what is authorised, then until when it can be captured at all. Zero where there
// is nothing to tell, or it was told.
func (a *Attempt) ending(now time.Time) time.Time {
	honored := a.HonoredUntil
	switch {
	case a.Status != sdk.RequiresCapture:
		return time.Time{}
	case now.Before(honored) && a.WarnedFor.Before(honored) && (a.CaptureBefore.IsZero() || honored.Before(a.CaptureBefore)):
		return honored
	case a.WarnedFor.Equal(a.CaptureBefore):
		return time.Time{}
	}
	return a.CaptureBefore
}

// warnAt is when the app is told of that: the notice before it, or a tenth of the
// time since the attempt began, where that is less. Zero where there is nothing to
// tell.
func (a *Attempt) warnAt(env Env) time.Time {
	ending := a.ending(env.Now)
	if ending.IsZero() {
		return time.Time{}
	}
	notice := env.Notice
	if notice <= 0 {
		notice = DefaultNotice
	}
	return ending.Add(-min(notice, ending.Sub(a.CreatedAt)/10))
}

// lapsed is when the authorisation has lapsed for sure; zero where there is none.
func (a *Attempt) lapsed() time.Time {
	if a.Status != sdk.RequiresCapture || a.CaptureBefore.IsZero() {
		return time.Time{}
	}
	return a.CaptureBefore.Add(lapseGrace)
}

// warn tells once of each such time that it is near. An authorisation that has
// lapsed is for the provider to tell.
func (d *decision) warn(a *Attempt) {
	at, ending := a.warnAt(d.env), a.ending(d.env.Now)
	if at.IsZero() || d.env.Now.Before(at) || !d.env.Now.Before(ending) {
		return
	}
	a.WarnedFor = ending
	data := map[string]any{"capture_before": a.CaptureBefore, "authorized": a.Authorized, "currency": d.o.Currency}
	if ending.Equal(a.HonoredUntil) {
		data["honored_until"] = ending
	}
	d.record(a, News{Source: FromHub}, AuthorizationExpiring, data)
}
