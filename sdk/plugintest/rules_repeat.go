package plugintest

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/superpayhub/superpay/sdk/plugin"
	"github.com/superpayhub/superpay/sdk/plugintest/standin"
)

// send asks once, without a disturbance.
func (s *sheet) send(op operation, c *plugin.Client) (string, error) {
	ctx, cancel := s.within(patience)
	defer cancel()
	return op.send(ctx, c)
}

func repeatSameEffect(s *sheet) {
	s.each(func(op operation) {
		first, err := s.send(op, s.client)
		s.must(string(op.kind), err)
		if s.deduplicated(op) {
			again, err := s.send(op, s.client)
			s.must(string(op.kind)+", asked again with the same key", err)
			if first != again {
				s.Errorf("%s: the same key was answered %q, and then %q", op.kind, first, again)
			}
		}
		op.one()
	})
}

func repeatSameBytes(s *sheet) {
	fresh := s.another(s.wire.url)
	s.each(func(op operation) {
		_, err := s.send(op, s.client)
		s.must(string(op.kind), err)
		first := s.wire.asks()
		if len(first) == 0 && !s.onlyReads(op) {
			s.fatalf("%s: nothing was asked of the provider", op.kind)
		}
		for name, c := range map[string]*plugin.Client{"again": s.client, "by a fresh process": fresh.client} {
			time.Sleep(2 * time.Millisecond) // so that a clock shows
			s.wire.clean()
			_, _ = s.send(op, c) // the answer is another rule's
			again := s.wire.asks()
			// Fewer is fine: a read may have shown that it is done.
			if len(again) > len(first) || !slices.Equal(again, first[:len(again)]) {
				s.Errorf("%s: sent %s it is\n%+v\nat first it was\n%+v", op.kind, name, again, first)
			}
		}
	})
}

func repeatNeverAlone(s *sheet) {
	for _, f := range []standin.Fault{{Action: standin.Status, StatusCode: 500}, {Action: standin.Status, StatusCode: 429}, {Action: standin.DropBefore}} {
		s.each(func(op operation) {
			s.wire.disturb(f)
			_, _ = s.send(op, s.client)
			if asks := s.wire.asks(); len(asks) > 1 {
				s.Errorf("%s: after %s %d the plugin sent %d requests by itself, want 1: %+v", op.kind, f.Action, f.StatusCode, len(asks), asks)
			}
		})
	}
}

// impatience is a deadline before a slow provider's answer.
const impatience = 450 * time.Millisecond

// unknown disturbs each operation, demands that the plugin does not claim to
// know, and that the repeat under the same key ends in one effect.
func (s *sheet) unknown(f standin.Fault) {
	s.each(func(op operation) {
		limit := patience
		if f.Action == standin.Delay {
			limit = impatience
		}
		s.wire.disturb(f)
		ctx, cancel := s.within(limit)
		answer, err := op.send(ctx, s.client)
		cancel()
		asks, reads := s.wire.asks(), s.wire.sent()
		if len(asks) == 0 && !s.onlyReads(op) {
			s.fatalf("%s: nothing was asked of the provider: %s, %v", op.kind, class(err), err)
		}
		if reads > len(asks) && err == nil { // it looked, instead of guessing: is it true?
			s.wire.clean()
			op.one()
			return
		}
		if got := class(err); got != unknown {
			s.Errorf("%s: the outcome is %s (%s, %v), want a plain error", op.kind, got, answer, err)
			return
		}
		s.wire.clean()
		if s.deduplicated(op) {
			s.converge(op)
			op.one()
		}
	})
}

// converge repeats as the hub does, until the provider tells.
func (s *sheet) converge(op operation) {
	s.Helper()
	for deadline := time.Now().Add(s.settling()); ; time.Sleep(100 * time.Millisecond) {
		_, err := s.send(op, s.client)
		switch got := class(err); {
		case err == nil:
			return
		case got != unknown && got != "NotSent":
			s.fatalf("%s: the repeat under the same key is %s: %v", op.kind, got, err)
		case time.Now().After(deadline):
			s.fatalf("%s: after %s the repeat under the same key is still %s: %v", op.kind, s.settling(), got, err)
		}
	}
}

