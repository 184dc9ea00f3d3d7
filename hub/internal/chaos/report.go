package chaos

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// kind is what is wrong.
type kind string

const (
	lost       kind = "lost"       // money in the provider's books that the hub's lack
	doubled    kind = "doubled"    // more at the provider than was asked for
	stuck      kind = "stuck"      // not settled, and nobody is told
	unbalanced kind = "unbalanced" // the hub's books differ from the provider's, or from themselves
	misled     kind = "misled"     // an app was told what is not so, or not answered as promised
)

var kinds = []kind{lost, doubled, stuck, unbalanced, misled}

// Finding is one thing that must not be.
type Finding struct {
	Kind  kind
	Text  string
	Story []string // the order's timeline
	order *order
}

// Report is how a campaign went.
type Report struct {
	Options
	Orders, Attempts int
	Faults           map[string]int // injected, by kind
	Flagged          map[string]int // reasons for which orders need attention, which is how it should be
	Findings         []Finding
	Drove, Took      time.Duration
}

func (r *Report) find(k kind, o *order, format string, args ...any) {
	r.Findings = append(r.Findings, Finding{Kind: k, Text: fmt.Sprintf(format, args...), order: o})
}

func (r *Report) misled(o *order) {
	for _, text := range o.complain {
		r.find(misled, o, "%s", text)
	}
}

// Count is how many findings there are of a kind: "lost", "doubled", "stuck",
// "unbalanced" or "misled".
func (r *Report) Count(k string) (n int) {
	for _, f := range r.Findings {
		if string(f.Kind) == k {
			n++
		}
	}
	return n
}

// Injected is how many faults there were.
func (r *Report) Injected() (n int) {
	for _, count := range r.Faults {
		n += count
	}
	return n
}

// maxShown bounds the findings that are printed.
const maxShown = 40

// Print writes the table, and each finding with how to run its order again.
func (r *Report) Print(w io.Writer) {
	for i, f := range r.Findings {
		if i == maxShown {
			fmt.Fprintf(w, "... and %d more\n", len(r.Findings)-maxShown)
			break
		}
		where := ""
		if o := f.order; o != nil {
			where = fmt.Sprintf(" SEED=%d ORDER=%d", r.Seed, o.n)
			if r.Every != 80 {
				where += fmt.Sprintf(" EVERY=%d", r.Every)
			}
			where += fmt.Sprintf(" (%s, %s)", o.way.name, o.story.name)
			if o.last.ID != "" {
				where += " " + o.last.ID
			}
		}
		fmt.Fprintf(w, "%s:%s %s\n", strings.ToUpper(string(f.Kind)), where, f.Text)
		for _, line := range f.Story {
			fmt.Fprintln(w, "   ", line)
		}
	}
	table := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	row := func(what string, value any) { fmt.Fprintf(table, "  %s\t%v\t\n", what, value) }
	fmt.Fprintln(table)
	row("orders", r.Orders)
	row("attempts", r.Attempts)
	row("faults injected", r.Injected())
	for _, name := range slices.Sorted(maps.Keys(r.Faults)) {
		row("  "+strings.ReplaceAll(name, "_", " "), r.Faults[name])
	}
	for _, k := range kinds {
		row(string(k), r.Count(string(k)))
	}
	total := 0
	for _, n := range r.Flagged {
		total += n
	}
	row("flagged for a person", total)
	for _, name := range slices.Sorted(maps.Keys(r.Flagged)) {
		row("  "+strings.ReplaceAll(name, "_", " "), r.Flagged[name])
	}
	row("seconds", fmt.Sprintf("%.0f (%.0f of them driving, %.0f orders/s)", r.Took.Seconds(), r.Drove.Seconds(), float64(r.Orders)/r.Drove.Seconds()))
	row("seed", r.Seed)
	_ = table.Flush()
}
