package ledger

import (
	"bytes"
	"encoding/json"
	"time"
)

// Event is one line of an order's timeline. Events are only ever added, until all
// of an old order's are archived.
type Event struct {
	ID        string    `json:"id"`
	OrderID   string    `json:"order_id"`
	AttemptID string    `json:"attempt_id,omitempty"`
	At        time.Time `json:"at"`
	Kind      string    `json:"kind"`
	Source    Source    `json:"source"`
	RequestID string    `json:"request_id"`
	Data      Data      `json:"data"`
}

// Data is what an event tells beside its kind.
type Data map[string]any

// UnmarshalJSON keeps numbers as they are written: as float64, amounts beyond
// 2^53 would change.
func (d *Data) UnmarshalJSON(doc []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(doc))
	decoder.UseNumber()
	var m map[string]any
	if err := decoder.Decode(&m); err != nil {
		return err
	}
	*d = m
	return nil
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
