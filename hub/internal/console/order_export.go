package console

import (
	"bufio"
	"context"
	"encoding/csv"
	"encoding/json"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/superpayhub/superpay/hub/internal/access"
	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/hub/internal/postgres"
	"github.com/superpayhub/superpay/sdk"
)

const (
	exportPage = 1000             // orders that are read at once
	exportTime = 30 * time.Minute // at most
	maxExports = 8                // under way in one hub
)

// exports are those that are being written by this hub, by id: how many rows.
type exports struct {
	mu   sync.Mutex
	rows map[string]int64
}

func (e *exports) begin(id string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.rows == nil {
		e.rows = map[string]int64{}
	}
	if _, twice := e.rows[id]; twice || len(e.rows) >= maxExports {
		return false
	}
	e.rows[id] = 0
	return true
}

func (e *exports) set(id string, rows int64) { e.mu.Lock(); e.rows[id] = rows; e.mu.Unlock() }
func (e *exports) end(id string)             { e.mu.Lock(); delete(e.rows, id); e.mu.Unlock() }
func (e *exports) of(id string) (int64, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	n, ok := e.rows[id]
	return n, ok
}

// exportData is the page of one export.
type exportData struct {
	ID, Query string
	About     int64
	Rows      int64
	State     string // ready, begun, done or failed
	By        string
}

// askExport makes an export of the list's filter: every row, not the page.
func (s *server) askExport(c *fiber.Ctx, p *page) error {
	values, _ := url.ParseQuery(string(c.Request().URI().QueryString()))
	f := readOrderFilter(values, p)
	return s.redirect(c, "/exports/"+ledger.NewID("exp", p.Now)+question(f.view()))
}

// export shows how far an export is.
func (s *server) export(c *fiber.Ctx, p *page) error {
	id := c.Params("id")
	if !ledger.ValidID("exp", id) {
		return postgres.ErrNotFound
	}
	values, _ := url.ParseQuery(string(c.Request().URI().QueryString()))
	f := readOrderFilter(values, p)
	d := exportData{ID: id, Query: f.view(), State: "ready"}
	ctx := c.UserContext()
	lines, err := s.DB.Audit(ctx, postgres.AuditFilter{Object: id, Limit: 1})
	if err != nil {
		return err
	}
	if len(lines) == 1 {
		d.State, d.By = lines[0].Outcome, lines[0].Who
		var kept struct{ Rows int64 }
		_ = json.Unmarshal(lines[0].Data, &kept)
		d.Rows = kept.Rows
	}
	if rows, ok := s.exports.of(id); ok {
		d.Rows = rows
	}
	if d.State == "ready" || d.State == access.Begun {
		if d.About, err = s.DB.AboutOrders(ctx, f.search); err != nil {
			return err
		}
		d.About = max(d.About, d.Rows)
	}
	p.Title, p.Screen = p.T("export.title"), "orders"
	return s.render(c, p, "export", d)
}

// csvHead are the columns. Amounts stand in minor units, with the exponent, and
// as a decimal.
var csvHead = []string{
	"id", "reference", "app", "status", "needs_attention", "attention", "currency", "exponent", "amount", "captured", "refunded", "disputed",
	"amount_decimal", "captured_decimal", "refunded_decimal", "provider", "flow", "mode", "customer_email", "created_at", "updated_at", "version",
}

// exportFile streams every row of a filter, page by page, so that nothing is
// held up by it, however long it takes. The audit says how many there were.
func (s *server) exportFile(c *fiber.Ctx, p *page) error {
	id := c.Params("id")
	if !ledger.ValidID("exp", id) {
		return postgres.ErrNotFound
	}
	values, _ := url.ParseQuery(string(c.Request().URI().QueryString()))
	f := readOrderFilter(values, p)
	if !s.exports.begin(id) {
		return &ledger.Error{Kind: ledger.TooMany, Code: "too_many_exports", Message: "too many exports are under way; wait until one is complete"}
	}
	act := p.act("order.export", id, "")
	act.Data = map[string]any{"query": f.view()}
	c.Set(fiber.HeaderContentType, "text/csv; charset=utf-8; header=present")
	c.Set(fiber.HeaderContentDisposition, `attachment; filename="orders-`+p.Now.In(p.Zone).Format("20060102-150405")+`.csv"`)
	c.Context().SetBodyStreamWriter(func(w *bufio.Writer) {
		defer s.exports.end(id)
		ctx, cancel := context.WithTimeout(context.Background(), exportTime) // the request's own is over by now
		defer cancel()
		err := s.audit.Do(ctx, act, func() error {
			rows, err := s.writeOrders(ctx, w, f.search, p.Zone, func(n int64) { s.exports.set(id, n) })
			act.Data["rows"] = rows
			return err
		})
		if err != nil {
			s.Logger.WarnContext(ctx, "an export was not completed", "export", id, "error", err)
		}
	})
	return nil
}

func (s *server) writeOrders(ctx context.Context, w *bufio.Writer, search postgres.OrderSearch, zone *time.Location, progress func(int64)) (rows int64, err error) {
	_, _ = w.WriteString("\ufeff") // so that spreadsheets read UTF-8
	out := csv.NewWriter(w)
	out.UseCRLF = true
	_ = out.Write(csvHead)
	for search.Limit = exportPage; ; {
		page, err := s.DB.SearchOrders(ctx, search)
		if err != nil {
			return rows, err
		}
		for _, o := range page {
			_ = out.Write(csvRow(o, zone)) // its error is Flush's
		}
		rows += int64(len(page))
		out.Flush()
		if err := out.Error(); err != nil {
			return rows, err
		}
		if err := w.Flush(); err != nil { // the reader is gone
			return rows, err
		}
		progress(rows)
		if len(page) < exportPage {
			return rows, nil
		}
		if last := page[len(page)-1].ID; search.Oldest {
			search.Before = last
		} else {
			search.After = last
		}
	}
}

func csvRow(o postgres.OrderRow, zone *time.Location) []string {
	plain := func(amount int64) string { return sdk.Money{Amount: amount, Exponent: o.Exponent}.Decimal() }
	number := func(n int64) string { return strconv.FormatInt(n, 10) }
	at := func(t time.Time) string { return t.In(zone).Format(time.RFC3339) }
	return []string{
		o.ID, inert(o.Reference), inert(o.App), o.Status, strconv.FormatBool(o.NeedsAttention), strings.Join(reasons(o), " "), o.Currency, strconv.Itoa(o.Exponent),
		number(o.Amount), number(o.Captured), number(o.Refunded), number(o.Disputed), plain(o.Amount), plain(o.Captured), plain(o.Refunded),
		o.Provider, o.Flow, o.Mode, inert(o.Email), at(o.CreatedAt), at(o.UpdatedAt), number(o.Version),
	}
}
