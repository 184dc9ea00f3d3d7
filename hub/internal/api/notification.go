package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/hub/internal/notifications"
	"github.com/superpayhub/superpay/hub/internal/payments"
	"github.com/superpayhub/superpay/hub/internal/postgres"
)

// Endpoint is where an app wants notifications.
type Endpoint struct {
	ID             string     `json:"id"`
	URL            string     `json:"url"`
	Secret         string     `json:"secret,omitempty" doc:"Signs the notifications. Shown once, when it was just made"`
	Status         string     `json:"status" enum:"enabled,failing,disabled"`
	FailingSince   *time.Time `json:"failing_since,omitempty"`
	DisabledReason string     `json:"disabled_reason,omitempty"`
	CreatedAt      time.Time  `json:"created_at"`
}

// Notification is one notification to one endpoint.
type Notification struct {
	ID          string     `json:"id" doc:"The webhook-id that it is sent with: the same at each try"`
	EndpointID  string     `json:"endpoint_id"`
	OrderID     string     `json:"order_id"`
	Type        string     `json:"type" example:"order.paid"`
	Version     int64      `json:"version" doc:"The order's; order of arrival is not promised"`
	State       string     `json:"state" enum:"pending,delivered,failed"`
	Tries       int        `json:"tries"`
	LastStatus  int        `json:"last_status,omitempty"`
	LastError   string     `json:"last_error,omitempty"`
	NextTryAt   *time.Time `json:"next_try_at,omitempty"`
	CreatedAt   time.Time  `json:"created_at"`
	DeliveredAt *time.Time `json:"delivered_at,omitempty"`
}

func endpointOf(e postgres.Endpoint) Endpoint {
	out := Endpoint{ID: e.ID, URL: e.URL, Secret: e.Secret, Status: "enabled", FailingSince: e.FailingSince, DisabledReason: e.DisabledReason, CreatedAt: e.CreatedAt}
	switch {
	case e.DisabledAt != nil:
		out.Status = "disabled"
	case e.FailingSince != nil:
		out.Status = "failing"
	}
	return out
}

// EndpointInput names an address.
type EndpointInput struct {
	Body struct {
		URL string `json:"url" minLength:"1" maxLength:"2000" doc:"https, and reachable from outside" example:"https://shop.example/superpay"`
	}
}

// EndpointID is the path of an endpoint.
type EndpointID struct {
	ID string `path:"id" maxLength:"60"`
}

// EndpointOutput answers with an endpoint.
type EndpointOutput struct{ Body Endpoint }

func (s *server) addEndpoint(ctx context.Context, in *EndpointInput) (*EndpointOutput, error) {
	if why := s.Worker.Sender.CheckURL(in.Body.URL); why != "" {
		return nil, ledger.Invalidf("url", "%s", why)
	}
	now := time.Now().UTC()
	e := postgres.Endpoint{ID: ledger.NewID("whe", now), AppID: caller(ctx, "").App.ID, URL: in.Body.URL, Secret: notifications.NewSecret(), CreatedAt: now}
	err := s.DB.AddEndpoint(ctx, e, notifications.MaxEndpoints)
	if errors.Is(err, postgres.ErrDuplicate) {
		return nil, ledger.Conflictf("too_many_endpoints", "an app can have %d endpoints; delete one first", notifications.MaxEndpoints)
	}
	return &EndpointOutput{endpointOf(e)}, err
}

// EndpointList is all of an app's endpoints.
type EndpointList struct {
	Body struct {
		Data []Endpoint `json:"data"`
	}
}

func (s *server) listEndpoints(ctx context.Context, _ *struct{}) (*EndpointList, error) {
	all, err := s.DB.Endpoints(ctx, caller(ctx, "").App.ID)
	out := &EndpointList{}
	out.Body.Data = []Endpoint{}
	for _, e := range all {
		out.Body.Data = append(out.Body.Data, endpointOf(e))
	}
	return out, err
}

func (s *server) deleteEndpoint(ctx context.Context, in *EndpointID) (*struct{}, error) {
	return nil, payments.NotFound(s.DB.DeleteEndpoint(ctx, caller(ctx, "").App.ID, in.ID), "webhook endpoint")
}

// RotateInput says how long the old secret still signs.
type RotateInput struct {
	EndpointID
	OverlapHours int `query:"overlap_hours" default:"24" minimum:"0" maximum:"168" doc:"How long the old secret signs beside the new one"`
}

