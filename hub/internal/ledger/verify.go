package ledger

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"
)

// Record is an order with everything that is on record of it, as one snapshot
// of the database has it.
type Record struct {
	Order      *Order // with all of its operations, also those that ended
	Refs       []*Ref // the rows to which the names of its attempts lead
	Postings   []*Posting
	Events     []*Event // in the order of their ids
	Notices    []*NoticeRow
	Callbacks  []*CallbackRow
	Unreadable []string // columns that the hub's keys do not open
}

// NoticeRow is a notification of an order, with the app that its endpoint is of.
type NoticeRow struct {
	ID          string `json:"id"`
	AppID       string `json:"app_id"`
	EndpointApp string `json:"endpoint_app"`
	Version     int64  `json:"version"`
	Payload     string `json:"payload"` // of the newest one; empty for the others
}

// CallbackRow is a callback that was applied to an order.
type CallbackRow struct {
	ID       string `json:"id"`
	Provider string `json:"provider"`
}

// Doubt is one value on record that differs from what the rest of the record
// implies.
type Doubt struct {
	OrderID  string `json:"order_id" db:"order_id"`
	Law      string `json:"law" db:"law"`      // the rule that is broken
	Row      string `json:"row" db:"row_name"` // the id of the row, or what names it
	Field    string `json:"field" db:"field"`  // table and column
	Expected string `json:"expected" db:"expected"`
	Found    string `json:"found" db:"found"`
}

func (d Doubt) String() string {
	return fmt.Sprintf("order %s: %s: expected %s, found %s (%s)", d.OrderID, d.place(), shown(d.Expected), shown(d.Found), d.Law)
}

// place is the field, and the row where that is not the order itself.
func (d Doubt) place() string {
	if d.Row == "" || d.Row == d.OrderID {
		return d.Field
	}
	return d.Field + " of " + d.Row
}

func shown(s string) string {
	if s == "" {
		return "nothing"
	}
	return s
}

// Same reports whether two doubts are about the same value: what was found there
// may differ.
func (d Doubt) Same(x Doubt) bool {
	return d.OrderID == x.OrderID && d.Law == x.Law && d.Row == x.Row && d.Field == x.Field
}

// Laws that a record can break. Some are broken by a whole table: see the store.
const (
	LawExists     = "what hangs on an order hangs on one that exists"
	LawReadable   = "what is encrypted opens with the hub's key"
	LawOwner      = "what hangs on an order belongs to it, its app and its providers"
	LawCurrency   = "amounts are in the order's currency with the digits of ISO 4217"
	LawTotals     = "totals are the sums of the movements"
	LawStatus     = "a status follows from attempts and money"
	LawAttention  = "what needs attention was raised, and is over only if resolved"
	LawRefs       = "the provider's names of a payment lead to its attempt alone"
	LawPostings   = "postings are those of the movements"
	LawOperations = "what was done was asked for, once"
	LawTimeline   = "the timeline tells everything that happened"
	LawNotices    = "notifications told apps what is on record"
)

// Verify derives whatever follows from other rows of the record, and returns
// what differs. It is pure, and none is good.
func Verify(r Record) []Doubt {
	c := &checker{Record: r, o: r.Order, attempts: map[string]*Attempt{}}
	for _, a := range c.o.Attempts {
		c.attempts[a.ID] = a
	}
	c.whole = !slices.ContainsFunc(r.Events, func(e *Event) bool { return e.Kind == TimelineArchived })
	for _, column := range r.Unreadable {
		c.doubt(LawReadable, "", column, "ciphertext of the hub", "something else")
	}
	for _, check := range []func(){
		c.owners, c.currencies, c.totals, c.statuses, c.refs, c.postings, c.operations,
		c.created, c.orderSteps, c.attemptSteps, c.operationLines, c.captureLines, c.refundLines, c.disputeLines, c.attentionLines, c.times,
		c.notices,
	} {
		check()
	}
	return c.doubts
}

// TimelineArchived is the kind of the line that stands for those in an archive.
const TimelineArchived = "order.archived"

// checker is a Verify under way.
type checker struct {
	Record
	o        *Order
	attempts map[string]*Attempt
	whole    bool // the timeline is: no part of it was archived
	doubts   []Doubt
}

func (c *checker) doubt(law, row, field string, expected, found any) {
	c.doubts = append(c.doubts, Doubt{
		OrderID: c.o.ID, Law: law, Row: row, Field: field, Expected: valueText(expected), Found: valueText(found),
	})
}

// equal doubts a value that is not the one expected.
func (c *checker) equal(law, row, field string, expected, found any) {
	if e, f := valueText(expected), valueText(found); e != f {
		c.doubt(law, row, field, e, f)
	}
}

// valueText writes a value as the database's JSON does, so that what was read
// from there compares with what is computed here.
func valueText(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case json.Number:
		return v.String()
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case *string:
		if v == nil {
			return ""
		}
		return *v
	}
	return fmt.Sprint(v)
}

// data is a value of an event's data, as text; empty where it has none.
func (e *Event) data(key string) string { return valueText(e.Data[key]) }

// maxEventSkew is how far the time in an event's id may be from the event's: ids
// of one process never fall, so that one may carry the time of an earlier event.
const maxEventSkew = time.Minute

// times compares the time of each line of the timeline with the one in its id.
func (c *checker) times() {
	for _, e := range c.Events {
		if !ValidID(EventID, e.ID) || e.Kind == TimelineArchived {
			continue
		}
		made, _ := idTime(e.ID)
		if d := e.At.Sub(made); d > maxEventSkew || d < -maxEventSkew {
			c.doubt(LawTimeline, e.ID, "events.at", made.UTC().Format(time.RFC3339), e.At.UTC().Format(time.RFC3339))
		}
	}
}
