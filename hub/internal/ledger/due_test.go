package ledger

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/sdk"
)

// looked is a look of the worker: it claims, reads, and applies what it read.
func looked(o *Order, env Env, p *sdk.Payment) *Order {
	o = o.clone()
	o.Attempts[0].Tries++
	c := Apply(o, env, News{AttemptID: o.Attempts[0].ID, Source: FromRead, Begun: o.Version, Payment: p})
	return c.Order
}

// An unsettled attempt is read at ever longer intervals, until it has news; a
// provider may have a schedule of its own.
func TestSchedule(t *testing.T) {
	for name, want := range map[string][]time.Duration{
		"":       {time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour, 6 * time.Hour, 24 * time.Hour, 24 * time.Hour},
		"stripe": {2 * time.Minute, 3 * time.Hour, 3 * time.Hour},
	} {
		o, env := created(t, sdk.CaptureAutomatic)
		o.ExpiresAt = t0.Add(90 * 24 * time.Hour)
		env.Schedules = map[string][]time.Duration{name: {2 * time.Minute, 3 * time.Hour}}
		o = Apply(o, env, read(o, &sdk.Payment{Status: sdk.RequiresAction})).Order
		for i, wait := range want {
			require.Equal(t, wait, o.Attempts[0].DueAt.Sub(env.Now), "%q, look %d", name, i)
			env.Now = o.Attempts[0].DueAt
			version := o.Version
			o = looked(o, env, &sdk.Payment{Status: sdk.RequiresAction})
			require.Equal(t, version, o.Version, "a look without news writes no version")
		}
		env.Now = env.Now.Add(time.Hour)
		o = looked(o, env, &sdk.Payment{Status: sdk.Pending})
		require.Equal(t, want[0], o.Attempts[0].DueAt.Sub(env.Now), "news begin it anew")
	}
}

// Money is looked at 1, 7, 30 and 90 days after its last capture, and then
// never again, however late the looks come.
func TestSchedule_OfMoney(t *testing.T) {
	const day = 24 * time.Hour
	o, env := created(t, sdk.CaptureAutomatic)
	o = Apply(o, env, callback(o, captured("ch_1", 1000))).Order
	for _, days := range []time.Duration{1, 7, 30, 90} {
		a := o.Attempts[0]
		require.Equal(t, t0.Add(days*day), a.DueAt)
		env.Now = a.DueAt.Add(time.Minute)
		c := Apply(o, env, read(o, captured("ch_1", 1000)))
		require.True(t, c.Empty(), "nothing new but the schedule")
		require.Len(t, c.Looks, 1)
		o = c.Order
	}
	require.Zero(t, o.Attempts[0].DueAt, "that was the last one")

	// A hub that was away does not make up for what it missed.
	o, env = created(t, sdk.CaptureAutomatic)
	o = Apply(o, env, callback(o, captured("ch_1", 1000))).Order
	env.Now = t0.Add(40 * day)
	o = Apply(o, env, read(o, captured("ch_1", 1000))).Order
	require.Equal(t, t0.Add(90*day), o.Attempts[0].DueAt)

	// A refund that is under way is read as anything unsettled.
	p := captured("ch_1", 1000)
	p.Refunds.Items = []sdk.Refund{{ID: "re_1", CaptureID: "ch_1", Status: sdk.MovementPending, Amount: usd(100)}}
	o = Apply(o, env, callback(o, p)).Order
	require.Equal(t, env.Now.Add(time.Minute), o.Attempts[0].DueAt)
}

func TestBackoff(t *testing.T) {
	env := testEnv()
	var sum, before time.Duration
	for n := 1; n < 100; n++ {
		wait := Backoff(n, env)
		require.GreaterOrEqual(t, wait, before, "failure %d", n)
		require.LessOrEqual(t, wait, 6*time.Hour)
		if n < 30 {
			require.LessOrEqual(t, wait, time.Minute, "what is in the way may be gone any moment")
		}
		if n < Patience {
			sum += wait
		}
		before = wait
	}
	require.Equal(t, 300*time.Millisecond, Backoff(1, env))
	require.InDelta(t, 7, sum.Hours(), 1, "a person is told after some seven hours")
	require.Equal(t, 6*time.Hour, Backoff(Patience, env), "and then it is tried seldom")
	env.TimeScale = 60
	require.Equal(t, time.Second, Backoff(29, env))
}

