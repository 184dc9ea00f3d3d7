package chaos

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// trouble is a bad time of a provider's, for all of its payments: what a control API of
// the sandboxes sets, and sets back.
type trouble struct {
	name, provider, door string
	set, back            map[string]any
}

var fair = map[string]any{}

// troubles are those that no single order's fault can be. A list of short memory is
// none: what the database lost and no list tells of is gone, whatever the hubs do.
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

// troubled is how long each lasts, and calm how long it is quiet after it, at most.
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
