package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/hub/internal/payments"
	"github.com/superpayhub/superpay/hub/internal/postgres"
)

// Notification is one notification to one endpoint.
type Notification struct {
	ID          string     `json:"id" doc:"The webhook-id that it is sent with: the same at each try"`
	EndpointID  string     `json:"endpoint_id" doc:"The endpoint that it is for"`
	OrderID     string     `json:"order_id,omitempty"`
	Type        string     `json:"type" doc:"order. and the new status, order.authorization_expiring (capture it soon, or the approval is lost), or order.updated; webhook_endpoint.disabled is about another endpoint of yours" example:"order.paid"`
	Version     int64      `json:"version" doc:"The order's; order of arrival is not promised"`
	State       string     `json:"state" enum:"pending,delivered,failed"`
	Tries       int        `json:"tries" doc:"How often it was sent"`
	LastStatus  int        `json:"last_status,omitempty" doc:"HTTP status of your last answer; absent if there was none"`
	LastError   string     `json:"last_error,omitempty" doc:"Why the last try failed"`
	NextTryAt   *time.Time `json:"next_try_at,omitempty" doc:"When it is sent again; absent when it is not"`
	CreatedAt   time.Time  `json:"created_at"`
	DeliveredAt *time.Time `json:"delivered_at,omitempty" doc:"When you answered 2xx"`
}

// Delivery is one try of a notification.
type Delivery struct {
	At     time.Time  `json:"at" doc:"When it was sent"`
	URL    string     `json:"url" doc:"Where to"`
	Status int        `json:"status,omitempty" doc:"HTTP status of your answer; absent if there was none"`
	Error  string     `json:"error,omitempty" doc:"Why it failed, if it did"`
	TookMS int        `json:"took_ms" doc:"How long it took, in milliseconds"`
	Answer *string    `json:"answer,omitempty" doc:"The first 4 KB of your answer; dropped after a month, unless the operator says otherwise"`
	NextAt *time.Time `json:"next_at,omitempty" doc:"When it was to be sent again, if it was"`
}

// NotificationDetail is a notification with what was sent, and each try.
type NotificationDetail struct {
	Notification
	Payload    json.RawMessage `json:"payload" doc:"What is sent, as it was written with the change"`
	Deliveries []Delivery      `json:"deliveries" doc:"The tries, the newest first, at most 100"`
}

func notificationOf(n postgres.Notification) Notification {
	return Notification{
		n.ID, n.EndpointID, n.OrderID, n.Type, n.Version, n.State, n.Tries, n.LastStatus, n.LastError, n.DueAt, n.CreatedAt, n.DeliveredAt,
	}
}

// ListNotificationsInput filters the log of notifications.
type ListNotificationsInput struct {
	OrderID    string    `query:"order_id" maxLength:"60"`
	EndpointID string    `query:"endpoint_id" maxLength:"60" doc:"Only those for this endpoint"`
	Type       string    `query:"type" maxLength:"60" doc:"Only those of this type, as order.paid"`
	State      string    `query:"state" enum:"pending,delivered,failed"`
	From       time.Time `query:"from" doc:"Made at or after"`
	To         time.Time `query:"to" doc:"Made before"`
	Cursor     string    `query:"cursor" maxLength:"120"`
	Limit      int       `query:"limit" default:"20" minimum:"1" maximum:"100"`
}

// NotificationPage is one page of the log, the newest first.
type NotificationPage struct {
	Body struct {
		Data []Notification `json:"data"`
		Next string         `json:"next,omitempty"`
	}
}

func (s *server) listNotifications(ctx context.Context, in *ListNotificationsInput) (*NotificationPage, error) {
	if err := checkCursor(postgres.NotificationID, in.Cursor); err != nil {
		return nil, err
	}
	all, err := s.DB.Notifications(ctx, postgres.NotificationFilter{
		AppID: caller(ctx, "").App.ID, OrderID: in.OrderID, EndpointID: in.EndpointID, Type: in.Type, State: in.State,
		From: in.From, To: in.To, Before: in.Cursor, Limit: in.Limit + 1,
	})
	out := &NotificationPage{}
	out.Body.Data = []Notification{}
	for i, n := range all {
		if i == in.Limit {
			out.Body.Next = all[i-1].ID
			break
		}
		out.Body.Data = append(out.Body.Data, notificationOf(n))
	}
	return out, err
}

