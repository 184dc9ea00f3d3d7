package console

import (
	"context"
	"net/url"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/superpayhub/superpay/hub/internal/access"
	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/hub/internal/postgres"
)

const auditPage = 50

type auditData struct {
	Entries  []postgres.AuditEntry
	Filter   auditFilter
	Actions  []string
	Outcomes []string
	Older    string // the address of the next page; "" on the last
	First    string // of the first page; "" on it
	Export   string
}

// auditFilter is the query, as typed.
type auditFilter struct{ Who, Action, Object, Outcome, From, To, After string }

func (s *server) auditRoutes() []route {
	return []route{
		{fiber.MethodGet, "/audit", access.Admin, s.auditPage},
		{fiber.MethodGet, "/audit.csv", access.Admin, s.auditCSV},
	}
}

func (s *server) auditPage(c *fiber.Ctx, p *page) error {
	p.Title, p.Screen, p.Wide = p.T("audit.title"), "people", true
	f, filter := p.auditFilter(c)
	d := auditData{Filter: f, Outcomes: []string{access.Done, access.Failed, access.Refused, access.Begun}}
	var err error
	if d.Actions, err = s.DB.AuditActions(c.UserContext()); err != nil {
		return err
	}
	if len(p.Problems) > 0 {
		return s.again(c, p, "audit", d)
	}
	filter.Limit = auditPage + 1
	if d.Entries, err = s.DB.Audit(c.UserContext(), filter); err != nil {
		return err
	}
	if len(d.Entries) > auditPage {
		d.Entries = d.Entries[:auditPage]
		d.Older = s.url("/audit") + f.query(d.Entries[auditPage-1].ID)
	}
	if f.After != "" {
		d.First = s.url("/audit") + f.query("")
	}
	d.Export = s.url("/audit.csv") + f.query("")
	return s.render(c, p, "audit", d)
}

// auditFilter reads the query. Days are the reader's.
func (p *page) auditFilter(c *fiber.Ctx) (auditFilter, postgres.AuditFilter) {
	q := func(name string) string { return strings.TrimSpace(c.Query(name)) }
	f := auditFilter{q("who"), q("what"), q("object"), q("outcome"), q("from"), q("to"), q("after")}
	day := func(field, value string, add int) time.Time {
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
	if f.After != "" && !ledger.ValidID("aud", f.After) {
		f.After = ""
	}
	return f, postgres.AuditFilter{
		Who: strings.ToLower(f.Who), Action: f.Action, Object: f.Object, Outcome: f.Outcome, Before: f.After,
		From: day("from", f.From, 0), To: day("to", f.To, 1),
	}
}

// query is the filter as an address has it, with a cursor; empty keys are left out.
func (f auditFilter) query(after string) string {
	q := url.Values{}
	for name, value := range map[string]string{"who": f.Who, "what": f.Action, "object": f.Object, "outcome": f.Outcome, "from": f.From, "to": f.To, "after": after} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if len(q) == 0 {
		return ""
	}
	return "?" + q.Encode()
}

// auditCSV exports all that the filter finds, not the page. It is audited.
func (s *server) auditCSV(c *fiber.Ctx, p *page) error {
	f, filter := p.auditFilter(c)
	if len(p.Problems) > 0 {
		return ledger.Invalidf(p.Problems[0].Field, "%s", p.Problems[0].Text)
	}
	act := p.act("audit.export", "", "")
	act.Data = map[string]any{"query": f.query("")}
	if err := s.audit.Note(c.UserContext(), act, access.Done); err != nil {
		return err
	}
	filter.Limit = 1000
	zone := p.Zone
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.UserContext()), time.Minute)
	head := []string{"id", "at", "who", "action", "object", "why", "outcome", "address", "request_id", "data"}
	return sendCSV(c, "audit", head, func() ([][]string, error) {
		entries, err := s.DB.Audit(ctx, filter)
		if err != nil || len(entries) == 0 {
			cancel()
			return nil, err
		}
		filter.Before = entries[len(entries)-1].ID
		rows := make([][]string, 0, len(entries))
		for _, e := range entries {
			rows = append(rows, []string{e.ID, e.At.In(zone).Format(time.RFC3339Nano), e.Who, e.Action, e.Object, e.Why, e.Outcome, e.Address, e.RequestID, string(e.Data)})
		}
		return rows, nil
	})
}
