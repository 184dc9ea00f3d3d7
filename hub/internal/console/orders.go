package console

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"html/template"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/superpayhub/superpay/hub/internal/access"
	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/hub/internal/postgres"
	"github.com/superpayhub/superpay/sdk"
)

func (s *server) orderRoutes() []route {
	return slices.Concat([]route{
		{fiber.MethodGet, "/orders", access.Viewer, s.orders},
		{fiber.MethodGet, "/orders/live", access.Viewer, s.ordersLive},
		{fiber.MethodGet, "/orders/count", access.Viewer, s.countOrders},
		{fiber.MethodPost, "/orders/views", access.Viewer, s.addView},
		{fiber.MethodPost, "/orders/views/:id/delete", access.Viewer, s.deleteView},
		{fiber.MethodGet, "/orders/export", access.Viewer, s.askExport},
		{fiber.MethodGet, "/exports/:id", access.Viewer, s.export},
		{fiber.MethodGet, "/exports/:id/orders.csv", access.Viewer, s.exportFile},
		{fiber.MethodGet, "/find", access.Viewer, s.find},
		{fiber.MethodGet, "/orders/:id", access.Viewer, s.order},
		{fiber.MethodGet, "/orders/:id/live", access.Viewer, s.orderLive},
	}, s.orderActRoutes())
}

// ordersData is what the list shows.
type ordersData struct {
	Filter orderFilter
	Rows   []postgres.OrderRow
	Names  postgres.OrderNames
	Views  []viewLink
	Chips  []chip

	Newest, Seen string          // what the live probe compares with
	Busy         bool            // the reader is in the middle of the list: rows do not move
	New          int             // orders that came since, and wait to be shown
	Fresh        map[string]bool // rows that were not there before
	Prev, Next   string          // queries of the neighbouring pages
	First        string          // query of the first page, with what is new
	More         bool
	Live         bool
}

type chip struct{ Label, Remove string }

// orders lists orders of all apps, the newest first.
func (s *server) orders(c *fiber.Ctx, p *page) error {
	values, err := url.ParseQuery(string(c.Request().URI().QueryString()))
	if err != nil {
		return fiber.NewError(fiber.StatusBadRequest)
	}
	if !clean(values) {
		return s.redirect(c, "/orders"+question(tidy(values).Encode()))
	}
	d := &ordersData{Filter: readOrderFilter(values, p)}
	if err := s.readOrders(c, d, d.Filter.search); err != nil {
		return err
	}
	ctx := c.UserContext()
	if d.Names, err = s.DB.OrderNames(ctx); err != nil {
		return err
	}
	if d.Views, err = s.orderViews(c, p, d.Filter); err != nil {
		return err
	}
	d.Chips = s.orderChips(p, d)
	p.Title, p.Screen, p.Wide = p.T("orders.title"), "orders", true
	return s.render(c, p, "orders", d)
}

// searchTime bounds a search whose filters are common, and go together only
// long ago.
const searchTime = 5 * time.Second

// readOrders reads a page and its neighbours.
func (s *server) readOrders(c *fiber.Ctx, d *ordersData, search postgres.OrderSearch) error {
	limit := search.Limit
	search.Limit = limit + 1 // one more tells whether there is another page
	ctx, cancel := context.WithTimeout(c.UserContext(), searchTime)
	defer cancel()
	rows, err := s.DB.SearchOrders(ctx, search)
	if errors.Is(err, context.DeadlineExceeded) || ctx.Err() != nil {
		return &ledger.Error{Kind: ledger.Unavailable, Code: "search_too_wide", Message: "this search takes too long: narrow it by time"}
	}
	if err != nil {
		return err
	}
	f := d.Filter
	down, up := "after", "before"
	if search.Oldest {
		down, up = up, down
	}
	goesUp := f.values.Has(up)
	if d.More = len(rows) > limit; d.More && goesUp {
		rows = rows[1:]
	} else if d.More {
		rows = rows[:limit]
	}
	d.Rows, d.First, d.Live = rows, f.with("after", ""), f.values.Get("live") != "0"
	if len(rows) > 0 {
		d.Newest = rows[0].ID
		if d.More || goesUp {
			d.Next = f.with(down, rows[len(rows)-1].ID)
		}
		if goesUp && d.More || f.values.Has(down) {
			d.Prev = f.with(up, rows[0].ID)
		}
	}
	sum := sha256.New()
	for _, o := range d.Rows {
		fmt.Fprintf(sum, "%s %d\n", o.ID, o.Version)
	}
	d.Seen = hex.EncodeToString(sum.Sum(nil)[:8])
	return nil
}

