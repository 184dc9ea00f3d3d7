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
	other   sdk.CallbackRequest // of another payment
}

// gather makes one payment per flow, for all rules about callbacks.
func (s *sheet) gather() *gathered {
	s.Helper()
	if g := s.gathered[s.name]; g != nil {
		return g
	}
	if s.mail.count() == 0 {
		s.paid() // another payment, for its callbacks
		s.quiet(0)
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
	g.calls = s.quiet(n)
	if len(g.calls) == 0 {
		s.fatalf("the stand-in calls nobody back: does its door for the webhook work?")
	}
	g.truth, g.other = a.read(), s.mail.since(0)[0]
	s.gathered[s.name] = g
	return g
}

func (s *sheet) judge(r sdk.CallbackRequest) *sdk.CallbackResult {
	s.Helper()
	return s.judgeIn(&process{client: s.client}, r)
}

func (s *sheet) judgeIn(p *process, r sdk.CallbackRequest) *sdk.CallbackResult {
	s.Helper()
	ctx, cancel := s.within(patience)
	defer cancel()
	res, err := p.client.HandleCallback(ctx, r)
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

// proofs are the words for what proves a callback.
var proofs = []sdk.Proof{sdk.ProofSignedBody, sdk.ProofSecretAddress, sdk.ProofNone}

func callbackProof(s *sheet) {
	proof := s.description.Proof
	if !slices.Contains(proofs, proof) {
		s.fatalf("Describe's Proof is %q: say one of %q", proof, proofs)
	}
	for _, c := range s.gather().calls {
		res := s.judge(c)
		if proven := slices.ContainsFunc(res.Facts, func(f sdk.Fact) bool { return f.Proven }); proven && proof != sdk.ProofSignedBody {
			s.Errorf("event %s has a proven fact, and the plugin's proof is %s", res.Type, proof)
		}
	}
}

func callbackForged(s *sheet) {
	g := s.gather()
	for i, c := range g.calls[:min(len(g.calls), 3)] {
		genuine := s.judge(c)
		switch s.description.Proof {
		case sdk.ProofSignedBody:
			for _, a := range sdk.Alterations(c) {
				if res := s.judge(a.Request); a.Believed(genuine, res) {
					s.Errorf("a callback %s is genuine (%s) and says %+v; the genuine one says %+v", a.What, res.Reason, res.Facts, genuine.Facts)
				}
			}
			for what, other := range map[string]sdk.CallbackRequest{"another": g.calls[(i+1)%len(g.calls)], "another payment's": g.other} {
				swapped := c
				swapped.Body = other.Body
				if !bytes.Equal(other.Body, c.Body) {
					s.forged("with the body of "+what, swapped)
				}
			}
		case sdk.ProofSecretAddress:
			bare := c
			bare.Path, bare.Query, bare.Headers = "/", "", nil
			s.forged("without path, query and headers", bare)
		}
	}
}

func (s *sheet) forged(what string, r sdk.CallbackRequest) {
	s.Helper()
	if res := s.judge(r); res.Verdict != sdk.Forged || len(res.Facts) > 0 {
		s.Errorf("a callback %s is %s with %d facts (%s), want forged", what, res.Verdict, len(res.Facts), res.Reason)
	}
}

// malformed are bodies that no provider sends, and anybody can.
var malformed = []string{
	"", "null", "[]", "{}", "0", `"x"`, "{", `{"id":{}}`, `{"id":null,"type":[]}`, "id=tr_1&id=tr_2", "\x00\xff", "<xml/>",
	`{"data":{"object":null}}`, strings.Repeat("[", 10_000), strings.Repeat("x", 100_000),
}

func callbackMalformed(s *sheet) {
	calls := s.gather().calls
	for _, body := range malformed {
		for _, headers := range [][]sdk.Header{calls[0].Headers, nil} {
			r := calls[0]
			r.Headers, r.Body = headers, []byte(body)
			ctx, cancel := s.within(patience)
			res, err := s.client.HandleCallback(ctx, r)
			cancel()
			switch {
			case err != nil:
				s.Errorf("a callback with the body %.40q is an error: %v", body, err)
			case slices.ContainsFunc(res.Facts, func(f sdk.Fact) bool { return f.Proven }):
				s.Errorf("a callback with the body %.40q proves %+v", body, res.Facts)
			}
		}
	}
}

func callbackStale(s *sheet) {
	age, limited, err := s.exam.paper.callbackAge()
	if err != nil || !limited || s.description.Proof == sdk.ProofNone {
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
	bodies := map[string][]byte{}
	for _, c := range s.gather().calls {
		first := s.judge(c)
		if body, known := bodies[first.EventID]; known && first.EventID != "" && !bytes.Equal(body, c.Body) {
			s.Errorf("two events have the EventID %q: the hub drops the second\n%.300s\n%.300s", first.EventID, body, c.Body)
		}
		bodies[first.EventID] = c.Body
		for _, f := range first.Facts {
			for _, r := range f.Payment.Refs {
				if first.EventID != "" && r.Value == first.EventID {
					s.Errorf("the EventID of %s is the id of the %s, %q: the hub drops the next event about it. Leave it empty where the provider has none", first.Type, r.Kind, r.Value)
				}
			}
		}
		turned := c
		turned.Headers = slices.Clone(c.Headers)
		slices.Reverse(turned.Headers)
		for i := range turned.Headers {
			turned.Headers[i].Name = strings.ToLower(turned.Headers[i].Name)
		}
		if elsewhere := s.judgeIn(s.another(s.wire.url), c); elsewhere.EventID != first.EventID {
			s.Errorf("in another process, event %s has the EventID %q, at first it was %q", first.Type, elsewhere.EventID, first.EventID)
		}
		for what, r := range map[string]sdk.CallbackRequest{"the same again": c, "with its headers in another order and spelling": turned} {
			if again := s.judge(r); !reflect.DeepEqual(first, again) {
				s.Errorf("%s, event %s reads\n%+v\nat first it read\n%+v", what, first.Type, again, first)
			}
		}
	}
}
