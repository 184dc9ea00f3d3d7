package postgres

import (
	"context"
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
// each of its askers asks by itself, so that one meets nobody else's trouble.
type group[A, R any] struct {
	atOnce int // statements under way, at most
	run    func(context.Context, []A) ([]R, error)
	// clash names what no two in one statement may have in common: an order, a
	// key, an event. Nil: nothing.
	clash func(A) []string

	mu      sync.Mutex
	busy    int
	waiting []*asker[A, R]
}

type asker[A, R any] struct {
	asks   A
	answer chan *R // nil: nothing was done, ask by yourself
}

// do runs the statement for one asker. An error of ctx leaves open whether it
// was done.
func (g *group[A, R]) do(ctx context.Context, asks A) (R, error) {
	g.mu.Lock()
	if g.busy == 0 {
		g.busy++
		g.mu.Unlock()
		defer g.next()
		return g.alone(ctx, asks)
	}
	a := &asker[A, R]{asks, make(chan *R, 1)}
	g.waiting = append(g.waiting, a)
	g.begin(len(g.waiting) >= worthWhile)
	g.mu.Unlock()
	slow := time.NewTimer(patience)
	defer slow.Stop()
	for {
		select {
		case answer := <-a.answer:
			if answer == nil {
				return g.alone(ctx, asks)
			}
			return *answer, nil
		case <-slow.C: // the one under way hangs, perhaps: it waits for a row, or its connection is dead
			g.mu.Lock()
			g.begin(true)
			g.mu.Unlock()
			slow.Reset(patience) // there may have been no place
		case <-ctx.Done():
			var none R
			return none, ctx.Err()
		}
	}
}

func (g *group[A, R]) alone(ctx context.Context, asks A) (r R, err error) {
	answers, err := g.run(ctx, []A{asks})
	if err != nil {
		return r, err
	}
	return answers[0], nil
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
	if len(g.waiting) > 0 && (g.busy == 0 || another && g.busy < g.atOnce) {
		g.busy++
		go g.share(g.take())
	}
}

// take takes who may share a statement, in the order in which they came.
func (g *group[A, R]) take() (taken []*asker[A, R]) {
	seen := map[string]bool{}
	var left []*asker[A, R]
	for _, a := range g.waiting {
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

// share runs one statement for all of them.
func (g *group[A, R]) share(askers []*asker[A, R]) {
	defer g.next()
	var answers []R
	defer func() {
		_ = recover() // who caused a panic meets it again by himself
		for i, a := range askers {
			if answers == nil {
				a.answer <- nil
			} else {
				a.answer <- &answers[i]
			}
		}
	}()
	ctx, cancel := context.WithTimeout(context.Background(), groupTime)
	defer cancel()
	asked := make([]A, len(askers))
	for i, a := range askers {
		asked[i] = a.asks
	}
	if all, err := g.run(ctx, asked); err == nil {
		answers = all
	}
}