// orderChips are the filters in force, each with the way to drop it.
func (s *server) orderChips(p *page, d *ordersData) []chip {
	var out []chip
	for _, key := range d.Filter.narrowed() {
		for _, v := range d.Filter.values[key] {
			label := p.T("orders.filter."+key) + ": " + visible(v)
			switch key {
			case "status":
				label = p.T("status.order." + v)
			case "attention", "disputed", "unknown", "refund_failed":
				label = p.T("orders.view." + key)
			case "range", "older":
				label = p.T("orders."+key) + " " + p.T("orders.range."+v)
			case "mode":
				label = p.T("mode." + v)
			case "app":
				label = p.T("orders.filter.app") + ": " + d.appName(v)
			}
			out = append(out, chip{label, d.Filter.without(key, v)})
		}
	}
	return out
}

func (d *ordersData) appName(id string) string {
	for _, a := range d.Names.Apps {
		if a.ID == id {
			return visible(a.Name)
		}
	}
	return visible(id)
}

// Wrong are keys of the address that mean nothing.
func (d *ordersData) Wrong() []string { return d.Filter.wrong }

// Has reports whether the filter has that value.
func (d *ordersData) Has(key, value string) bool { return slices.Contains(d.Filter.values[key], value) }

// Value is what the filter has for a key.
func (d *ordersData) Value(key string) string { return d.Filter.values.Get(key) }

// Statuses, Ranges: what can be chosen.
func (d *ordersData) Statuses() []string { return orderStatuses }
func (d *ordersData) Ranges() []string   { return rangeNames }

// Day is the date of a time in the filter.
func (d *ordersData) Day(key string) string {
	day, _, _ := strings.Cut(d.Filter.values.Get(key), "T")
	return day
}

// Providers are those that orders were paid by.
func (d *ordersData) Providers() []string {
	var out []string
	for _, f := range d.Names.Flows {
		if !slices.Contains(out, f.Provider) {
			out = append(out, f.Provider)
		}
	}
	return out
}

// Narrowed reports whether anything is left out.
func (d *ordersData) Narrowed() bool { return len(d.Filter.narrowed()) > 0 }

// Export and Pause are addresses.
func (d *ordersData) Export() string { return d.Filter.view() }

func (d *ordersData) Pause() string {
	if d.Live {
		return d.Filter.with("live", "0")
	}
	return d.Filter.with("live", "")
}

// Turn switches between the newest and the oldest first.
func (d *ordersData) Turn() string {
	if d.Filter.search.Oldest {
		return d.Filter.with("sort", "")
	}
	return d.Filter.with("sort", "oldest")
}

// Reasons are what is open of what a person has to look at.
func reasons(o postgres.OrderRow) []string {
	var out []string
	for _, a := range attentionOf(o.Attention) {
		if a.ResolvedAt.IsZero() && !slices.Contains(out, a.Reason) {
			out = append(out, a.Reason)
		}
	}
	return out
}

// question puts a query behind an address.
func question(query string) string {
	if query == "" {
		return ""
	}
	return "?" + query
}

// countOrders says how many the filter finds, up to a limit.
func (s *server) countOrders(c *fiber.Ctx, p *page) error {
	values, _ := url.ParseQuery(string(c.Request().URI().QueryString()))
	f := readOrderFilter(values, p)
	f.search.After, f.search.Before = "", ""
	const most = 10_000
	n, err := s.DB.CountOrders(c.UserContext(), f.search, most+1)
	if err != nil {
		return err
	}
	said := p.T("orders.count", grouped(int64(n), 0))
	if n > most {
		said = p.T("orders.count.over", grouped(most, 0))
	}
	if c.Get("HX-Request") != "true" {
		s.flash(c, "orders.counted", strings.ToLower(said))
		return s.redirect(c, "/orders"+question(f.view()))
	}
	c.Set(fiber.HeaderContentType, fiber.MIMETextHTMLCharsetUTF8)
	return c.SendString(template.HTMLEscapeString(said))
}

// isTest reports whether no real money moved.
func isTest(mode string) bool { return sdk.Mode(mode) == sdk.Test }
