package console

import (
	"context"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/superpayhub/superpay/hub/internal/access"
	"github.com/superpayhub/superpay/hub/internal/postgres"
	"github.com/superpayhub/superpay/hub/internal/providers"
	"github.com/superpayhub/superpay/sdk"
)

func (s *server) overviewRoutes() []route {
	return []route{{fiber.MethodGet, "/overview", access.Viewer, s.overview}}
}

// overviewData is all that the page shows, of live or of test orders: they are
// never summed.
type overviewData struct {
	postgres.Overview
	Range, Mode string
	From, To    time.Time
	Money       []moneyRow
	Reasons     []reasonRow
	Providers   []providerCard
	Gone        []string // providers that orders are on record of, and that are not set up
	Charts      []chart
	Orders      int64
	Link        string // to all orders that are counted
}

type moneyRow struct {
	postgres.OverviewMoney
	Net, Off int64 // Off is by how much the journal says something else
	Link     string
}

type reasonRow struct {
	postgres.OverviewAttention
	Text string
	Link string
}

// overviewRanges are how far back one can look, and how long a slot is: 0 is a
// day of the reader's.
var overviewRanges = map[string]struct {
	slots int
	slot  time.Duration
}{"24h": {24, time.Hour}, "7d": {28, 6 * time.Hour}, "30d": {30, 0}, "90d": {90, 0}}

// Ranges are those to choose from.
func (overviewData) Ranges() []string { return []string{"24h", "7d", "30d", "90d"} }

// Modes are those to choose from.
func (overviewData) Modes() []string { return []string{string(sdk.Live), string(sdk.Test)} }

// slotBounds are the moments between which slots lie, the last in the future.
// Days begin at the reader's midnight, to the hour.
func slotBounds(name string, now time.Time, zone *time.Location) []time.Time {
	r, local := overviewRanges[name], now.In(zone)
	midnight := time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, zone)
	var bounds []time.Time
	for i := range r.slots + 1 {
		back := r.slots - 1 - i
		at := midnight.AddDate(0, 0, -back)
		if r.slot != 0 {
			at = now.Truncate(r.slot).Add(-time.Duration(back) * r.slot)
		}
		if whole := at.Truncate(time.Hour); whole.Before(at) {
			at = whole.Add(time.Hour)
		}
		bounds = append(bounds, at.UTC())
	}
	return bounds
}

func (s *server) overview(c *fiber.Ctx, p *page) error {
	d := overviewData{Range: c.Query("range", "7d"), Mode: c.Query("mode")}
	if _, ok := overviewRanges[d.Range]; !ok {
		return fiber.NewError(fiber.StatusBadRequest)
	}
	s.countOrdersAnew(c.UserContext(), p.Now)
	if !slices.Contains(d.Modes(), d.Mode) {
		live, err := s.DB.AnyLive(c.UserContext())
		if err != nil {
			return err
		}
		if d.Mode = string(sdk.Test); live || !s.testing() {
			d.Mode = string(sdk.Live)
		}
	}
	bounds := slotBounds(d.Range, p.Now, p.Zone)
	d.From, d.To = bounds[0], bounds[len(bounds)-1]
	var err error
	if d.Overview, err = s.DB.Overview(c.UserContext(), d.Mode, bounds); err != nil {
		return err
	}
	if d.Providers, err = s.cards(c.UserContext()); err != nil {
		return err
	}
	var names []string
	for _, card := range d.Providers {
		names = append(names, card.Name)
	}
	if d.Gone, err = s.DB.NamesBut(c.UserContext(), names); err != nil {
		return err
	}
	d.Link = d.orders(d.From, d.To)
	for _, m := range d.Overview.Money {
		row := moneyRow{OverviewMoney: m, Net: m.Captured - m.Refunded - m.Disputed, Link: d.orders(d.From, d.To, "currency", m.Currency)}
		row.Off = m.Journal - row.Net
		d.Money = append(d.Money, row)
	}
	for _, a := range d.Attention {
		row := reasonRow{OverviewAttention: a, Text: p.Word("attention", a.Reason), Link: "attention=1&mode=" + d.Mode}
		d.Reasons = append(d.Reasons, row)
	}
	for _, slot := range d.Slots {
		d.Orders += slot.Orders
	}
	d.Charts = d.charts(p, bounds)
	p.Title, p.Screen, p.Wide, p.Test = p.T("nav.overview"), "overview", true, d.Mode == string(sdk.Test)
	return s.render(c, p, "overview", d)
}

// countOrdersAnew brings what is counted up to date, if that does not take long,
// once for all pages that ask meanwhile. The page says up to when it is.
func (s *server) countOrdersAnew(ctx context.Context, now time.Time) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	_, err, _ := s.counting.Do("", func() (any, error) { return s.DB.RollOrders(ctx, now) })
	if err != nil {
		s.Logger.WarnContext(ctx, "the overview could not be brought up to date; the worker tries again", "error", err)
	}
}

// orders is the query of the list of what is counted, narrowed further.
func (d overviewData) orders(from, to time.Time, more ...string) string {
	q := url.Values{"mode": {d.Mode}, "from": {from.Format(time.RFC3339)}, "to": {to.Format(time.RFC3339)}}
	for i := 0; i+1 < len(more); i += 2 {
		q.Set(more[i], more[i+1])
	}
	return q.Encode()
}

// Healthy counts the providers that run well.
func (d overviewData) Healthy() int {
	n := 0
	for _, c := range d.Providers {
		if c.Status == providers.StatusUp {
			n++
		}
	}
	return n
}

// percent is a share in whole percent, rounded down; -1 of nothing.
func percent(part, whole int64) int64 {
	if whole == 0 {
		return -1
	}
	return 100 * part / whole
}

// settleTime is the step of SettleSteps below which that share of the paid was
// settled, -1 if none was.
func settleTime(counts []int64, share int64) int {
	var all, sum int64
	for _, n := range counts {
		all += n
	}
	for i, n := range counts {
		if sum += n; all > 0 && 100*sum >= share*all {
			return i
		}
	}
	return -1
}

// settleText is a step in words: "< 5 s".
func settleText(step int) string {
	if step < 0 {
		return "–"
	}
	if step == len(postgres.SettleSteps) {
		return "> 24 h"
	}
	switch n := postgres.SettleSteps[step]; {
	case n >= 3600:
		return "< " + strconv.Itoa(n/3600) + " h"
	case n >= 60:
		return "< " + strconv.Itoa(n/60) + " min"
	default:
		return "< " + strconv.Itoa(n) + " s"
	}
}
