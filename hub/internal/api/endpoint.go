package api

import (
	"context"
	"time"

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
	OptionalKey
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
	e, err := s.Worker.Sender.AddEndpoint(ctx, caller(ctx, "").App.ID, in.Body.URL, in.IdempotencyKey)
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
	OptionalKey
	OverlapHours int `query:"overlap_hours" default:"24" minimum:"0" maximum:"168" doc:"How long the secrets before it sign beside the new one"`
}

func (s *server) rotateEndpoint(ctx context.Context, in *RotateInput) (*EndpointOutput, error) {
	e, err := s.Worker.Sender.RotateEndpoint(ctx, caller(ctx, "").App.ID, in.ID, time.Duration(in.OverlapHours)*time.Hour, in.IdempotencyKey)
	return &EndpointOutput{endpointOf(e)}, payments.NotFound(err, "webhook endpoint")
}

func (s *server) enableEndpoint(ctx context.Context, in *EndpointID) (*EndpointOutput, error) {
	app := caller(ctx, "").App.ID
	if err := s.Worker.Sender.EnableEndpoint(ctx, app, in.ID); err != nil {
		return nil, payments.NotFound(err, "webhook endpoint")
	}
	s.Worker.Kick()
	e, err := s.DB.Endpoint(ctx, app, in.ID)
	return &EndpointOutput{endpointOf(e)}, err
}
