package chaos

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"
)

// maxTold bounds the findings that are told with their order's whole story.
const maxTold = 10

// recount adds to what was found about an order its timeline, its lines in the
// inbox, its schedule, and the callbacks that the provider sent or still holds.
func (c *campaign) recount(f *Finding) {
	if f.order == nil || f.order.last.ID == "" {
		return
	}
	line := func(format string, args ...any) { f.Story = append(f.Story, fmt.Sprintf(format, args...)) }
	var page struct {
		Data []struct {
			At           time.Time
			Kind, Source string
			AttemptID    string `json:"attempt_id"`
			Data         json.RawMessage
		}
	}
	if err := c.get(f.order.app, "/v1/orders/"+f.order.last.ID+"/events?limit=500", &page); err != nil {
		line("its timeline cannot be read: %v", err)
	}
	for _, e := range page.Data {
		line("%s %-9s %-28s %s %s", e.At.Format("15:04:05.000"), e.Source, e.Kind, e.AttemptID, e.Data)
	}
	err := c.administer(func(ctx context.Context, db *sql.DB) error {
		rows, err := db.QueryContext(ctx, `
			SELECT format('inbox %s %s, received %s, tries %s %s', type, outcome, received_at::time, tries, note) FROM callbacks WHERE order_id = $1
			UNION ALL SELECT format('operation %s %s, sends %s, until %s', kind, outcome, sends, deadline::time) FROM operations WHERE order_id = $1
			UNION ALL SELECT format('attempt %s %s, due %s, tries %s, read wanted %s, approved %s, refs %s', id, status, due_at, tries, read_wanted, approved, refs)
			FROM attempts WHERE order_id = $1`, f.order.last.ID)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var text string
			if err := rows.Scan(&text); err != nil {
				return err
			}
			line("%s", text)
		}
		return rows.Err()
	})
	if err != nil {
		line("its rows cannot be read: %v", err)
	}
	for name, stand := range c.stands {
		for _, a := range f.order.last.Attempts {
			for _, id := range append(a.References, struct{ Kind, Value string }{"attempt", a.ID}) {
				sent, err := stand.CallbacksOf(c.ctx, id.Value)
				if err != nil {
					line("%v", err)
				}
				for _, cb := range sent {
					line("%s sent %s at %s: %s after %d tries, last status %d (names its %s)",
						name, cb.Type, cb.Created.Format("15:04:05.000"), cb.State, cb.Tries, cb.LastStatus, id.Kind)
				}
			}
		}
	}
}
