package console

import (
	"net/url"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
)

// listing is the state of a filtered list, which stands whole in its address.
type listing struct {
	path   string // of the page
	values url.Values
}

// listing reads the keys that a list knows. Empty ones are left out.
func (s *server) listing(c *fiber.Ctx, path string, keys ...string) listing {
	l := listing{s.url(path), url.Values{}}
	for _, key := range keys {
		if v := strings.TrimSpace(c.Query(key)); v != "" {
			l.values.Set(key, v)
		}
	}
	return l
}

// Value is what is filtered for, or "".
func (l listing) Value(key string) string { return l.values.Get(key) }

// Narrowed reports whether anything is left out, apart from the page.
func (l listing) Narrowed() bool { return len(l.with("after", "").values) > 0 }

// Query is the filter as text, without the page.
func (l listing) Query() string { return l.with("after", "").values.Encode() }

// URL is the address of the same list.
func (l listing) URL() string {
	if len(l.values) == 0 {
		return l.path
	}
	return l.path + "?" + l.values.Encode()
}

// Clear is the address of the whole list.
func (l listing) Clear() string { return l.path }

// with is the list with another value; an empty one takes the key away.
func (l listing) with(key, value string) listing {
	values := url.Values{}
	for k, v := range l.values {
		values[k] = v
	}
	if values.Del(key); value != "" {
		values.Set(key, value)
	}
	return listing{l.path, values}
}

// pages are the addresses of the first page and of the next one: rows are the
// ids read, one more than fit if there is another page.
func (l listing) pages(size int, ids []string) (first, older string) {
	if l.Value("after") != "" {
		first = l.with("after", "").URL()
	}
	if len(ids) > size {
		older = l.with("after", ids[size-1]).URL()
	}
	return first, older
}

// day is the first moment of a day in the reader's zone, that many days later.
// What is not a day is a problem of that field; nothing is the zero time.
func (p *page) day(field, value string, add int) time.Time {
	if value == "" {
		return time.Time{}
	}
	t, err := time.ParseInLocation(time.DateOnly, value, p.Zone)
	if err != nil {
		p.blame(field, "problem.day")
		return time.Time{}
	}
	return t.AddDate(0, 0, add)
}
