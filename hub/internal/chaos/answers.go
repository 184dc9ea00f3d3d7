package chaos

import (
	"math/rand/v2"
	"sync/atomic"

	"github.com/superpayhub/superpay/hub/internal/devpg/pgproxy"
)

// cutAnswers puts a proxy between the hubs and PostgreSQL. It cuts the
// connection of one commit in Answers, before the commit, between the commit and
// its answer, or after the answer; most often in the middle, where the hub does
// not know what was done.
func (c *campaign) cutAnswers(databaseURL string) (string, error) {
	proxy, err := pgproxy.Start(databaseURL)
	if err != nil {
		return "", err
	}
	c.database = proxy
	const shares = 4
	moments := [shares]pgproxy.Moment{pgproxy.Before, pgproxy.Unanswered, pgproxy.Unanswered, pgproxy.After}
	for i, moment := range moments {
		proxy.Cut(pgproxy.Rule{
			Moment: moment, Reset: i == 1, Times: 1 << 30,
			Match: c.oneIn(shares*c.Answers, uint64(i), pgproxy.Writes("orders", "callbacks")),
			Then:  func() { c.faults.add("commit cut "+moment.String(), 1) },
		})
	}
	return proxy.URL(), nil
}

// oneIn matches about one in n of the statements that match, as the seed has it.
func (c *campaign) oneIn(n int, stream uint64, match func(string) bool) func(string) bool {
	var count atomic.Uint64
	return func(sql string) bool {
		if !match(sql) {
			return false
		}
		dice := rand.New(rand.NewPCG(c.Seed, stream<<32|count.Add(1)))
		return dice.IntN(n) == 0
	}
}

// mendAnswers ends the cutting.
func (c *campaign) mendAnswers() { c.database.Lift() }
