package samples_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/stripe/stripe-go/v85"
)

func TestWebhookEndpoint_CreateListUpdateDelete(t *testing.T) {
	sc := client(t)
	made := must(sc.V1WebhookEndpoints.Create(background(), &stripe.WebhookEndpointCreateParams{
		EnabledEvents: []*string{stripe.String("charge.succeeded"), stripe.String("charge.failed")},
		URL:           stripe.String("https://example.com/my/webhook/endpoint"),
	}))(t)
	if made.Secret == "" {
		t.Fatal("the answer that creates an endpoint shows its secret")
	}
	found := false
	for _, one := range all(t, sc.V1WebhookEndpoints.List(background(), &stripe.WebhookEndpointListParams{}).All(background())) {
		found = found || one.ID == made.ID
	}
	equal(t, "listed", found, true)
	changed := must(sc.V1WebhookEndpoints.Update(background(), made.ID, &stripe.WebhookEndpointUpdateParams{
		URL: stripe.String("https://example.com/new_endpoint"),
	}))(t)
	equal(t, "url", changed.URL, "https://example.com/new_endpoint")
	gone := must(sc.V1WebhookEndpoints.Delete(background(), made.ID, nil))(t)
	equal(t, "deleted", gone.Deleted, true)
}

// TestWebhook_ConstructEvent: the event is in the API version of its endpoint, and the
// library must be told that this may be another than its own.
func TestWebhook_ConstructEvent(t *testing.T) {
	sc := client(t)
	address, calls := webhook(t)
	endpoint := must(sc.V1WebhookEndpoints.Create(background(), &stripe.WebhookEndpointCreateParams{
		EnabledEvents: []*string{stripe.String("charge.succeeded")}, URL: &address, APIVersion: stripe.String(served),
	}))(t)
	t.Cleanup(func() { must(sc.V1WebhookEndpoints.Delete(background(), endpoint.ID, nil))(t) })
	paid := charge(t, sc, "tok_visa", true)
	call := <-calls
	event := must(sc.ConstructEvent(call.body, call.signature, endpoint.Secret, stripe.WithIgnoreAPIVersionMismatch()))(t)
	equal(t, "version", event.APIVersion, served)
	var object stripe.Charge
	if err := json.Unmarshal(event.Data.Raw, &object); err != nil {
		t.Fatal(err)
	}
	equal(t, "charge", object.ID, paid.ID)
	read := must(sc.V1Events.Retrieve(background(), event.ID, nil))(t)
	equal(t, "type", read.Type, stripe.EventTypeChargeSucceeded)

	_, err := sc.ConstructEvent(call.body, call.signature, "whsec_of_another", stripe.WithIgnoreAPIVersionMismatch())
	equal(t, "a wrong secret is noticed", errors.Is(err, stripe.ErrWebhookNoValidSignature), true)
	if _, err = sc.ConstructEvent(call.body, call.signature, endpoint.Secret); err == nil {
		t.Fatal("the library took an event of another version than its own")
	}
}

// TestThinEvent_ParseEventNotification: the notification names its object, which is
// fetched, and so is the whole event.
func TestThinEvent_ParseEventNotification(t *testing.T) {
	sc := client(t)
	address, calls := webhook(t)
	destination := must(sc.V2CoreEventDestinations.Create(background(), &stripe.V2CoreEventDestinationCreateParams{
		Name: stripe.String("My destination"), Type: stripe.String("webhook_endpoint"), EventPayload: stripe.String("thin"),
		EnabledEvents:   []*string{stripe.String("v1.charge.succeeded")},
		WebhookEndpoint: &stripe.V2CoreEventDestinationCreateWebhookEndpointParams{URL: &address},
		Include:         []*string{stripe.String("webhook_endpoint.signing_secret")},
	}))(t)
	t.Cleanup(func() { must(sc.V2CoreEventDestinations.Delete(background(), destination.ID, nil))(t) })
	paid := charge(t, sc, "tok_visa", true)
	call := <-calls
	parsed := must(sc.ParseEventNotification(call.body, call.signature, destination.WebhookEndpoint.SigningSecret))(t)
	notification, known := parsed.(*stripe.UnknownEventNotification)
	if !known {
		t.Fatalf("it is a %T", parsed)
	}
	equal(t, "type", notification.Type, "v1.charge.succeeded")
	equal(t, "object", notification.RelatedObject.ID, paid.ID)
	object := must(notification.FetchRelatedObject(background()))(t)
	var read stripe.Charge
	if err := json.Unmarshal(object.LastResponse.RawJSON, &read); err != nil {
		t.Fatal(err)
	}
	equal(t, "charge", read.ID, paid.ID)
	event := must(notification.FetchEvent(background()))(t)
	raw, known := event.(*stripe.V2CoreRawEvent)
	equal(t, "an event without a type of its own", known, true)
	equal(t, "event", raw.ID, notification.ID)
}
