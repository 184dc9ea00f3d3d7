package sandbox

import "slices"

// listing is what every list endpoint takes: a page, and a range of creation.
type listing struct {
	limit         int64
	after, before string
	created       func(int64) bool
}

func (c *call) listing() listing {
	l := listing{limit: 10, after: c.text("starting_after", 255), before: c.text("ending_before", 255)}
	if n, sent := c.integer("limit"); sent {
		l.limit = n
		if n < 1 || n > 100 {
			c.fail(invalid("", "limit", "Invalid integer: limit must be between 1 and 100"))
		}
	}
	if l.after != "" && l.before != "" {
		c.fail(invalid("", "", "You cannot parameterize a list with both ending_before and starting_after"))
	}
	var tests []func(int64) bool
	for name, test := range map[string]func(made, n int64) bool{
		"created":      func(made, n int64) bool { return made == n },
		"created[gt]":  func(made, n int64) bool { return made > n },
		"created[gte]": func(made, n int64) bool { return made >= n },
		"created[lt]":  func(made, n int64) bool { return made < n },
		"created[lte]": func(made, n int64) bool { return made <= n },
	} {
		if n, sent := c.integer(name); sent {
			tests = append(tests, func(made int64) bool { return test(made, n) })
		}
	}
	l.created = func(made int64) bool {
		return !slices.ContainsFunc(tests, func(test func(int64) bool) bool { return !test(made) })
	}
	return l
}

// page answers a list request, newest first. Like Stripe's, ending_before
// gives the page just before the object, still newest first.
func page[T object](c *call, l listing, t *table[T], kind string, keep func(T) bool) (any, *apiError) {
	if e := c.done(); e != nil {
		return nil, e
	}
	for param, id := range map[string]string{"starting_after": l.after, "ending_before": l.before} {
		if _, ok := t.get(id); id != "" && !ok {
			return nil, missing(kind, param, id)
		}
	}
	var picked []T
	more, open := false, l.after == ""
	visit := func(row T) bool {
		switch {
		case row.key() == l.before:
			return false
		case !open:
			open = row.key() == l.after
		case !keep(row) || !l.created(row.made()) || kind != "webhook_endpoint" && c.s.forgotten(row.made()):
		case l.before == "" && int64(len(picked)) == l.limit:
			more = true
			return false
		default:
			picked = append(picked, row)
		}
		return true
	}
	for _, row := range slices.Backward(t.rows) {
		if !visit(row) {
			break
		}
	}
	if over := len(picked) - int(l.limit); l.before != "" && over > 0 {
		picked, more = picked[over:], true
	}
	data := make([]any, len(picked))
	for i, row := range picked {
		data[i] = c.s.render(row, c.expandInList()...)
	}
	return c.s.listOf(data, more, c.r.URL.Path), nil
}

func all[T any](T) bool { return true }