// That a provider cannot be read is told once, ends by itself when it can be
// read again, and is told anew the next time.
func TestExhausted(t *testing.T) {
	o, env := created(t, sdk.CaptureAutomatic)
	raise := News{AttemptID: o.Attempts[0].ID, Source: FromHub, Raise: Exhausted}
	alive := &sdk.Payment{Status: sdk.RequiresAction}
	for range 2 {
		o.Attempts[0].Failures = Patience - 1
		c := Apply(o, env, raise)
		require.True(t, c.Order.NeedsAttention)
		require.Equal(t, o.Attempts[0].DueAt, c.Order.Attempts[0].DueAt)
		again := Apply(c.Order, env, raise)
		require.True(t, again.Empty(), "once")
		// A read that began before something else happened is not fresh, and yet
		// the provider could be read.
		late := read(c.Order, alive)
		late.Begun--
		c = Apply(c.Order, env, late)
		require.False(t, c.Order.NeedsAttention)
		require.Empty(t, c.Order.Attention)
		require.Zero(t, c.Order.Attempts[0].Failures)
		o = c.Order
	}
	resolved, err := Apply(o, env, raise).Order.Resolve("", "me", "they are down", env)
	require.NoError(t, err)
	require.False(t, Apply(resolved.Order, env, raise).Order.NeedsAttention, "a person knows")
	require.Empty(t, Apply(resolved.Order, env, read(resolved.Order, alive)).Order.Attention)
}

// held is an order of 10.00 USD whose money is authorised until then.
func held(t *testing.T, until time.Time) (*Order, Env) {
	o, env := created(t, sdk.CaptureManual)
	c := Apply(o, env, callback(o, &sdk.Payment{Status: sdk.RequiresCapture, Authorized: usd(1000), CaptureBefore: until}))
	require.Equal(t, OrderAuthorized, c.Order.Status)
	return c.Order, env
}

func notices(c Change) (n int) {
	for _, e := range c.Events {
		if e.Kind == AuthorizationExpiring {
			n++
		}
	}
	return n
}

// An authorisation that is about to lapse is told of once, looked at when it
// has lapsed, and told of again when it was renewed.
func TestAuthorizationExpiring(t *testing.T) {
	const day = 24 * time.Hour
	for name, x := range map[string]struct{ window, setting, want time.Duration }{
		"a day before":                  {29 * day, 0, day},
		"a tenth, where that is less":   {7 * day, 0, 7 * day / 10},
		"as the operator wants":         {29 * day, 2 * day, 2 * day},
		"but a tenth of a short window": {time.Hour, 2 * day, 6 * time.Minute},
	} {
		o, env := held(t, t0.Add(x.window))
		env.Notice = x.setting
		stands := &sdk.Payment{Status: sdk.RequiresCapture, Authorized: usd(1000), CaptureBefore: t0.Add(x.window)}
		env.Now = o.Attempts[0].DueAt
		for looks := 0; env.Now.Before(t0.Add(x.window - x.want)); looks++ {
			require.Less(t, looks, 100, name)
			o = looked(o, env, stands)
			env.Now = o.Attempts[0].DueAt
		}
		require.Equal(t, t0.Add(x.window-x.want), env.Now, "%s: it is due when it is to be told", name)
		c := Apply(o, env, News{AttemptID: o.Attempts[0].ID, Source: FromHub}) // even if it cannot be read
		require.Equal(t, 1, notices(c), name)
		require.Equal(t, AuthorizationExpiring, c.NoticeType())
		o = c.Order
		c = Apply(o, env, read(o, stands))
		require.True(t, c.Empty(), "%s: once", name)
		o = c.Order
		o.Attempts[0].Tries = len(Schedule)
		o = Apply(o, env, read(o, stands)).Order
		require.False(t, o.Attempts[0].DueAt.After(t0.Add(x.window+lapseGrace)), "%s: looked at when it has lapsed", name)

		renewed := *stands
		renewed.CaptureBefore = t0.Add(3 * x.window)
		o = Apply(o, env, read(o, &renewed)).Order
		env.Now = t0.Add(3*x.window - time.Minute)
		require.Equal(t, 1, notices(Apply(o, env, read(o, &renewed))), name)
		env.Now = t0.Add(3*x.window + time.Minute)
		require.Zero(t, notices(Apply(o, env, read(o, &renewed))), "%s: it is over", name)
	}
	o, env := held(t, time.Time{})
	env.Now = t0.Add(1000 * day)
	require.Zero(t, notices(Apply(o, env, read(o, &sdk.Payment{Status: sdk.RequiresCapture, Authorized: usd(1000)}))))
}

// TestDue_WhatIsToBeClosed: whoever read the payment after the order's time closes it
// at once; should it die before, the next look does not wait for a day.
func TestDue_WhatIsToBeClosed(t *testing.T) {
	o, env := created(t, sdk.CaptureAutomatic)
	o = Apply(o, env, read(o, &sdk.Payment{Status: sdk.RequiresAction})).Order
	a := o.Attempts[0]
	look := func(cancels bool) time.Duration {
		env.Cancels = func(string, string) bool { return cancels }
		after := Apply(o, env, read(o, &sdk.Payment{Status: sdk.RequiresAction})).Order
		return after.Attempts[0].DueAt.Sub(env.Now)
	}
	a.Tries = 6
	env.Now = o.ExpiresAt.Add(-time.Minute)
	require.Equal(t, time.Minute, look(true), "its time is not up yet")
	env.Now = o.ExpiresAt.Add(time.Second)
	require.LessOrEqual(t, look(true), time.Hour)
	require.Equal(t, 24*time.Hour, look(false), "only the provider can close it")
	o.CancelAskedAt = env.Now
	require.LessOrEqual(t, look(false), time.Hour, "it is given up")
}
