package api

import (
	"bytes"
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gofiber/fiber/v2"

	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/hub/internal/payments"
	"github.com/superpayhub/superpay/hub/internal/postgres"
	"github.com/superpayhub/superpay/sdk"
)

// callback hands a provider's call, untouched, to its plugin. 2xx means that
// it is on record; 503 asks the provider to send it again.
func (s *server) callback(c *fiber.Ctx) error {
	r := sdk.CallbackRequest{
		Method: c.Method(), Path: c.Path(), Query: string(c.Request().URI().QueryString()),
		Body: bytes.Clone(c.Request().Body()), // raw: what was signed, not what a decoder makes of it
	}
	for name, value := range c.Request().Header.All() {
		r.Headers = append(r.Headers, sdk.Header{Name: string(name), Value: string(value)})
	}
	name := c.Params("provider")
	ack, verdict, err := s.Payments.Callback(c.UserContext(), name, r)
	if verdict != "" {
		s.metrics.callbacks.WithLabelValues(name, string(verdict)).Inc()
	}
	if err != nil {
		return err
	}
	if ack.Status == 0 {
		ack.Status = fiber.StatusOK
	}
	if ack.ContentType != "" {
		c.Set(fiber.HeaderContentType, ack.ContentType)
	}
	return c.Status(ack.Status).Send(ack.Body)
}

// Callback is a provider's call about one of the app's orders, without its body.
type Callback struct {
	ID         string     `json:"id"`
	OrderID    string     `json:"order_id"`
	Provider   string     `json:"provider" doc:"Who called"`
	Type       string     `json:"type" doc:"The provider's word for what happened" example:"payment_intent.succeeded"`
	EventID    string     `json:"event_id" doc:"The provider's id of it"`
	Outcome    string     `json:"outcome" enum:"applied,no_news,ignored,unmatched,foreign,failed,parked,owed,unconfirmed" doc:"applied: it changed the order; no_news: it said what was known; failed: it could not be applied and is tried again; parked: nor after many tries; owed: no read of the provider shows yet what it says, the hub goes on reading; unconfirmed: nor did any in time"`
	Tries      int        `json:"tries" doc:"How often it was worked on with this outcome"`
	NextTryAt  *time.Time `json:"next_try_at,omitempty" doc:"When it is tried again; absent when it is not"`
	Replays    int        `json:"replays,omitempty" doc:"How often somebody had it replayed"`
	ReceivedAt time.Time  `json:"received_at" doc:"When it came"`
	UpdatedAt  time.Time  `json:"updated_at"`
}

// callbackOf leaves out the note: it is for the operator.
func callbackOf(cb *ledger.Callback) Callback {
	out := Callback{
		ID: cb.ID, OrderID: cb.OrderID, Provider: cb.Provider, Type: cb.Type, EventID: cb.EventID, Outcome: string(cb.Outcome),
		Tries: cb.Tries, Replays: len(cb.Replays), ReceivedAt: cb.ReceivedAt, UpdatedAt: cb.UpdatedAt,
	}
	if !cb.DueAt.IsZero() {
		out.NextTryAt = &cb.DueAt
	}
	return out
}

// CallbackOutput answers with a callback.
type CallbackOutput struct{ Body Callback }

// CallbackID is the path of a callback.
type CallbackID struct {
	ID string `path:"id" maxLength:"60"`
}

func (s *server) getCallback(ctx context.Context, in *CallbackID) (*CallbackOutput, error) {
	cb, err := s.DB.Callback(ctx, caller(ctx, "").App.ID, in.ID)
	if err != nil {
		return nil, payments.NotFound(err, "callback")
	}
	return &CallbackOutput{callbackOf(cb)}, nil
}

// ListCallbacksInput filters the list of callbacks.
type ListCallbacksInput struct {
	OrderID string `query:"order_id" maxLength:"60" doc:"Only those about this order"`
	Outcome string `query:"outcome" enum:"applied,no_news,ignored,unmatched,foreign,failed,parked,owed,unconfirmed" doc:"Only those"`
	Cursor  string `query:"cursor" maxLength:"60"`
	Limit   int    `query:"limit" default:"20" minimum:"1" maximum:"100"`
}

// CallbackPage is one page of callbacks, the newest first.
type CallbackPage struct {
	Body struct {
		Data []Callback `json:"data"`
		Next string     `json:"next,omitempty"`
	}
}

func (s *server) listCallbacks(ctx context.Context, in *ListCallbacksInput) (*CallbackPage, error) {
	if err := checkCursor(ledger.CallbackID, in.Cursor); err != nil {
		return nil, err
	}
	all, err := s.DB.Callbacks(ctx, postgres.CallbackFilter{
		AppID: caller(ctx, "").App.ID, OrderID: in.OrderID, Outcome: in.Outcome, Before: in.Cursor, Limit: in.Limit + 1,
	})
	if err != nil {
		return nil, err
	}
	out := &CallbackPage{}
	out.Body.Data = []Callback{}
	for i, cb := range all {
		if i == in.Limit {
			out.Body.Next = all[i-1].ID
			break
		}
		out.Body.Data = append(out.Body.Data, callbackOf(cb))
	}
	return out, nil
}

// ReplayInput says why.
type ReplayInput struct {
	CallbackID
	Body *struct {
		Why string `json:"why,omitempty" maxLength:"500" doc:"For the timeline"`
	}
}

func (s *server) replayCallback(ctx context.Context, in *ReplayInput) (*CallbackOutput, error) {
	app, why := caller(ctx, "").App, ""
	if in.Body != nil {
		why = in.Body.Why
	}
	cb, err := s.Payments.ReplayCallback(ctx, app.ID, in.ID, "app "+app.Name, why)
	if err != nil {
		return nil, err
	}
	return &CallbackOutput{callbackOf(cb)}, nil
}

func registerCallbacks(api huma.API, s *server) {
	get(api, s, "list-callbacks", "/v1/callbacks", "List callbacks", "What providers called about your orders, the newest first.", s.listCallbacks)
	get(api, s, "get-callback", "/v1/callbacks/{id}", "Read a callback", "", s.getCallback)
	call(api, s, http.MethodPost, "replay-callback", "/v1/callbacks/{id}/replay", "Replay a callback",
		"Has it checked and applied once more, as if it came now. Repeating that is harmless; the order's timeline says that you did.", 200, s.replayCallback)
}
