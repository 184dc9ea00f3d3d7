package plugintest

import (
	"sync"
	"time"

	"github.com/superpayhub/superpay/sdk"
)

// crowd is how many calls come at once.
const crowd = 16

// atOnce runs f that many times at the same time.
func atOnce(f func(i int)) {
	var all sync.WaitGroup
	start := make(chan struct{})
	for i := range crowd {
		all.Go(func() { <-start; f(i) })
	}
	close(start)
	all.Wait()
}

func concurrentCalls(s *sheet) {
	attempts := make([]*attempt, crowd)
	for i := range attempts { // each of another amount, so that a mix-up shows
		attempts[i] = s.attempt(s.paper.Success, func(r *sdk.CheckoutRequest) { r.Amount.Amount += int64(i) * 100 })
	}
	ctx, cancel := s.within(patience)
	defer cancel()
	payments, errs := make([]*sdk.Payment, crowd), make([]error, crowd)
	atOnce(func(i int) { payments[i], errs[i] = s.client.CreateCheckout(ctx, attempts[i].request) })
	seen := map[sdk.Ref]bool{}
	for i, p := range payments {
		switch {
		case errs[i] != nil:
			s.Errorf("one of %d checkouts at once: %s: %v", crowd, class(errs[i]), errs[i])
		case len(p.Refs) == 0 || seen[p.Refs[0]]:
			s.Errorf("two of %d checkouts at once have the same payment, or one has none: %+v", crowd, p.Refs)
		case !p.Amount.Equal(attempts[i].request.Amount):
			s.Errorf("asked for %s among others, the payment is of %s", attempts[i].request.Amount, p.Amount)
		default:
			seen[p.Refs[0]] = true
		}
	}
}

func concurrentSameKey(s *sheet) {
	op := s.creation()
	if !s.deduplicated(op) {
		s.Logf("the provider does not deduplicate: the hub does not repeat")
		return
	}
	answers, errs := make([]string, crowd), make([]error, crowd)
	atOnce(func(i int) { answers[i], errs[i] = s.send(op, s.client) })
	first := ""
	for i, answer := range answers {
		switch got := class(errs[i]); {
		case errs[i] != nil && got != unknown && got != "NotSent":
			s.Errorf("one of %d sendings of a key at once is %s: %v", crowd, got, errs[i])
		case errs[i] == nil && first != "" && answer != first:
			s.Errorf("of %d sendings of a key at once one is answered %q, another %q", crowd, answer, first)
		case errs[i] == nil:
			first = answer
		}
	}
	s.converge(op)
	op.one()
}

func secretsStay(s *sheet) {
	time.Sleep(300 * time.Millisecond) // a log comes by a way of its own
	for _, leak := range s.ear.leaks() {
		s.Errorf("%s", leak)
	}
}
