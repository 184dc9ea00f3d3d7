package console

import (
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/hub/internal/postgres"
)

const pageRows = 50

// orderFilter is a list's filter as it stands in the address: all of its state
// is there, so that back, bookmark and paste work.
type orderFilter struct {
	values url.Values
	search postgres.OrderSearch
	wrong  []string // keys that mean nothing, or whose value does not
}

// orderKeys are what an address of the list may carry.
var orderKeys = []string{
	"status", "attention", "disputed", "unknown", "refund_failed", "older", "reference", "provider", "flow", "app", "mode",
	"currency", "min", "max", "range", "from", "to", "tz", "sort", "limit", "after", "before", "live",
}

// pageKeys are about how the list is shown, not about what is in it.
var pageKeys = []string{"sort", "limit", "after", "before", "live", "tz"}

var orderStatuses = []string{"open", "pending", "authorized", "paid", "partially_refunded", "refunded", "canceled", "expired"}

// ranges of time, back from now.
var ranges = map[string]time.Duration{
	"1h": time.Hour, "24h": 24 * time.Hour, "7d": 7 * 24 * time.Hour, "30d": 30 * 24 * time.Hour, "90d": 90 * 24 * time.Hour,
}

var rangeNames = []string{"1h", "24h", "7d", "30d", "90d"}

var (
	decimal  = regexp.MustCompile(`^[0-9]{1,12}(\.[0-9]{1,4})?$`)
	oneWord  = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,80}$`)
	currency = regexp.MustCompile(`^[A-Z]{3}$`)
)

// readOrderFilter reads an address's query. What it cannot use it tells, and
// leaves out.
func readOrderFilter(values url.Values, p *page) orderFilter {
	f := orderFilter{values: url.Values{}}
	s := &f.search
	zone := p.Zone
	if z, err := time.LoadLocation(values.Get("tz")); err == nil && values.Has("tz") && values.Get("tz") != "" {
		zone = z
	}
	for key, list := range values {
		list = slices.DeleteFunc(slices.Clone(list), func(v string) bool { return v == "" })
		if len(list) == 0 {
			continue
		}
		if !slices.Contains(orderKeys, key) || key != "status" && len(list) > 1 || !f.read(s, key, list, zone, p.Now) {
			f.wrong = append(f.wrong, key)
			continue
		}
		f.values[key] = list
	}
	slices.Sort(f.wrong)
	if s.Limit == 0 {
		s.Limit = pageRows
	}
	return f
}

func (f *orderFilter) read(s *postgres.OrderSearch, key string, list []string, zone *time.Location, now time.Time) bool {
	v := list[0]
	text := func(to *string, ok bool) bool {
		if ok {
			*to = v
		}
		return ok
	}
	flag := func(to *bool) bool { *to = v == "1"; return *to }
	switch key {
	case "status":
		for _, one := range list {
			if !slices.Contains(orderStatuses, one) {
				return false
			}
		}
		s.Status = slices.Compact(slices.Sorted(slices.Values(list)))
		return true
	case "attention":
		return flag(&s.Attention)
	case "disputed":
		return flag(&s.Disputed)
	case "unknown":
		return flag(&s.Unknown)
	case "refund_failed":
		return flag(&s.RefundFailed)
	case "reference":
		return text(&s.Reference, len(v) <= 200)
	case "provider":
		return text(&s.Provider, oneWord.MatchString(v))
	case "flow":
		provider, flow, ok := strings.Cut(v, ".") // no index is by flow alone
		if ok = ok && oneWord.MatchString(provider) && oneWord.MatchString(flow); ok {
			s.Provider, s.Flow = provider, flow
		}
		return ok
	case "app":
		return text(&s.AppID, oneWord.MatchString(v))
	case "mode":
		return text(&s.Mode, v == "live" || v == "test")
	case "currency":
		return text(&s.Currency, currency.MatchString(v))
	case "min":
		return text(&s.Min, decimal.MatchString(v))
	case "max":
		return text(&s.Max, decimal.MatchString(v))
	case "after":
		return text(&s.After, ledger.ValidID(ledger.OrderID, v))
	case "before":
		return text(&s.Before, ledger.ValidID(ledger.OrderID, v))
	case "sort":
		s.Oldest = v == "oldest"
		return v == "oldest" || v == "newest"
	case "limit":
		n, err := strconv.Atoi(v)
		if err != nil || n < 10 || n > 200 {
			return false
		}
		s.Limit = n
		return true
	case "live":
		return v == "0"
	case "tz":
		_, err := time.LoadLocation(v)
		return err == nil
	}
	return f.readTime(s, key, v, zone, now)
}

func (f *orderFilter) readTime(s *postgres.OrderSearch, key, v string, zone *time.Location, now time.Time) bool {
	if key == "range" || key == "older" {
		d, ok := ranges[v]
		switch {
		case !ok:
			return false
		case key == "range":
			s.From = now.Add(-d)
		default:
			s.To = now.Add(-d)
		}
		return true
	}
	for _, format := range []string{"2006-01-02", "2006-01-02T15:04", "2006-01-02T15:04:05", time.RFC3339} {
		t, err := time.ParseInLocation(format, v, zone)
		if err != nil {
			continue
		}
		if key == "from" {
			s.From = t
		} else if s.To = t; format == "2006-01-02" {
			s.To = t.AddDate(0, 0, 1) // that day too
		}
		return true
	}
	return false
}

// clean reports whether the address is as it should be: without empty keys.
func clean(values url.Values) bool {
	for _, list := range values {
		if slices.Contains(list, "") {
			return false
		}
	}
	return true
}

// tidy drops what is empty.
func tidy(values url.Values) url.Values {
	out := url.Values{}
	for key, list := range values {
		for _, v := range list {
			if v != "" {
				out.Add(key, v)
			}
		}
	}
	return out
}

// with is the query with a key set to another value, "" without it. A change of
// what is in the list begins at its first page.
func (f orderFilter) with(key, value string) string {
	out := url.Values{}
	for k, list := range f.values {
		out[k] = list
	}
	if !slices.Contains([]string{"after", "before"}, key) || value == "" {
		out.Del("after")
		out.Del("before")
	}
	if out.Del(key); value != "" {
		out.Set(key, value)
		switch key {
		case "after":
			out.Del("before")
		case "before":
			out.Del("after")
		}
	}
	return out.Encode()
}

// without is the query without one value of a key.
func (f orderFilter) without(key, value string) string {
	rest := slices.DeleteFunc(slices.Clone(f.values[key]), func(v string) bool { return v == value })
	out, _ := url.ParseQuery(f.with(key, ""))
	if len(rest) > 0 {
		out[key] = rest
	}
	return out.Encode()
}

// narrowed are the keys that narrow the list, in their order.
func (f orderFilter) narrowed() []string {
	var out []string
	for _, key := range orderKeys {
		if _, ok := f.values[key]; ok && !slices.Contains(pageKeys, key) {
			out = append(out, key)
		}
	}
	return out
}

// view is the query of what is in the list alone: what a saved view keeps.
func (f orderFilter) view() string {
	out := url.Values{}
	for _, key := range f.narrowed() {
		out[key] = f.values[key]
	}
	if f.search.Oldest {
		out.Set("sort", "oldest")
	}
	return out.Encode()
}

// Values and Oldest are for templates.
func (f orderFilter) Values() url.Values { return f.values }
func (f orderFilter) Oldest() bool       { return f.search.Oldest }