func refusedNotFinal(s *sheet) {
	for _, status := range []int{401, 403, 429, 503} {
		s.each(func(op operation) {
			s.wire.disturb(standin.Fault{Action: standin.Status, StatusCode: status, Body: `{"message":"not now"}`})
			_, err := s.send(op, s.client)
			if got := class(err); got != unknown && got != "NotSent" && !s.onlyReads(op) {
				s.Errorf("%s: HTTP %d is %s (%v), want NotSent or a plain error", op.kind, status, got, err)
			}
		})
	}
}

// noConnection asks a process whose provider is nowhere.
func noConnection(s *sheet) {
	lost := s.another("http://" + nowhere)
	s.each(func(op operation) {
		_, err := s.send(op, lost.client)
		if got := class(err); got != unknown && got != "NotSent" {
			s.Errorf("%s: without a connection it is %s (%v), want NotSent or a plain error", op.kind, got, err)
		}
	})
}

func canceledCall(s *sheet) {
	kinds := s.kinds()
	if len(kinds) == 0 {
		s.fatalf("nothing can be asked in this flow")
	}
	op := s.prepare(kinds[0])
	s.wire.clean()
	s.wire.disturb(standin.Fault{Action: standin.Delay, DelayMS: 10_000})
	tap := s.wire.tap.Load()
	ctx, cancel := context.WithCancel(s.Context())
	defer cancel()
	done := make(chan error, 1)
	go func() {
		_, err := op.send(ctx, s.client)
		done <- err
	}()
	select {
	case <-tap.asked:
	case <-time.After(s.settling()):
		s.fatalf("%s: nothing was asked of the provider", op.kind)
	}
	cancel()
	if err := <-done; class(err) != unknown {
		s.Errorf("%s: given up in the middle it is %s (%v), want a plain error", op.kind, class(err), err)
	}
	select {
	case <-tap.hungUp:
	case <-time.After(5 * time.Second): // much longer than it takes on a busy machine
		s.Errorf("%s: seconds after the call was given up its request still waits for an answer", op.kind)
	}
}

// unknowns are the ways in which an answer can fail to arrive.
var unknowns = []rule{
	unknownAfter("slow", standin.Fault{Action: standin.Delay, DelayMS: 900},
		"A deadline that passed is a plain error: the request may have had its effect."),
	unknownAfter("cut", standin.Fault{Action: standin.Cut},
		"An answer that ends in the middle is a plain error, even if what arrived looks whole."),
	unknownAfter("empty", standin.Fault{Action: standin.Empty},
		"200 without a body is no success: demand the id and the status that you return."),
	unknownAfter("html", standin.Fault{Action: standin.HTML},
		"200 with a page of some proxy is no success: demand JSON with the id and the status that you return."),
	unknownAfter("500", standin.Fault{Action: standin.Status, StatusCode: http.StatusInternalServerError, Body: `{"error":{"code":"internal"}}`},
		"5xx is a plain error: the provider does not know either."),
	unknownAfter("dropped_before", standin.Fault{Action: standin.DropBefore},
		"A connection that breaks is a plain error: from here it looks the same whether the request arrived."),
	unknownAfter("dropped_after", standin.Fault{Action: standin.DropAfter},
		"A connection that breaks is a plain error: the request may have had its effect."),
}

func unknownAfter(name string, f standin.Fault, advice string) rule {
	return rule{
		name: "unknown_" + name, flow: func(s *sheet) { s.unknown(f) },
		advice: advice + " Only what you can prove is Rejected or NotSent. The repeat under the same key then ends in one effect.",
	}
}
