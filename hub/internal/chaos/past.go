package chaos

import "strings"

// goBack has the database go back in time: at a third of the run it is copied,
// at a half the copy takes its place, under the running hubs.
func (c *campaign) goBack(o *order, first, last int) {
	var does crash
	switch o.n {
	case first + (last-first)/3:
		does = crash{"database copied", func(c *campaign, _ *order) error { return c.house.SnapshotPostgres(c.ctx) }}
	case first + (last-first)/2:
		does = crash{"database goes back in time", func(c *campaign, _ *order) error { return c.house.RestorePostgres(c.ctx) }}
	default:
		return
	}
	c.crashing.Go(func() { c.strike(does, o) })
}

// readListed reads which attempts' money is listed for a person because no
// order has them.
func (c *campaign) readListed() error {
	c.listed = map[string]bool{}
	if !c.has(GoesBack) {
		return nil
	}
	out, err := c.command("provider", "unmatched")
	if err != nil {
		return err
	}
	for _, word := range strings.Fields(out) {
		c.listed[word] = true
	}
	return nil
}

// forgotten reports whether an order that is not there any more is accounted
// for: the database went back, and what money it took is listed for a person.
func (c *campaign) forgotten(o *order, books map[string]*theirs) bool {
	if !c.has(GoesBack) {
		return false
	}
	for _, a := range o.last.Attempts {
		b := books[a.ID]
		if b != nil && len(b.captures) > 0 && !c.listed[a.ID] {
			return false
		}
	}
	return true
}
