package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"

	stripe "github.com/stripe/stripe-go/v76"

	"github.com/superpayhub/superpay/sdk"
	"github.com/superpayhub/superpay/sdk/once"
)

// connection is one call of Connect, with a client of its own.
type connection struct {
	*Provider
	callback string
	repair   bool
	asking   string // what is just asked of Stripe, for the text of an error

	lacking  []sdk.Finding // permissions
	endpoint []sdk.Finding
	keep     sdk.Settings // from now on
}

// Connect implements sdk.Connector. It keeps no state: the process that it runs in
// is not configured.
func (*Provider) Connect(ctx context.Context, r sdk.ConnectRequest) (*sdk.Connection, error) {
	s, err := readSettings(r.Settings)
	if err != nil {
		return nil, err
	}
	ctx, done := once.Within(ctx)
	defer done()
	c := &connection{
		Provider: &Provider{settings: s, api: newClient(s)}, callback: strings.TrimSpace(r.Callback), repair: r.Repair,
	}
	err = c.lookAtPermissions(ctx)
	if err == nil {
		err = c.lookAtEndpoint(ctx)
	}
	switch {
	case isStatus(err, http.StatusUnauthorized): // then nothing else can be looked at
		return &sdk.Connection{Findings: []sdk.Finding{{Subject: sdk.FindingCredentials, Text: c.refusedKey()}}}, nil
	case err != nil:
		return nil, outcome(c.asking, err)
	}
	return &sdk.Connection{Findings: c.findings(), Settings: c.keep}, nil
}

// findings are in the order in which a person would mend them.
func (c *connection) findings() []sdk.Finding {
	out := []sdk.Finding{{
		Subject: sdk.FindingCredentials, OK: true, Text: fmt.Sprintf("Stripe takes the key, which is for %s mode.", c.settings.mode),
	}}
	if len(c.lacking) == 0 {
		out = append(out, c.noneLacking())
	}
	out = append(out, c.lacking...)
	return append(out, c.endpoint...)
}

// refusedKey says where another key is got.
func (c *connection) refusedKey() string {
	return fmt.Sprintf("Stripe refuses the key in secret_key (HTTP 401): it was rolled or deleted, or is not whole. Copy a key of %s mode from %s.",
		c.settings.mode, c.dashboard("apikeys"))
}

// dashboard is the address of a page there, in the key's mode.
func (c *connection) dashboard(page string) string {
	if c.settings.mode == sdk.Test {
		page = "test/" + page
	}
	return "https://dashboard.stripe.com/" + page
}

// permission is one of those that a restricted key is given one by one.
type permission struct {
	path    string // of a list that cannot be read without it
	name    string // in Stripe's dashboard
	level   string
	without string // what stops working
}

// permissions are for all that the plugin asks of Stripe, but for the endpoint.
// Stripe wants the last one for balance transactions (its 403 names
// rak_balance_transaction_source_read).
var permissions = []permission{
	{"/v1/checkout/sessions", "Checkout Sessions", "write", "no payment on Stripe's page can be started or read"},
	{"/v1/payment_intents", "PaymentIntents", "write", "no payment can be captured, canceled or read, nor one by Apple Pay started"},
	{"/v1/charges", "Charges", "write", "no token can be charged, and no captured money be read"},
	{"/v1/refunds", "Refunds", "write", "nothing can be refunded, and no refund be read"},
	{"/v1/disputes", "Disputes", "read", "no dispute is seen but by its event"},
	{"/v1/balance_transactions", "Balance transaction sources", "read", "Stripe may refuse to make and to read payments, for their fees are asked for with them"},
}

var endpointPermission = permission{
	"/v1/webhook_endpoints", "Webhook Endpoints", "write", "the endpoint by which Stripe calls the hub cannot be looked at or made right",
}

// lookAtPermissions reads one object of each list. Whether a key may also write
// cannot be seen without writing.
func (c *connection) lookAtPermissions(ctx context.Context) error {
	for _, p := range permissions {
		c.asking = "list " + p.name
		err := c.readOne(ctx, p.path)
		if isStatus(err, http.StatusForbidden) {
			c.lacks(p, err)
			continue
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// readOne reads the newest object of a list. An answer that is no list is none of
// Stripe's.
func (c *connection) readOne(ctx context.Context, path string) error {
	answer, err := c.object(ctx, path+"?limit=1")
	if err != nil {
		return err
	}
	var list struct {
		Object string `json:"object"`
	}
	if json.Unmarshal(answer, &list) != nil || list.Object != "list" {
		return once.ErrUnreadable
	}
	return nil
}

// permissionName is how Stripe's text of a 403 names the permission. Nothing else
// of that text is passed on: it holds part of the key.
var permissionName = regexp.MustCompile(`'((?:rak_)?[a-z_]{1,80}_(?:read|write))'`)

// lacks notes a permission that the key was not given.
func (c *connection) lacks(p permission, err error) {
	text := fmt.Sprintf("The restricted key lacks the permission %s (%s): %s. Give it to the key at %s",
		p.name, p.level, p.without, c.dashboard("apikeys"))
	var se *stripe.Error
	if errors.As(err, &se) {
		if named := permissionName.FindStringSubmatch(se.Msg); named != nil {
			text += ", where Stripe calls it " + named[1]
		}
	}
	c.lacking = append(c.lacking, sdk.Finding{Subject: sdk.FindingPermission, Text: text + "."})
}

// noneLacking names what was read.
func (c *connection) noneLacking() sdk.Finding {
	var names []string
	for _, p := range permissions {
		names = append(names, p.name)
	}
	if c.callback != "" {
		names = append(names, endpointPermission.name)
	}
	text := "The key may read all that the hub asks for: " + strings.Join(names, ", ") + "."
	if strings.HasPrefix(c.settings.secretKey, "rk_") {
		text += " Whether a restricted key may also write shows only when it is used."
	}
	return sdk.Finding{Subject: sdk.FindingPermission, OK: true, Text: text}
}

// isStatus reports whether Stripe answered with an error of that HTTP status.
func isStatus(err error, status int) bool {
	var se *stripe.Error
	return errors.As(err, &se) && se.HTTPStatusCode == status && se.Type == stripe.ErrorTypeInvalidRequest
}
