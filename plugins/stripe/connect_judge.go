package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	stripe "github.com/stripe/stripe-go/v76"

	"github.com/superpayhub/superpay/sdk"
)

const enabled = "enabled"

// eventsOf returns what an endpoint should send and does not, and what it sends and
// nothing reads. "*" sends all.
func eventsOf(e *stripe.WebhookEndpoint) (missing, needless []string) {
	for _, name := range endpointEvents() {
		if !slices.Contains(e.EnabledEvents, name) && !slices.Contains(e.EnabledEvents, "*") {
			missing = append(missing, name)
		}
	}
	for _, name := range e.EnabledEvents {
		if readers[name] == nil {
			needless = append(needless, name)
		}
	}
	return missing, needless
}

// faults says in words all that is wrong with an endpoint.
func (c *connection) faults(e *stripe.WebhookEndpoint) []string {
	var out []string
	missing, needless := eventsOf(e)
	if e.URL != c.callback {
		out = append(out, "calls another address than the hub's, "+c.callback)
	}
	if e.Status != enabled {
		out = append(out, "is disabled: Stripe calls the hub about nothing")
	}
	if e.APIVersion != stripe.APIVersion {
		version := cmp.Or(scrub(e.APIVersion), "the account's default")
		out = append(out, fmt.Sprintf("has API version %s and not %s: each event costs a read", version, stripe.APIVersion))
	}
	if len(missing) > 0 {
		out = append(out, "does not send "+strings.Join(missing, ", "))
	}
	if len(needless) > 0 && !slices.Contains(needless, "*") {
		out = append(out, "sends what nothing here reads: "+scrub(strings.Join(needless, ", ")))
	}
	return out
}

// judge notes how the endpoint stands.
func (c *connection) judge(s callers) {
	if s.current == nil {
		c.wrong(c.absence(s) + c.hint())
		return
	}
	for _, fault := range c.faults(s.current) {
		c.wrong("The endpoint " + s.current.ID + " " + fault + "." + c.hint())
	}
	if len(c.faults(s.current)) == 0 {
		text := fmt.Sprintf("The endpoint %s calls %s, with API version %s.", s.current.ID, c.callback, stripe.APIVersion)
		if slices.Contains(s.current.EnabledEvents, "*") {
			text += " It sends all events (*), more than are read here." + c.hint()
		}
		c.endpoint = append(c.endpoint, sdk.Finding{Subject: sdk.FindingEndpoint, OK: true, Text: text})
	}
	for _, e := range s.others {
		switch {
		case e.Status != enabled: // it sends nothing
		case isOurs(e):
			c.wrong(fmt.Sprintf("The endpoint %s, which an earlier connect made, has the same address: each event arrives twice. `hub provider connect` deletes it once the settings hold %s and it is right.", e.ID, s.current.ID))
		default:
			c.wrong(fmt.Sprintf("The endpoint %s has the same address, and the hub did not make it: each event arrives twice. Delete it at %s.", e.ID, c.dashboard("webhooks")))
		}
	}
}

// absence says why there is no endpoint whose events could be verified.
func (c *connection) absence(s callers) string {
	named := c.settings.webhookEndpoint
	switch {
	case len(s.others) > 0:
		return fmt.Sprintf("The endpoint %s calls %s, and its signing secret is not in the settings: its events cannot be verified.", s.others[0].ID, c.callback)
	case named != "" && len(c.settings.webhookSecrets) == 0:
		return "The signing secret of the endpoint " + named + " is not in the settings (webhook_secret): its events cannot be verified."
	case named != "":
		return "The endpoint " + named + " of the settings is not at Stripe, and no other calls " + c.callback + "."
	}
	return "No endpoint at Stripe calls " + c.callback + ": the hub learns of payments only when it asks."
}

// hint says who mends it, where that was not just tried.
func (c *connection) hint() string {
	if c.repair {
		return ""
	}
	return " `hub provider connect` mends this."
}

func (c *connection) wrong(text string) {
	c.endpoint = append(c.endpoint, sdk.Finding{Subject: sdk.FindingEndpoint, Text: text})
}
