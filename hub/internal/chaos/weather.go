package chaos

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// trouble is one setting of a sandbox that disturbs all of a provider's payments, with the
// values that turn it on and off again.
type trouble struct {
	name, provider, door string
	set, back            map[string]any
}

var fair = map[string]any{}

// troubles are what can go wrong at a provider for all orders at once. A list that
// forgets is not among them: after the database went back in time, nobody could find
// again what such a list leaves out.
var troubles = []trouble{
	{"lists 429", "stripe", "knobs", map[string]any{"list_status": 429}, fair},
	{"lists 403", "stripe", "knobs", map[string]any{"list_status": 403}, fair},
	{"lists 503", "stripe", "knobs", map[string]any{"list_status": 503}, fair},
	{"lists slow", "stripe", "knobs", map[string]any{"list_delay": "700ms"}, fair},
	{"late fees", "stripe", "knobs", map[string]any{"fee_delay": "1s"}, fair},
	{"used keys answer", "stripe", "knobs", map[string]any{"replay_any": true}, fair},
	{"disputes 403", "paypal", "permissions", map[string]any{"disputes": false}, map[string]any{"disputes": true}},
	{"fees kept", "paypal", "refunds", map[string]any{"keep_fees": true}, fair},
}

// troubled is how long a trouble lasts; calm is the longest pause before the next one.
const (
	troubled = 1500 * time.Millisecond
	calm     = 3 * time.Second
)

// weather has one trouble after the other come and go, by the seed, until stop.
func (c *campaign) weather() (stop func()) {
	end, ended := make(chan struct{}), make(chan struct{})
	r := rand.New(rand.NewPCG(c.Seed, 3)) //nolint:gosec // the seed makes it repeatable
	wait := func(d time.Duration) bool {
		select {
		case <-time.After(d):
			return true
		case <-end:
			return false
		}
	}
	go func() {
		defer close(ended)
		for wait(time.Duration(r.Int64N(int64(calm)))) {
			t := troubles[r.IntN(len(troubles))]
			stand := c.stands[t.provider]
			if err := stand.Set(c.ctx, t.door, t.set); err != nil {
				fmt.Fprintln(c.Say, "trouble", t.name, err)
				continue
			}
			c.faults.add("provider: "+t.name, 1)
			wait(troubled)
			if err := stand.Set(c.ctx, t.door, t.back); err != nil {
				fmt.Fprintln(c.Say, "end of trouble", t.name, err)
			}
		}
	}()
	return func() { close(end); <-ended }
}
