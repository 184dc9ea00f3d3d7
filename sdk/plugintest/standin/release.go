package standin

import (
	"math/rand/v2"
	"slices"
)

// ReleaseOrder says in which order withheld callbacks go out. Its zero value is
// the order in which they were made.
type ReleaseOrder struct {
	Reverse bool   `json:"reverse,omitempty"`
	Seed    uint64 `json:"seed,omitempty"` // not 0: shuffled
}

// Release sends what is withheld, one first try after the other so that the
// order is the one asked for, and returns how many there are.
func (d *Deliverer) Release(order ReleaseOrder) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.release(d.withheld(""), order)
}

func (d *Deliverer) release(batch []*Callback, order ReleaseOrder) int {
	for _, c := range batch {
		c.State = Pending
	}
	if order.Reverse {
		slices.Reverse(batch)
	}
	if order.Seed != 0 {
		random := rand.New(rand.NewPCG(order.Seed, order.Seed))
		random.Shuffle(len(batch), func(i, j int) { batch[i], batch[j] = batch[j], batch[i] })
	}
	if d.closed || len(batch) == 0 {
		return len(batch)
	}
	d.wait.Go(func() {
		for _, c := range batch {
			if !d.try(c) {
				d.mu.Lock()
				if !d.closed {
					d.start(c, d.opts.Backoff[0])
				}
				d.mu.Unlock()
			}
		}
	})
	return len(batch)
}

// withheld are the callbacks that a fault keeps back, oldest first; "" is any.
func (d *Deliverer) withheld(fault string) (held []*Callback) {
	for _, c := range d.list {
		if c.State == Withheld && (fault == "" || c.heldBy == fault) {
			held = append(held, c)
		}
	}
	return held
}
