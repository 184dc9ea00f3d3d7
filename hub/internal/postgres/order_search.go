package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lib/pq"

	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/sdk"
)

// OrderSearch narrows the console's list, which goes over the orders of all
// apps. Zero fields do not narrow.
type OrderSearch struct {
	Status       []string // any of these
	Attention    bool
	Disputed     bool // money of it is in dispute
	Unknown      bool // an operation of it is open without an answer
	RefundFailed bool
	AppID        string
	Provider     string // of the current attempt, as are flow and mode
	Flow         string
	Mode         string
	Currency     string
	Min, Max     string // decimals, as "12.50", in whole units of whatever currency
	Exactly      string // as those
	From, To     time.Time
	Reference    string // its beginning

	// Pages: ids below After (older ones), or above Before (newer ones).
	After, Before string
	Oldest        bool // the oldest first
	Limit         int
}

// OrderRow is an order as a list shows it.
type OrderRow struct {
	ID             string          `db:"id"`
	AppID          string          `db:"app_id"`
	App            string          `db:"app"` // its name
	Reference      string          `db:"reference"`
	Status         string          `db:"status"`
	Amount         int64           `db:"amount"`
	Currency       string          `db:"currency"`
	Exponent       int             `db:"exponent"`
	Captured       int64           `db:"captured"`
	Refunded       int64           `db:"refunded"`
	Disputed       int64           `db:"disputed"`
	NeedsAttention bool            `db:"needs_attention"`
	Attention      json.RawMessage `db:"attention"`
	Provider       string          `db:"provider"`
	Flow           string          `db:"flow"`
	Mode           string          `db:"mode"`
	Email          string          `db:"email"`
	CreatedAt      time.Time       `db:"created_at"`
	UpdatedAt      time.Time       `db:"updated_at"`
	Version        int64           `db:"version"`
}

const orderRowColumns = `o.id, o.app_id, a.name AS app, o.reference, o.status, o.amount, o.currency, o.exponent, o.captured, o.refunded, o.disputed,
	o.needs_attention, o.attention, o.provider, o.flow, o.mode, coalesce(o.customer->>'email', '') AS email, o.created_at, o.updated_at, o.version`

// SearchOrders lists orders, the newest first unless the oldest are asked for.
// A page of newer ones (Before) comes in the same order.
func (p *DB) SearchOrders(ctx context.Context, s OrderSearch) ([]OrderRow, error) {
	q, args := s.query()
	var out []OrderRow
	if err := p.db.SelectContext(ctx, &out, q, args...); err != nil {
		return nil, mapErr(err)
	}
	if s.ascending() != s.Oldest {
		slices.Reverse(out)
	}
	return out, nil
}

// ascending: a page that leads back to the list's start is read from its far end.
func (s OrderSearch) ascending() bool {
	if s.Oldest {
		return s.After == ""
	}
	return s.Before != ""
}

// query is the statement of one page. Each status is walked down for itself, by
// its own index: one that is rare, or was long ago, costs no search through the
// others. The ids are found first, so that only the page's rows are read whole.
func (s OrderSearch) query() (string, []any) {
	direction := "DESC"
	if s.ascending() {
		direction = "ASC"
	}
	var args []any
	var branches []string
	for _, status := range orEmpty(s.Status) {
		one := s
		if one.Status = nil; status != "" {
			one.Status = []string{status}
		}
		var where string
		where, args = one.where(args)
		branches = append(branches, fmt.Sprintf("(SELECT o.* FROM orders o WHERE %s ORDER BY o.id %s LIMIT %d)", where, direction, s.Limit))
	}
	return fmt.Sprintf(`SELECT %[1]s FROM (SELECT * FROM (%[2]s) o ORDER BY o.id %[3]s LIMIT %[4]d) o JOIN apps a ON a.id = o.app_id ORDER BY o.id %[3]s`,
		orderRowColumns, strings.Join(branches, " UNION ALL "), direction, s.Limit), args
}

func orEmpty(list []string) []string {
	if len(list) == 0 {
		return []string{""}
	}
	return list
}

// CountOrders counts what the search finds, up to a limit.
func (p *DB) CountOrders(ctx context.Context, s OrderSearch, limit int) (n int, err error) {
	where, args := s.where(nil)
	args = append(args, limit)
	err = p.db.GetContext(ctx, &n, fmt.Sprintf(`SELECT count(*) FROM (SELECT FROM orders o WHERE %s LIMIT $%d) x`, where, len(args)), args...)
	return n, mapErr(err)
}

// AboutOrders is how many orders the search may find, by the planner's guess.
func (p *DB) AboutOrders(ctx context.Context, s OrderSearch) (int64, error) {
	where, args := s.where(nil)
	var raw []byte
	if err := p.db.GetContext(ctx, &raw, `EXPLAIN (FORMAT JSON) SELECT FROM orders o WHERE `+where, args...); err != nil {
		return 0, mapErr(err)
	}
	var plans []struct {
		Plan struct {
			Rows float64 `json:"Plan Rows"`
		}
	}
	if err := json.Unmarshal(raw, &plans); err != nil || len(plans) == 0 {
		return 0, fmt.Errorf("read a plan: %w", err)
	}
	return int64(plans[0].Plan.Rows), nil
}

