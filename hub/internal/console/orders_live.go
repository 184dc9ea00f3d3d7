package console

import (
	"fmt"
	"net/url"

	"github.com/gofiber/fiber/v2"
)

// ordersLive answers the probe of a list that is looked at: nothing where
// nothing changed, else the rows as they are now. While the reader is in the
// middle of the list (busy), rows change but do not move, and what is new is
// counted.
func (s *server) ordersLive(c *fiber.Ctx, p *page) error {
	values, err := url.ParseQuery(string(c.Request().URI().QueryString()))
	if err != nil {
		return fiber.NewError(fiber.StatusBadRequest)
	}
	newest, seen, busy := values.Get("newest"), values.Get("seen"), values.Get("busy") == "1"
	for _, key := range []string{"newest", "seen", "busy"} {
		values.Del(key)
	}
	d := &ordersData{Filter: readOrderFilter(values, p), Busy: busy, Fresh: map[string]bool{}}
	search := d.Filter.search
	first := search.After == "" && search.Before == "" && !search.Oldest
	if first && newest != "" && oneWord.MatchString(newest) {
		count := search
		count.Before = newest
		if d.New, err = s.DB.CountOrders(c.UserContext(), count, 100); err != nil {
			return err
		}
	}
	if busy && d.New > 0 {
		search.After = newest + "~" // no order moves, and the newest one stays
	}
	if err := s.readOrders(c, d, search); err != nil {
		return err
	}
	if now := fmt.Sprintf("%s-%d", d.Seen, d.waiting()); now == seen {
		return c.SendStatus(fiber.StatusNoContent)
	}
	if !busy {
		for _, o := range d.Rows {
			d.Fresh[o.ID] = d.New > 0 && o.ID > newest
		}
		d.New = 0
	}
	c.Request().Header.Set("HX-Target", "rows")
	return s.render(c, p, "orders", d)
}

// waiting is how many new orders are counted but not shown.
func (d *ordersData) waiting() int {
	if d.Busy {
		return d.New
	}
	return 0
}

// Probe is the query that asks what changed since.
func (d *ordersData) Probe() string {
	values := url.Values{}
	for k, list := range d.Filter.values {
		values[k] = list
	}
	values.Set("newest", d.Newest)
	values.Set("seen", fmt.Sprintf("%s-%d", d.Seen, d.waiting()))
	return values.Encode()
}
