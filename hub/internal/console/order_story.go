package console

import (
	"html/template"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/superpayhub/superpay/hub/internal/postgres"
)

// storyLines is how many lines of the timeline a page has.
const storyLines = 100

// storyKinds are what the timeline can be narrowed to.
var storyKinds = []string{"money", "calls", "callbacks", "notifications", "people", "postings"}

// storyData is an order's timeline: one list of all that happened.
type storyData struct {
	Lines     []line
	Show      string // one of storyKinds, or all
	Direction string // newest or oldest, which comes first
	Before    string // the cursor that led here
	Older     string // of the next page; "" is none
}

// line is one thing that happened.
type line struct {
	ID      string // its anchor
	At      time.Time
	Kind    string // of storyKinds
	Drawing string // of the icons
	Letter  string // of the attempt
	Says    template.HTML
	Refs    []string // names in it, which light up together
	Detail  string   // JSON
	Link    string   // what can be done about it: replay or resend
	Target  string   // of that
	Times   int      // how often the same came

	Day string        // a new day begins with it
	Gap template.HTML // how long nothing happened before it
}

// Kinds are the filters.
func (storyData) Kinds() []string { return storyKinds }

// readStory reads and tells the order's timeline, and returns its app's name.
func (s *server) readStory(c *fiber.Ctx, p *page, d *orderData) (storyData, string, error) {
	out := storyData{Show: c.Query("show"), Direction: c.Query("order"), Before: c.Query("before")}
	if !slices.Contains(storyKinds, out.Show) {
		out.Show = ""
	}
	if out.Direction != "oldest" {
		out.Direction = "newest"
	}
	var before time.Time
	if ms, err := strconv.ParseInt(out.Before, 10, 64); err == nil && ms > 0 {
		before = time.UnixMilli(ms)
	} else {
		out.Before = ""
	}
	story, err := s.DB.OrderStory(c.UserContext(), d.ID, before, storyLines+1)
	if err != nil {
		return out, "", err
	}
	audit, err := s.DB.Audit(c.UserContext(), postgres.AuditFilter{Object: d.ID, To: before, Limit: storyLines + 1})
	if err != nil {
		return out, "", err
	}
	t := teller{s: s, p: p, d: d, app: visible(story.App), story: story}
	for _, n := range story.Notifications {
		if n.State == "pending" && !n.DueAt.IsZero() {
			d.Next = append(d.Next, nextStep{"tell", t.app, n.DueAt})
		}
	}
	lines := t.tell(audit)
	if out.Show != "" {
		lines = slices.DeleteFunc(lines, func(l line) bool { return l.Kind != out.Show })
	}
	slices.SortStableFunc(lines, func(a, b line) int { // the newest first
		if by := b.At.Truncate(time.Millisecond).Compare(a.At.Truncate(time.Millisecond)); by != 0 {
			return by
		}
		return strings.Compare(rest(b.ID), rest(a.ID))
	})
	if len(lines) > storyLines {
		// Cut between two moments: the next page begins before this one's last.
		cut := lines[storyLines].At.Truncate(time.Millisecond)
		end := slices.IndexFunc(lines, func(l line) bool { return !l.At.Truncate(time.Millisecond).After(cut) })
		if end > 0 {
			lines = lines[:end]
			out.Older = strconv.FormatInt(cut.Add(time.Millisecond).UnixMilli(), 10)
		}
	}
	if out.Direction == "oldest" {
		slices.Reverse(lines)
	}
	out.Lines = p.spaced(folded(lines))
	return out, story.App, nil
}

// rest is an id without its prefix: what it was made in the order of.
func rest(id string) string {
	_, r, _ := strings.Cut(id, "_")
	return r
}

// folded puts repetitions of one line, one after the other, into one.
func folded(lines []line) []line {
	var out []line
	for _, l := range lines {
		if n := len(out); n > 0 && l.Kind == "callbacks" && out[n-1].Kind == l.Kind && out[n-1].Says == l.Says {
			out[n-1].Times++
			continue
		}
		l.Times = 1
		out = append(out, l)
	}
	return out
}

// spaced marks days and gaps.
func (p *page) spaced(lines []line) []line {
	for i := range lines {
		day := p.Date(lines[i].At)
		if i == 0 || day != p.Date(lines[i-1].At) {
			lines[i].Day = day
		}
		if i > 0 {
			if gap := lines[i].At.Sub(lines[i-1].At).Abs(); gap > time.Second {
				lines[i].Gap = template.HTML(template.HTMLEscapeString(p.duration(gap)))
			}
		}
	}
	return lines
}

// duration is how long something took, in two units.
func (p *page) duration(d time.Duration) string {
	switch {
	case d < time.Second:
		return p.T("duration.ms", int(d.Milliseconds()))
	case d < time.Minute:
		return p.T("duration.s", int(d/time.Second))
	case d < time.Hour:
		return p.T("duration.min", int(d/time.Minute), int(d/time.Second)%60)
	case d < 48*time.Hour:
		return p.T("duration.h", int(d/time.Hour), int(d/time.Minute)%60)
	}
	return p.T("duration.d", int(d/(24*time.Hour)), int(d/time.Hour)%24)
}