func (s *server) rotateEndpoint(ctx context.Context, in *RotateInput) (*EndpointOutput, error) {
	app, secret := caller(ctx, "").App.ID, notifications.NewSecret()
	until := time.Now().UTC().Add(time.Duration(in.OverlapHours) * time.Hour)
	if err := s.DB.RotateEndpoint(ctx, app, in.ID, secret, until); err != nil {
		return nil, payments.NotFound(err, "webhook endpoint")
	}
	e, err := s.DB.Endpoint(ctx, app, in.ID)
	e.Secret = secret
	return &EndpointOutput{endpointOf(e)}, err
}

func (s *server) enableEndpoint(ctx context.Context, in *EndpointID) (*EndpointOutput, error) {
	app := caller(ctx, "").App.ID
	if err := s.DB.EnableEndpoint(ctx, app, in.ID); err != nil {
		return nil, payments.NotFound(err, "webhook endpoint")
	}
	s.Worker.Kick()
	e, err := s.DB.Endpoint(ctx, app, in.ID)
	return &EndpointOutput{endpointOf(e)}, err
}

// ListNotificationsInput filters the log of notifications.
type ListNotificationsInput struct {
	OrderID string `query:"order_id" maxLength:"60"`
	State   string `query:"state" enum:"pending,delivered,failed"`
	Cursor  string `query:"cursor" maxLength:"120"`
	Limit   int    `query:"limit" default:"20" minimum:"1" maximum:"100"`
}

// NotificationPage is one page of the log, the newest first.
type NotificationPage struct {
	Body struct {
		Data []Notification `json:"data"`
		Next string         `json:"next,omitempty"`
	}
}

func (s *server) listNotifications(ctx context.Context, in *ListNotificationsInput) (*NotificationPage, error) {
	all, err := s.DB.Notifications(ctx, caller(ctx, "").App.ID, in.OrderID, in.State, in.Cursor, in.Limit+1)
	out := &NotificationPage{}
	out.Body.Data = []Notification{}
	for i, n := range all {
		if i == in.Limit {
			out.Body.Next = all[i-1].ID
			break
		}
		out.Body.Data = append(out.Body.Data, Notification{
			n.ID, n.EndpointID, n.OrderID, n.Type, n.Version, n.State, n.Tries, n.LastStatus, n.LastError, n.DueAt, n.CreatedAt, n.DeliveredAt,
		})
	}
	return out, err
}

// NotificationID is the path of a notification.
type NotificationID struct {
	ID string `path:"id" maxLength:"120"`
}

func (s *server) resendNotification(ctx context.Context, in *NotificationID) (*struct{}, error) {
	err := s.DB.ResendNotification(ctx, caller(ctx, "").App.ID, in.ID, time.Now().UTC())
	if err == nil {
		s.Worker.Kick()
	}
	return nil, payments.NotFound(err, "notification")
}

func registerNotifications(api huma.API, s *server) {
	const all, one = "/v1/webhook_endpoints", "/v1/webhook_endpoints/{id}"
	call(api, s, http.MethodPost, "add-webhook-endpoint", all, "Add a webhook endpoint",
		"Where the app wants notifications: Standard Webhooks, signed with the secret in the answer. Each carries the whole order and its version.", 201, s.addEndpoint)
	get(api, s, "list-webhook-endpoints", all, "List webhook endpoints", "", s.listEndpoints)
	call(api, s, http.MethodPost, "rotate-webhook-endpoint", one+"/rotate", "Rotate a webhook endpoint's secret", "The old one signs beside the new one for a while.", 200, s.rotateEndpoint)
	call(api, s, http.MethodPost, "enable-webhook-endpoint", one+"/enable", "Enable a webhook endpoint again", "", 200, s.enableEndpoint)
	call(api, s, http.MethodDelete, "delete-webhook-endpoint", one, "Delete a webhook endpoint", "And what was still to be sent to it.", 204, s.deleteEndpoint)
	get(api, s, "list-notifications", "/v1/notifications", "List notifications", "The newest first, each with how its delivery fares.", s.listNotifications)
	call(api, s, http.MethodPost, "resend-notification", "/v1/notifications/{id}/resend", "Send a notification again", "", 204, s.resendNotification)
}
