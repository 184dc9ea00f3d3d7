package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	stripe "github.com/stripe/stripe-go/v76"

	"github.com/superpayhub/superpay/sdk"
	"github.com/superpayhub/superpay/sdk/once"
)

// ourMark is in the metadata of the endpoints that Connect made; only those may be
// deleted.
const ourMark = "superpay_endpoint"

func isOurs(e *stripe.WebhookEndpoint) bool { return e.Metadata[ourMark] != "" }
func byHand(e *stripe.WebhookEndpoint) bool { return !isOurs(e) }

// callers are the endpoints at Stripe that the hub has to do with.
type callers struct {
	current *stripe.WebhookEndpoint   // the one whose secret the settings have; nil: there is none
	others  []*stripe.WebhookEndpoint // with the hub's address
}

// lookAtEndpoint judges the endpoint by which Stripe calls the hub, and before that
// makes it right if it may.
func (c *connection) lookAtEndpoint(ctx context.Context) error {
	if c.callback == "" {
		c.wrong("The hub was not told its public address, so Stripe cannot be told where to call: set server.public_url in the settings file, or HUB_SERVER__PUBLIC_URL.")
		return nil
	}
	if c.localOnly() {
		c.endpoint = append(c.endpoint, sdk.Finding{Subject: sdk.FindingEndpoint, OK: true, Text: "The hub's address, " + c.callback +
			", is of its own machine, which Stripe cannot call: `stripe listen` brings the events, signed with the secret that it prints."})
		return nil
	}
	c.asking = "list the webhook endpoints"
	all, err := c.endpoints(ctx)
	if isStatus(err, http.StatusForbidden) {
		c.lacks(endpointPermission, err)
		return nil
	}
	if err != nil {
		return err
	}
	s := c.callers(all)
	switch insecure := !strings.HasPrefix(c.callback, "https://"); {
	case insecure && c.settings.mode == sdk.Live:
		c.wrong("Stripe calls only https in live mode, and the hub's address is " + c.callback + ": set server.public_url to its https address.")
	case c.repair:
		if err := c.refused(c.mend(ctx, &s)); err != nil {
			return err
		}
	}
	c.judge(s)
	return nil
}

// localOnly reports whether the hub is tried out on its own machine with the real
// Stripe, in test mode.
func (c *connection) localOnly() bool {
	u, err := url.Parse(c.callback)
	return err == nil && c.settings.mode == sdk.Test && c.settings.apiURL == stripe.APIURL && isLoopback(u.Hostname())
}

// maxEndpoints bounds the list; Stripe allows 16 in each mode.
const maxEndpoints = 5 * pageSize

// endpoints returns all that the account has.
func (c *connection) endpoints(ctx context.Context) ([]*stripe.WebhookEndpoint, error) {
	params := &stripe.WebhookEndpointListParams{}
	params.Context, params.Limit = ctx, stripe.Int64(pageSize)
	data := func(l stripe.ListContainer) []*stripe.WebhookEndpoint { return l.(*stripe.WebhookEndpointList).Data }
	var all []*stripe.WebhookEndpoint
	whole, err := walk(c.api.WebhookEndpoints.List(params).Iter, data, maxEndpoints, func(e *stripe.WebhookEndpoint) bool {
		all = append(all, e)
		return e.ID != ""
	})
	if err == nil && !whole {
		err = once.ErrUnreadable
	}
	return all, err
}

// callers finds the current endpoint: the one that the settings name, or, where
// they name none, one with the hub's address that a person made and took the secret
// of. An endpoint of ours that the settings do not name was made by a call whose
// answer was lost: nobody knows its secret.
func (c *connection) callers(all []*stripe.WebhookEndpoint) callers {
	var s callers
	for _, e := range all {
		switch known := len(c.settings.webhookSecrets) > 0; {
		case e.ID == c.settings.webhookEndpoint && known:
			s.current = e
		case e.URL == c.callback:
			s.others = append(s.others, e)
		}
	}
	if c.settings.webhookEndpoint != "" || len(c.settings.webhookSecrets) == 0 {
		return s
	}
	for _, e := range s.others {
		better := s.current == nil || len(c.faults(s.current)) > 0 && len(c.faults(e)) == 0
		if byHand(e) && better {
			s.current = e
		}
	}
	s.others = slices.DeleteFunc(s.others, func(e *stripe.WebhookEndpoint) bool { return e == s.current })
	return s
}

