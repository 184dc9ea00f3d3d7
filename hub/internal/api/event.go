package api

import (
	"context"
	"time"

	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/hub/internal/payments"
)

// Event is one line of an order's timeline.
type Event struct {
	ID        string         `json:"id"`
	At        time.Time      `json:"at" doc:"When"`
	Kind      string         `json:"kind" doc:"What, as order.paid, operation.succeeded, refund.pending, attention.amount_mismatch"`
	Source    string         `json:"source" enum:"app,callback,read,operation,hub,operator" doc:"Who said so: app, your request; callback, the provider's call; read, the hub asked the provider; operation, the provider's answer; hub, the hub itself; operator, a person"`
	AttemptID string         `json:"attempt_id,omitempty"`
	RequestID string         `json:"request_id,omitempty" doc:"The request that it came with"`
	Data      map[string]any `json:"data" doc:"Details that depend on the kind"`
}

// ListEventsInput pages a timeline.
type ListEventsInput struct {
	OrderID
	Cursor string `query:"cursor" maxLength:"60"`
	Limit  int    `query:"limit" default:"100" minimum:"1" maximum:"500"`
}

// EventPage is one page of a timeline, the oldest first.
type EventPage struct {
	Body struct {
		Data []Event `json:"data"`
		Next string  `json:"next,omitempty"`
	}
}

func (s *server) listEvents(ctx context.Context, in *ListEventsInput) (*EventPage, error) {
	if err := checkCursor(ledger.EventID, in.Cursor); err != nil {
		return nil, err
	}
	if _, err := s.DB.Order(ctx, caller(ctx, "").App.ID, in.ID); err != nil {
		return nil, payments.NotFound(err, "order")
	}
	events, err := s.DB.Events(ctx, in.ID, in.Cursor, in.Limit+1)
	if err != nil {
		return nil, err
	}
	out := &EventPage{}
	out.Body.Data = []Event{}
	for i, e := range events {
		if i == in.Limit {
			out.Body.Next = events[i-1].ID
			break
		}
		out.Body.Data = append(out.Body.Data, Event{e.ID, e.At, e.Kind, string(e.Source), e.AttemptID, e.RequestID, e.Data})
	}
	return out, nil
}
