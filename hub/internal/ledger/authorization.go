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

// warnAt is when the app is told that the authorisation is about to lapse: the
// notice before that, or a tenth of the time since the attempt began, where that
// is less. Zero where there is nothing to tell, or it was told.
func (a *Attempt) warnAt(env Env) time.Time {
	if a.Status != sdk.RequiresCapture || a.CaptureBefore.IsZero() || a.WarnedFor.Equal(a.CaptureBefore) {
		return time.Time{}
	}
	notice := env.Notice
	if notice <= 0 {
		notice = DefaultNotice
	}
	return a.CaptureBefore.Add(-min(notice, a.CaptureBefore.Sub(a.CreatedAt)/10))
}

// lapsed is when the authorisation has lapsed for sure; zero where there is none.
func (a *Attempt) lapsed() time.Time {
	if a.Status != sdk.RequiresCapture || a.CaptureBefore.IsZero() {
		return time.Time{}
	}
	return a.CaptureBefore.Add(lapseGrace)
}

// warn tells once of each authorisation that it is about to lapse. One that has
// lapsed is for the provider to tell.
func (d *decision) warn(a *Attempt) {
	at := a.warnAt(d.env)
	if at.IsZero() || d.env.Now.Before(at) || !d.env.Now.Before(a.CaptureBefore) {
		return
	}
	a.WarnedFor = a.CaptureBefore
	d.record(a, News{Source: FromHub}, AuthorizationExpiring, map[string]any{
		"capture_before": a.CaptureBefore, "authorized": a.Authorized, "currency": d.o.Currency,
	})
}
