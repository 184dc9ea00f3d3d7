package plugintest

import (
	"bytes"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/superpayhub/superpay/sdk"
)

// gathered is what a flow's stand-in called back while a payment was made and
// partly given back.
type gathered struct {
	attempt *attempt
	truth   *sdk.Payment
	calls   []sdk.CallbackRequest
}

// gather makes one payment per flow, for all rules about callbacks.
func (s *sheet) gather() *gathered {
	s.Helper()
	if g := s.gathered[s.name]; g != nil {
		return g
	}
	n := s.mail.count()
	a := s.paid()
	if a.request.CaptureMode == sdk.CaptureManual {
		a.take(a.request.Amount)
	}
	if s.flow.Can(sdk.CanRefund) {
		ctx, cancel := s.within(patience)
		defer cancel()
		_, err := s.client.Refund(ctx, a.refund(s.part(a.request.Amount)))
		s.must("Refund", err)
	}
	g := &gathered{attempt: a}
	for deadline, quiet := time.Now().Add(s.settling()), 0; quiet < 10 && time.Now().Before(deadline); time.Sleep(30 * time.Millisecond) {
		if now := s.mail.since(n); len(now) == len(g.calls) && len(now) > 0 {
			quiet++
		} else {
			g.calls, quiet = now, 0
		}
	}
	if len(g.calls) == 0 {
		s.fatalf("the stand-in calls nobody back: does its door for the webhook work?")
	}
	g.truth = a.read()
	s.gathered[s.name] = g
	return g
}

func (s *sheet) judge(r sdk.CallbackRequest) *sdk.CallbackResult {
	s.Helper()
	ctx, cancel := s.within(patience)
	defer cancel()
	res, err := s.client.HandleCallback(ctx, r)
	s.must("HandleCallback", err)
	return res
}

func callbackGenuine(s *sheet) {
	g := s.gather()
	bound := false
	for _, c := range g.calls {
		res := s.judge(c)
		if res.Verdict != sdk.Genuine {
			s.Errorf("a callback of the provider is %s (%s): %.200s", res.Verdict, res.Reason, c.Body)
		}
		if res.Ack.Status != 0 && (res.Ack.Status < 200 || res.Ack.Status > 299) {
			s.Errorf("a callback that was kept is acknowledged with %d", res.Ack.Status)
		}
		for _, f := range res.Facts {
			bound = bound || s.binds(f, g.truth)
		}
	}
	if !bound {
		s.Errorf("none of %d callbacks has a fact that finds its attempt", len(g.calls))
	}
}

// binds reports whether a fact finds its attempt.
func (s *sheet) binds(f sdk.Fact, truth *sdk.Payment) bool {
	return f.Payment.AttemptID != "" && f.Payment.AttemptID == truth.AttemptID && f.Payment.InstanceID == instance ||
		slices.ContainsFunc(f.Payment.Refs, func(r sdk.Ref) bool { return slices.Contains(truth.Refs, r) })
}

func callbackAgrees(s *sheet) {
	g := s.gather()
	for _, c := range g.calls {
		res := s.judge(c)
		for _, f := range res.Facts {
			if !s.binds(f, g.truth) {
				continue
			}
			if f.Proven {
				s.agrees(res.Type, f.Payment, *g.truth)
			}
			for _, e := range f.Expect {
				if !shows(g.truth, e) {
					s.Errorf("event %s says that a read must show %+v, and GetPayment does not: %+v", res.Type, e, *g.truth)
				}
			}
		}
	}
}

// agrees compares the movements of a fact with what a read shows later.
func (s *sheet) agrees(event string, told, truth sdk.Payment) {
	for _, c := range told.Captures.Items {
		i := slices.IndexFunc(truth.Captures.Items, func(t sdk.Capture) bool { return t.ID == c.ID })
		if i < 0 || !c.Amount.Equal(truth.Captures.Items[i].Amount) || ahead(c.Status, truth.Captures.Items[i].Status) {
			s.Errorf("event %s tells of the capture %+v, GetPayment of %+v", event, c, truth.Captures.Items)
		}
	}
	for _, r := range told.Refunds.Items {
		i := slices.IndexFunc(truth.Refunds.Items, func(t sdk.Refund) bool { return t.ID == r.ID })
		if i < 0 || !r.Amount.Equal(truth.Refunds.Items[i].Amount) || r.RefundID != truth.Refunds.Items[i].RefundID || ahead(r.Status, truth.Refunds.Items[i].Status) {
			s.Errorf("event %s tells of the refund %+v, GetPayment of %+v", event, r, truth.Refunds.Items)
		}
	}
	if told.Status != "" && !told.Amount.IsZero() && !told.Amount.Equal(truth.Amount) {
		s.Errorf("event %s tells of a payment of %s, GetPayment of %s", event, told.Amount, truth.Amount)
	}
}

// ahead: an event may be older than the read, but knows no end that it does not.
func ahead(event, read sdk.MovementStatus) bool {
	return event != read && event != sdk.MovementPending
}

func callbackForged(s *sheet) {
	g := s.gather()
	for _, c := range g.calls[:min(len(g.calls), 3)] {
		forged := map[string]sdk.CallbackRequest{}
		bare := c
		bare.Headers = nil
		forged["without headers"] = bare
		other := c
		other.Body = []byte(`{"id":"evt_forged"}`)
		forged["with another body"] = other
		other.Body = nil
		forged["with an empty body"] = other
		other.Body = append(bytes.Clone(c.Body), '\n')
		forged["with one byte more"] = other
		for what, r := range forged {
			s.forged(what, r)
		}
		const samples = 24
		for i := 0; i < len(c.Body); i += max(1, len(c.Body)/samples) {
			altered := c
			altered.Body = bytes.Clone(c.Body)
			altered.Body[i] ^= 1
			s.forged("with one bit altered", altered)
		}
	}
}

func (s *sheet) forged(what string, r sdk.CallbackRequest) {
	s.Helper()
	if res := s.judge(r); res.Verdict != sdk.Forged || len(res.Facts) > 0 {
		s.Errorf("a callback %s is %s with %d facts (%s), want forged", what, res.Verdict, len(res.Facts), res.Reason)
	}
}

func callbackStale(s *sheet) {
	age, limited, err := s.exam.paper.callbackAge()
	if err != nil || !limited {
		s.Logf("the provider signs no time")
		return
	}
	c := s.gather().calls[0]
	for what, shift := range map[string]time.Duration{"signed long ago": age + time.Minute, "signed in the future": -age - time.Minute} {
		moved := c
		moved.ReceivedAt = c.ReceivedAt.Add(shift)
		s.forged(what, moved)
	}
}

func callbackRepeated(s *sheet) {
	for _, c := range s.gather().calls {
		first := s.judge(c)
		if first.EventID == "" {
			s.Errorf("event %s has no EventID", first.Type)
		}
		turned := c
		turned.Headers = slices.Clone(c.Headers)
		slices.Reverse(turned.Headers)
		for i := range turned.Headers {
			turned.Headers[i].Name = strings.ToLower(turned.Headers[i].Name)
		}
		for what, r := range map[string]sdk.CallbackRequest{"the same again": c, "with its headers in another order and spelling": turned} {
			if again := s.judge(r); !reflect.DeepEqual(first, again) {
				s.Errorf("%s, event %s reads\n%+v\nat first it read\n%+v", what, first.Type, again, first)
			}
		}
	}
}
