package console

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/superpayhub/superpay/hub/internal/postgres"
)

// chart is a drawing over time, one line for each flow, and the table below it.
type chart struct {
	Key    string // of its texts
	Top    string // what the highest line of the drawing stands for
	Series []series
	Slots  []chartSlot
}

// series is a flow's line.
type series struct {
	Class    string // c1 to c6
	Name     string // provider.flow
	Whole    string // of the whole range
	Link     string
	Polyline string // points in a field of 600 by 120
	Dots     []dot  // where a neighbour is missing, a line shows nothing
}

type dot struct{ X, Y int }

type chartSlot struct {
	From  time.Time
	Cells []chartCell
}

type chartCell struct{ Text, Link string }

const (
	maxSeries   = 6
	chartWidth  = 600
	chartHeight = 120
)

// measures are what is drawn: how high a slot stands (-1 is nothing), what it says.
var measures = []struct {
	key  string
	high func(postgres.OverviewSlot) int64
	text func(postgres.OverviewSlot) string
	only string // more for the link
}{
	{"volume", func(s postgres.OverviewSlot) int64 { return s.Orders }, func(s postgres.OverviewSlot) string { return grouped(s.Orders, 0) }, ""},
	{"success", func(s postgres.OverviewSlot) int64 { return percent(s.Paid, s.Orders) }, func(s postgres.OverviewSlot) string {
		if s.Orders == 0 {
			return "–"
		}
		return fmt.Sprintf("%d %% (%s/%s)", percent(s.Paid, s.Orders), grouped(s.Paid, 0), grouped(s.Orders, 0))
	}, ""},
	{"refunds", func(s postgres.OverviewSlot) int64 { return s.Returned }, func(s postgres.OverviewSlot) string { return grouped(s.Returned, 0) }, "status=partially_refunded&status=refunded"},
	{"settle", func(s postgres.OverviewSlot) int64 { return int64(settleTime(s.Settled, 50)) }, func(s postgres.OverviewSlot) string {
		return settleText(settleTime(s.Settled, 50)) + " · " + settleText(settleTime(s.Settled, 95))
	}, ""},
}

// charts are those of the overview. Beyond a few flows only the busiest show.
func (d overviewData) charts(p *page, bounds []time.Time) []chart {
	wholes := map[string]*postgres.OverviewSlot{}
	slots := map[string][]postgres.OverviewSlot{}
	var names []string
	for _, one := range d.Slots {
		if one.Slot < 0 || one.Slot >= len(bounds)-1 {
			continue
		}
		name := one.Provider + "." + one.Flow
		if wholes[name] == nil {
			wholes[name], slots[name] = &postgres.OverviewSlot{Provider: one.Provider, Flow: one.Flow}, make([]postgres.OverviewSlot, len(bounds)-1)
			names = append(names, name)
		}
		slots[name][one.Slot] = one
		add(wholes[name], one)
	}
	slices.SortFunc(names, func(a, b string) int {
		if n := wholes[b].Orders - wholes[a].Orders; n != 0 {
			return int(n)
		}
		return strings.Compare(a, b)
	})
	names = names[:min(len(names), maxSeries)]
	var out []chart
	for _, m := range measures {
		c := chart{Key: m.key}
		top := int64(1)
		for _, name := range names {
			for _, one := range slots[name] {
				top = max(top, m.high(one))
			}
		}
		switch m.key {
		case "success":
			top, c.Top = 100, "100 %"
		case "settle":
			c.Top = settleText(int(top))
		default:
			c.Top = grouped(top, 0)
		}
		for i, name := range names {
			line := series{Class: "c" + strconv.Itoa(i+1), Name: name, Whole: m.text(*wholes[name]), Link: d.flowLink(*wholes[name], d.From, d.To, m.only)}
			line.draw(slots[name], m.high, top)
			c.Series = append(c.Series, line)
		}
		for i := range len(bounds) - 1 {
			row := chartSlot{From: bounds[i]}
			for _, name := range names {
				cell := chartCell{Text: "–"}
				if one := slots[name][i]; one.Orders > 0 {
					cell = chartCell{m.text(one), d.flowLink(one, bounds[i], bounds[i+1], m.only)}
				}
				row.Cells = append(row.Cells, cell)
			}
			c.Slots = append(c.Slots, row)
		}
		out = append(out, c)
	}
	return out
}

func (d overviewData) flowLink(s postgres.OverviewSlot, from, to time.Time, only string) string {
	link := d.orders(from, to, "flow", s.Provider+"."+s.Flow)
	if only != "" {
		link += "&" + only
	}
	return link
}

func add(to *postgres.OverviewSlot, s postgres.OverviewSlot) {
	to.Orders, to.Paid, to.Returned = to.Orders+s.Orders, to.Paid+s.Paid, to.Returned+s.Returned
	if to.Settled == nil {
		to.Settled = make([]int64, len(s.Settled))
	}
	for i, n := range s.Settled {
		to.Settled[i] += n
	}
}

// draw places a line in the field. Slots without a value are left out.
func (s *series) draw(slots []postgres.OverviewSlot, high func(postgres.OverviewSlot) int64, top int64) {
	var points []string
	for i, one := range slots {
		h := high(one)
		if h < 0 {
			continue
		}
		at := dot{i * chartWidth / max(1, len(slots)-1), chartHeight - int(h*chartHeight/max(1, top))}
		points = append(points, fmt.Sprintf("%d,%d", at.X, at.Y))
		s.Dots = append(s.Dots, at)
	}
	s.Polyline = strings.Join(points, " ")
	if len(s.Dots) > 1 {
		s.Dots = nil
	}
}
