package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

const (
	together   = 128                   // askers that share a statement at most
	worthWhile = 16                    // askers for another statement beside one under way
	patience   = 50 * time.Millisecond // after which fewer will do
	groupTime  = 10 * time.Second      // of a statement that belongs to no single asker
)

// group lets those who ask the same at the same moment share one statement,
// and one wait for the disk. Who comes alone is answered at once, by the
// statement that all use; while one is under way, the others wait and are taken
// together by the next one: more of them in fewer statements are less work for
// PostgreSQL than all of its cores busy with few. If a shared statement fails,
// each of its askers asks by itself, so that one meets nobody else's trouble; who
// has to wait for somebody's lock is kept apart from then on.
type group[A, R any] struct {
	atOnce int // statements under way, at most
	run    func(context.Context, []A) ([]R, error)
	// clash names what no two in one statement may have in common: an order, a
	// key, an event. Nil: nothing.
	clash func(A) []string
	// findOut answers one asker whose statement was sent and not answered: it may
	// have been done. With it, a statement that is under way outlasts the context
	// of its asker, who waits for the answer. Nil: repeating run is harmless, and
	// whoever gives up does not care what becomes of it.
	findOut func(context.Context, A) (R, error)

	apart   apart
	mu      sync.Mutex
	busy    int
	waiting []*asker[A, R]
}

type asker[A, R any] struct {
	asks   A
	answer chan answer[R]
}

// answer is what a shared statement has for one of its askers.
type answer[R any] struct {
	result R
	err    error // of the statement: certain says whether it may have been done
}

// do runs the statement for one asker. An error of ctx says that nothing was
// done, if there is a findOut; else it leaves that open.
func (g *group[A, R]) do(ctx context.Context, asks A) (R, error) {
	if names, apart := g.kept(asks); apart {
		return g.wait(ctx, asks, names)
	}
	g.mu.Lock()
	if g.busy == 0 {
		g.busy++
		g.mu.Unlock()
		result, err := g.first(ctx, asks)
		return g.settle(ctx, asks, result, err)
	}
	a := &asker[A, R]{asks, make(chan answer[R], 1)}
	g.waiting = append(g.waiting, a)
	g.begin(len(g.waiting) >= worthWhile)
	g.mu.Unlock()
	slow := time.NewTimer(patience)
	defer slow.Stop()
	for {
		select {
		case answer := <-a.answer:
			return g.shared(ctx, a, answer)
		case <-slow.C: // the one under way hangs, perhaps: it waits for a row, or its connection is dead
			g.mu.Lock()
			g.begin(true)
			g.mu.Unlock()
			slow.Reset(patience) // there may have been no place
		case <-ctx.Done():
			return g.giveUp(ctx, a)
		}
	}
}

// giveUp ends the wait of an asker whose time is up. One that was not taken yet
// is taken out, and nothing is done. One whose statement is under way waits for
// its answer: it must not be done behind the back of somebody who left.
func (g *group[A, R]) giveUp(ctx context.Context, a *asker[A, R]) (none R, err error) {
	g.mu.Lock()
	at := slices.Index(g.waiting, a)
	if at >= 0 {
		g.waiting = slices.Delete(g.waiting, at, at+1)
	}
	g.mu.Unlock()
	if at >= 0 || g.findOut == nil {
		return none, ctx.Err()
	}
	hangs := time.NewTimer(2 * groupTime)
	defer hangs.Stop()
	select {
	case answer := <-a.answer:
		return g.shared(ctx, a, answer)
	case <-hangs.C: // its connection is dead, and nobody noticed
		return none, fmt.Errorf("%w: the statement does not end", ErrUncertain)
	}
}

// shared is the answer of a shared statement to one of its askers. After a
// failure that did nothing, the asker runs its own.
func (g *group[A, R]) shared(ctx context.Context, a *asker[A, R], answer answer[R]) (R, error) {
	if answer.err == nil {
		return answer.result, nil
	}
	if g.findOut != nil && !certain(answer.err) {
		return g.findOut(ctx, a.asks)
	}
	if names, apart := g.kept(a.asks); apart {
		return g.wait(ctx, a.asks, names)
	}
	result, err := g.alone(ctx, a.asks)
	return g.settle(ctx, a.asks, result, err)
}

// settle returns how an asker's own statement ended, and finds that out if its
// answer was lost.
func (g *group[A, R]) settle(ctx context.Context, asks A, result R, err error) (R, error) {
	if err == nil || g.findOut == nil || certain(err) {
		return result, err
	}
	return g.findOut(ctx, asks)
}

// first runs the statement of one asker in a place that it holds.
func (g *group[A, R]) first(ctx context.Context, asks A) (R, error) {
	defer g.next()
	return g.alone(ctx, asks)
}

func (g *group[A, R]) alone(ctx context.Context, asks A) (r R, err error) {
	if ctx.Err() != nil {
		return r, unsentError{ctx.Err()}
	}
	if g.findOut != nil {
		ctx = context.WithoutCancel(ctx)
	}
	answers, err := g.run(answerWithin(ctx, groupTime), []A{asks})
	if g.clash != nil && (locked(err) || g.apart.any()) {
		g.apart.waited(g.clash(asks), locked(err))
	}
	if err != nil {
		return r, err
	}
	return answers[0], nil
}

// kept reports whether an asker is kept apart, and its names.
func (g *group[A, R]) kept(asks A) (names []string, apart bool) {
	if g.clash == nil || !g.apart.any() {
		return nil, false
	}
	names = g.clash(asks)
	return names, g.apart.keeps(names)
}

// next gives the place of a statement that ended to those who wait, unless they
// are few and another is under way.
func (g *group[A, R]) next() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.busy--
	g.begin(len(g.waiting) >= worthWhile)
}

// begin starts a statement of those who wait, if none is under way; another
// beside it only where that is worth its price.
func (g *group[A, R]) begin(another bool) {
	if len(g.waiting) == 0 || g.busy > 0 && !(another && g.busy < g.atOnce) {
		return
	}
	if taken := g.take(); len(taken) > 0 {
		g.busy++
		go g.share(taken)
	}
}

// take takes who may share a statement, in the order in which they came.
func (g *group[A, R]) take() (taken []*asker[A, R]) {
	seen := map[string]bool{}
	var left []*asker[A, R]
	for _, a := range g.waiting {
		if _, apart := g.kept(a.asks); apart { // since it began to wait
			a.answer <- answer[R]{err: unsentError{ErrLocked}}
			continue
		}
		var names []string
		if g.clash != nil {
			names = g.clash(a.asks)
		}
		fits := len(taken) < together
		for _, name := range names {
			fits = fits && !seen[name]
		}
		if !fits {
			left = append(left, a)
			continue
		}
		for _, name := range names {
			seen[name] = true
		}
		taken = append(taken, a)
	}
	g.waiting = left
	return taken
}

// errPanicked is what a shared statement ends with whose code panicked.
var errPanicked = errors.New("panic in a shared statement")

// share runs one statement for all of them.
func (g *group[A, R]) share(askers []*asker[A, R]) {
	defer g.next()
	var answers []R
	err := errPanicked
	defer func() {
		_ = recover() // who caused a panic meets it again by himself
		for i, a := range askers {
			if err != nil {
				a.answer <- answer[R]{err: err}
			} else {
				a.answer <- answer[R]{result: answers[i]}
			}
		}
	}()
	asked := make([]A, len(askers))
	for i, a := range askers {
		asked[i] = a.asks
	}
	answers, err = g.run(answerWithin(context.Background(), groupTime), asked)
}