// where spells the conditions, and adds their values to args.
func (s OrderSearch) where(args []any) (string, []any) {
	conds := []string{"true"}
	add := func(cond string, v any) {
		args = append(args, v)
		conds = append(conds, strings.ReplaceAll(cond, "$?", fmt.Sprintf("$%d", len(args))))
	}
	for _, c := range []struct{ cond, value string }{
		{"o.app_id = $?", s.AppID},
		{"o.mode = $?", s.Mode},
		{"o.currency = $?", s.Currency},
		{"o.id < $?", s.After},
		{"o.id > $?", s.Before},
		{"o.provider = $?", s.Provider},
		{"o.flow = $?", s.Flow},
		{`o.reference LIKE $? || '%'`, likeText(s.Reference)},
		{s.amounts("o.amount >= ceil($!)::bigint"), s.Min},
		{s.amounts("o.amount <= floor($!)::bigint"), s.Max},
		{s.amounts("o.amount = $!::bigint AND $! = trunc($!)"), s.Exactly},
	} {
		if c.value != "" {
			add(c.cond, c.value)
		}
	}
	if s.Reference != "" && s.AppID == "" {
		conds = append(conds, "o.app_id = ANY(ARRAY(SELECT id FROM apps))") // from app to app, over the index of references
	}
	switch len(s.Status) {
	case 0:
	case 1:
		add("o.status = $?", s.Status[0]) // which keeps an index's order; ANY does not
	default:
		add("o.status = ANY($?)", pq.StringArray(s.Status))
	}
	if !s.From.IsZero() {
		add("o.id >= $?", ledger.FirstID(ledger.OrderID, s.From))
	}
	if !s.To.IsZero() {
		add("o.id < $?", ledger.FirstID(ledger.OrderID, s.To))
	}
	for _, c := range []struct {
		on   bool
		cond string
	}{
		{s.Attention, "o.needs_attention"},
		{s.Disputed, "o.disputed > 0"},
		// An array, of which there are few: with IN the planner may walk all orders
		// beside it until a page is full.
		{s.Unknown, "o.id = ANY(ARRAY(SELECT order_id FROM operations WHERE outcome = 'unknown'))"},
		{s.RefundFailed, "o.id = ANY(ARRAY(SELECT order_id FROM refunds WHERE status = 'failed'))"},
	} {
		if c.on {
			conds = append(conds, c.cond)
		}
	}
	return strings.Join(conds, " AND "), args
}

// amounts compares with a decimal of whole units, whatever the exponent; $! is
// the decimal in minor units.
func (s OrderSearch) amounts(cond string) string {
	if e, ok := sdk.Exponent(s.Currency); ok {
		return minor(cond, e)
	}
	var each []string
	for _, e := range []int{0, 2, 3, 4} {
		each = append(each, fmt.Sprintf("(o.exponent = %d AND %s)", e, minor(cond, e)))
	}
	return "(" + strings.Join(each, " OR ") + ")"
}

func minor(cond string, exponent int) string {
	return strings.ReplaceAll(cond, "$!", fmt.Sprintf("($?::numeric * 1e%d)", exponent))
}

// likeText is a text that stands for itself in a LIKE pattern.
func likeText(s string) string {
	return strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(s)
}

// OrderNames are what lists of orders can be narrowed to.
type OrderNames struct {
	Apps       []App      `json:"apps"`
	Flows      []FlowName `json:"flows"`
	Currencies []string   `json:"currencies"`
}

// FlowName is a flow of a provider that orders were paid by.
type FlowName struct {
	Provider string `json:"provider"`
	Flow     string `json:"flow"`
}

// orderNamesSQL hops from one value of an index to the next: the values are
// few, however many orders there are.
const orderNamesSQL = `WITH RECURSIVE flows (provider, flow) AS (
		(SELECT provider, flow FROM orders ORDER BY provider, flow LIMIT 1)
		UNION ALL
		SELECT n.provider, n.flow FROM flows f, LATERAL (
			SELECT o.provider, o.flow FROM orders o WHERE (o.provider, o.flow) > (f.provider, f.flow) ORDER BY o.provider, o.flow LIMIT 1) n
	), currencies (currency) AS (
		(SELECT currency FROM orders ORDER BY currency LIMIT 1)
		UNION ALL
		SELECT n.currency FROM currencies c, LATERAL (SELECT o.currency FROM orders o WHERE o.currency > c.currency ORDER BY o.currency LIMIT 1) n
	)
	SELECT json_build_object(
		'apps', coalesce((SELECT json_agg(json_build_object('ID', id, 'Name', name) ORDER BY name) FROM apps), '[]'),
		'flows', coalesce((SELECT json_agg(f) FROM flows f WHERE flow <> ''), '[]'),
		'currencies', coalesce((SELECT json_agg(currency) FROM currencies), '[]'))`

// OrderNames reads what there is to narrow a list to.
func (p *DB) OrderNames(ctx context.Context) (OrderNames, error) {
	var raw []byte
	var n OrderNames
	if err := p.db.GetContext(ctx, &raw, orderNamesSQL); err != nil {
		return n, mapErr(err)
	}
	return n, json.Unmarshal(raw, &n)
}