// NotificationID is the path of a notification.
type NotificationID struct {
	ID string `path:"id" maxLength:"120"`
}

// NotificationOutput answers with a notification.
type NotificationOutput struct{ Body NotificationDetail }

func (s *server) getNotification(ctx context.Context, in *NotificationID) (*NotificationOutput, error) {
	n, tries, err := s.DB.Notification(ctx, caller(ctx, "").App.ID, in.ID)
	if err != nil {
		return nil, payments.NotFound(err, "notification")
	}
	out := NotificationDetail{Notification: notificationOf(n), Payload: json.RawMessage(n.Payload), Deliveries: []Delivery{}}
	for _, t := range tries {
		out.Deliveries = append(out.Deliveries, Delivery{t.At, t.URL, t.Status, t.Error, t.TookMS, t.Answer, t.NextAt})
	}
	return &NotificationOutput{out}, nil
}

func (s *server) resendNotification(ctx context.Context, in *NotificationID) (*struct{}, error) {
	err := s.DB.ResendNotification(ctx, caller(ctx, "").App.ID, in.ID, s.Payments.Now().UTC())
	if errors.Is(err, postgres.ErrDisabled) {
		return nil, ledger.Conflictf("endpoint_disabled", "its endpoint is disabled; POST /v1/webhook_endpoints/{id}/enable first")
	}
	if err == nil {
		s.Worker.Kick()
	}
	return nil, payments.NotFound(err, "notification")
}

// ResendFailedInput says which failed notifications are sent again.
type ResendFailedInput struct {
	Body struct {
		Since      time.Time `json:"since" doc:"Those made at or after"`
		EndpointID string    `json:"endpoint_id,omitempty" maxLength:"60" doc:"Only those for this endpoint"`
	}
}

// ResendFailedOutput tells how many were.
type ResendFailedOutput struct {
	Body struct {
		Resent int64 `json:"resent" doc:"How many are sent again"`
	}
}

func (s *server) resendFailed(ctx context.Context, in *ResendFailedInput) (*ResendFailedOutput, error) {
	n, err := s.DB.ResendFailed(ctx, postgres.NotificationFilter{
		AppID: caller(ctx, "").App.ID, EndpointID: in.Body.EndpointID, From: in.Body.Since,
	}, s.Payments.Now().UTC(), 10_000)
	out := &ResendFailedOutput{}
	out.Body.Resent = n
	if n > 0 {
		s.Worker.Kick()
	}
	return out, err
}

func registerNotifications(api huma.API, s *server) {
	const all, one = "/v1/webhook_endpoints", "/v1/webhook_endpoints/{id}"
	call(api, s, http.MethodPost, "add-webhook-endpoint", all, "Add a webhook endpoint",
		"Where the app wants notifications: Standard Webhooks, signed with the secret in the answer. An app has one endpoint at an address. Each carries the whole order and its version.", 201, s.addEndpoint)
	get(api, s, "list-webhook-endpoints", all, "List webhook endpoints", "Those of your app, the oldest first.", s.listEndpoints)
	call(api, s, http.MethodPost, "rotate-webhook-endpoint", one+"/rotate", "Rotate a webhook endpoint's secret", "Those before it sign beside the new one for a while, also when it is rotated again meanwhile.", 200, s.rotateEndpoint)
	call(api, s, http.MethodPost, "enable-webhook-endpoint", one+"/enable", "Enable a webhook endpoint again", "What waited for it is sent, and each order that changed while it was disabled, as it is now.", 200, s.enableEndpoint)
	call(api, s, http.MethodDelete, "delete-webhook-endpoint", one, "Delete a webhook endpoint", "And what was still to be sent to it.", 204, s.deleteEndpoint)
	get(api, s, "list-notifications", "/v1/notifications", "List notifications", "The newest first, each with how its delivery fares.", s.listNotifications)
	get(api, s, "get-notification", "/v1/notifications/{id}", "Read a notification", "With what was sent, and how each try went.", s.getNotification)
	call(api, s, http.MethodPost, "resend-notification", "/v1/notifications/{id}/resend", "Send a notification again", "Whatever became of it.", 204, s.resendNotification)
	call(api, s, http.MethodPost, "resend-failed-notifications", "/v1/notifications/resend", "Send all that failed again",
		"Those that were given up, the oldest first; not those of a disabled endpoint. At most 10000 at once: repeat the call while `resent` is that many.", 200, s.resendFailed)
}