// mend makes one endpoint right. Stripe changes an endpoint's address, events and
// state, never its version (docs.stripe.com/api/webhook_endpoints/update), and shows
// a secret only in the answer that made it; a new endpoint has to take its place
// then. The one before it goes only at a later call, when the settings name the new
// one: were this answer lost, no secret would be known of what is left.
func (c *connection) mend(ctx context.Context, s *callers) error {
	before := s.current
	named := before != nil && before.ID == c.settings.webhookEndpoint
	wasRight := named && len(c.faults(before)) == 0
	if before != nil {
		updated, err := c.update(ctx, before)
		if err != nil {
			return err
		}
		s.current = updated
	}
	switch {
	case s.current == nil || s.current.APIVersion != stripe.APIVersion:
		return c.create(ctx, s)
	case wasRight:
		return c.clear(ctx, s)
	case !named && !slices.ContainsFunc(s.others, byHand): // else the secret may be another's
		c.keep = sdk.Settings{"webhook_endpoint": s.current.ID}
	}
	return nil
}

// keyOfItsOwn is an idempotency key that no other request has. With the key of an
// earlier call Stripe would answer what it answered then, of an endpoint that may be
// gone; without one the library would make one of the clock.
func keyOfItsOwn() string { return "connect_" + rand.Text() }

// update corrects what may be corrected, and returns the endpoint as it is then.
func (c *connection) update(ctx context.Context, e *stripe.WebhookEndpoint) (*stripe.WebhookEndpoint, error) {
	params := &stripe.WebhookEndpointParams{Params: post(ctx, keyOfItsOwn())}
	missing, needless := eventsOf(e)
	asked := false
	if e.URL != c.callback {
		params.URL, asked = &c.callback, true
	}
	if len(missing)+len(needless) > 0 {
		params.EnabledEvents, asked = stripe.StringSlice(endpointEvents()), true
	}
	if e.Status != enabled {
		params.Disabled, asked = stripe.Bool(false), true
	}
	if !asked {
		return e, nil
	}
	c.asking = "update the webhook endpoint " + e.ID
	updated, err := c.api.WebhookEndpoints.Update(e.ID, params)
	if err == nil && updated.ID != e.ID {
		err = once.ErrUnreadable
	}
	return updated, err
}

// maxSecrets are kept: the new one, and those of endpoints whose events may still
// be on their way.
const maxSecrets = 3

// create makes a new endpoint the current one, and its secret the first of those kept.
func (c *connection) create(ctx context.Context, s *callers) error {
	c.asking = "create a webhook endpoint"
	e, err := c.api.WebhookEndpoints.New(&stripe.WebhookEndpointParams{
		Params: post(ctx, keyOfItsOwn()), URL: &c.callback, EnabledEvents: stripe.StringSlice(endpointEvents()),
		APIVersion: stripe.String(stripe.APIVersion), Description: stripe.String("Payments (superpay)"),
		Metadata: map[string]string{ourMark: "1"},
	})
	if err == nil && (e.ID == "" || !webhookSecretPrefix.MatchString(e.Secret)) {
		err = once.ErrUnreadable
	}
	if err != nil {
		return err
	}
	kept := append([]string{e.Secret}, c.settings.webhookSecrets...)
	c.keep = sdk.Settings{
		"webhook_endpoint": e.ID,
		"webhook_secret":   strings.Join(kept[:min(len(kept), maxSecrets)], ","),
	}
	if s.current != nil {
		s.others = append(s.others, s.current)
	}
	s.current = e
	return nil
}

// clear deletes the endpoints of ours whose place the current one took.
func (c *connection) clear(ctx context.Context, s *callers) error {
	for _, e := range slices.Clone(s.others) {
		if !isOurs(e) {
			continue
		}
		c.asking = "delete the webhook endpoint " + e.ID
		_, err := c.api.WebhookEndpoints.Del(e.ID, &stripe.WebhookEndpointParams{Params: post(ctx, keyOfItsOwn())})
		if err != nil && !isMissing(err) {
			return err
		}
		s.others = slices.DeleteFunc(s.others, func(o *stripe.WebhookEndpoint) bool { return o == e })
	}
	return nil
}

// refused takes Stripe's no to a change as a finding, and returns every other error.
func (c *connection) refused(err error) error {
	var se *stripe.Error
	switch {
	case isStatus(err, http.StatusForbidden):
		c.lacks(endpointPermission, err)
		return nil
	case isStatus(err, http.StatusBadRequest) && errors.As(err, &se) && isFinal(se):
		c.wrong("Stripe refuses the endpoint for " + c.callback + ": " + cmp.Or(scrub(se.Msg), "it gives no reason"))
		return nil
	}
	return err
}
