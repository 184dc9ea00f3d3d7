package main

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"

	"github.com/superpayhub/superpay/sdk"
	"github.com/superpayhub/superpay/sdk/once"
)

// connection is one call of Connect, with a client of its own: the process may be
// configured with other settings, or not at all.
type connection struct {
	api      *api
	settings settings
	callback string
	repair   bool
	found    sdk.Connection
}

// Connect implements sdk.Connector: it looks at the credentials, at what the REST
// app may read, and at the webhook by which PayPal calls the hub.
//
// The webhooks are listed before one is made, and PayPal takes an address only
// once, so a call whose answer was lost leaves nothing twice. No webhook is ever
// deleted: another system may be behind it.
func (p *Provider) Connect(ctx context.Context, r sdk.ConnectRequest) (*sdk.Connection, error) {
	s, err := parseConnectSettings(r.Settings)
	if err != nil {
		return nil, err
	}
	ctx, done := once.Within(ctx)
	defer done()
	pool := once.Pool()
	defer pool.CloseIdleConnections()
	c := &connection{api: newAPI(s, transportOver(pool)), settings: s, callback: r.Callback, repair: r.Repair}
	for _, look := range []func(context.Context) (bool, error){c.lookAtCredentials, c.lookAtPermissions, c.lookAtEndpoint} {
		more, err := look(ctx)
		if err != nil {
			return nil, err
		}
		if !more {
			break
		}
	}
	return &c.found, nil
}

func (c *connection) good(subject, text string) {
	c.found.Findings = append(c.found.Findings, sdk.Finding{Subject: subject, OK: true, Text: text})
}

func (c *connection) bad(subject, text string) {
	c.found.Findings = append(c.found.Findings, sdk.Finding{Subject: subject, Text: text})
}

// modes names what the developer dashboard calls a mode, and PayPal's system of it.
var modes = map[sdk.Mode]string{sdk.Live: "Live", sdk.Test: "Sandbox"}

// lookAtCredentials fetches a token, and reports whether there is more to look at.
// PayPal answers a client id or secret that it does not know with 401
// invalid_client, and does not say which of the two it is.
func (c *connection) lookAtCredentials(ctx context.Context) (bool, error) {
	t, err := c.api.fetch(ctx)
	mode := modes[c.settings.mode]
	switch {
	case statusOf(err) == http.StatusUnauthorized:
		c.bad(sdk.FindingCredentials, "PayPal refuses client_id and client_secret. Both must be of one REST app of this mode ("+
			string(c.settings.mode)+"): copy them from developer.paypal.com, Apps & Credentials, switch "+mode+".")
		return false, nil
	case err != nil:
		return false, notAuthorized(err)
	}
	c.api.token.Store(t)
	c.good(sdk.FindingCredentials, "PayPal takes the credentials, in mode "+string(c.settings.mode)+" (PayPal: "+mode+").")
	return true, nil
}

// readables are what the plugin reads by a permission that a REST app may lack.
// Orders and payments every app may read.
var readables = []struct{ path, text string }{
	{
		disputesPath + "?page_size=1",
		// "When you create an app, enable Disputes in the App feature options
		// section": PayPal's guide to the Disputes API.
		"PayPal does not let this REST app read disputes, so the hub does not learn of them, and a payment in dispute could be refunded " +
			"in full on top of it. Switch the feature Disputes on: developer.paypal.com, Apps & Credentials, the app, Features.",
	},
	{
		eventsPath + "?page_size=1",
		"PayPal does not let this REST app read its webhook events, so the hub cannot look for those that it missed. Look at the " +
			"app's features at developer.paypal.com, Apps & Credentials, and ask PayPal's support if it is none of them.",
	},
}

// lookAtPermissions reads one of each. The transaction search is a permission too,
// but nothing here uses it: see List.
func (c *connection) lookAtPermissions(ctx context.Context) (bool, error) {
	missing := false
	for _, r := range readables {
		err := c.api.send(ctx, get(r.path), &struct{}{})
		switch {
		case isDenied(err):
			c.bad(sdk.FindingPermission, r.text)
			missing = true
		case err != nil:
			return false, outcome("look at permissions", err)
		}
	}
	if !missing {
		c.good(sdk.FindingPermission, "The REST app may read disputes and webhook events.")
	}
	return true, nil
}

// lookAtEndpoint judges the webhook, and with repair makes it right.
func (c *connection) lookAtEndpoint(ctx context.Context) (bool, error) {
	if reason := c.uncallable(); reason != "" {
		c.bad(sdk.FindingEndpoint, reason)
		return false, nil
	}
	wanted, err := c.wantedTypes(ctx)
	if err != nil {
		return false, err
	}
	var raced error
	for range 2 { // what changed between the list and the change is seen in a second list
		if raced, err = c.settle(ctx, wanted); raced == nil || err != nil {
			return false, err
		}
	}
	if p := (*problem)(nil); !errors.As(raced, &p) || !p.is(addressTaken) {
		return false, outcome("change webhook", raced)
	}
	c.bad(sdk.FindingEndpoint, "PayPal says that there is a webhook with the address "+c.callback+" already, but shows it not among those of this "+
		"REST app. Remove it from the app that has it, at developer.paypal.com, Apps & Credentials, and connect again.")
	return false, nil
}

// uncallable says why PayPal could not call the hub. Its live system takes only
// https on port 443; in test mode that is left to PayPal, for a stand-in takes more.
func (c *connection) uncallable() string {
	if c.callback == "" {
		return "The hub was not told its public address, so PayPal cannot call it. Set server.public_url (HUB_SERVER__PUBLIC_URL)."
	}
	u, err := url.Parse(c.callback)
	if c.settings.mode == sdk.Live && (err != nil || u.Scheme != "https" || u.Port() != "" && u.Port() != "443") {
		return "PayPal calls only https addresses on port 443, and the hub's is " + c.callback +
			". Set server.public_url (HUB_SERVER__PUBLIC_URL) to such an address."
	}
	return ""
}

// wantedTypes are the event types that the webhook needs: those that PayPal
// documents, and of the others those that it lists. If it shows no list, none.
func (c *connection) wantedTypes(ctx context.Context) ([]string, error) {
	var list struct {
		Types []eventType `json:"event_types"`
	}
	err := c.api.send(ctx, get("/v1/notifications/webhooks-event-types"), &list)
	if err != nil && !isDenied(err) && !isMissing(err) {
		return nil, outcome("list event types", err)
	}
	wanted := slices.Clone(eventTypes)
	for _, name := range maybeTypes {
		if slices.Contains(list.Types, eventType{name}) {
			wanted = append(wanted, name)
		}
	}
	return wanted, nil
}

// isDenied reports whether PayPal answered that the REST app lacks the permission.
// Any other 403, of something in between, proves nothing.
func isDenied(err error) bool {
	var p *problem
	return errors.As(err, &p) && p.status == http.StatusForbidden &&
		(p.is("PERMISSION_DENIED") || p.is("NOT_AUTHORIZED"))
}
