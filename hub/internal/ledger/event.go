package ledger

import (
	"time"
)

// Event is one line of an order's timeline. Events are only ever added, until all
// of an old order's are archived.
type Event struct {
	ID        string         `json:"id"`
	OrderID   string         `json:"order_id"`
	AttemptID string         `json:"attempt_id,omitempty"`
	At        time.Time      `json:"at"`
	Kind      string         `json:"kind"`
	Source    Source         `json:"source"`
	RequestID string         `json:"request_id"`
	Data      map[string]any `json:"data"`
}

// Source says where a change comes from.
type Source string

const (
	FromApp       Source = "app"
	FromCallback  Source = "callback"
	FromRead      Source = "read"
	FromOperation Source = "operation"
	FromHub       Source = "hub"
	FromOperator  Source = "operator"
)
