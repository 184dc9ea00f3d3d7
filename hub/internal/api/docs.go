package api

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"html/template"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gofiber/fiber/v2"

	"github.com/superpayhub/superpay/sdk"
	"github.com/superpayhub/superpay/web"
)

var docsPage = template.Must(template.New("docs.html").Funcs(template.FuncMap{"text": inline}).ParseFS(web.Templates, "templates/docs.html"))

// The receivers that the page shows; a story runs them as they stand.
var (
	//go:embed guide/main.go
	receiverGo string
	//go:embed guide/receiver.py
	receiverPython string
)

type docsCall struct {
	ID, Method, Path, Summary, Description string
	Fields                                 []docsField
	Answers                                []docsAnswer
	Codes                                  []string // of errors that only some calls have
}

type docsField struct {
	Name, Doc string
	Type      docsType
	Required  bool
	Values    []string // if only some are allowed
}

// docsType is "list of " and "Attempt", which has a section.
type docsType struct{ Prefix, Name, Link string }

type docsAnswer struct {
	Status string
	Type   docsType
}

type docsSchema struct {
	Name, Doc string
	Fields    []docsField
}

// schemas are the things that the page explains, in this order.
var schemas = []docsSchema{
	{Name: "Order", Doc: "What you want paid, and everything that happened to it."},
	{Name: "Attempt", Doc: "One try to have an order paid, at one provider. An order can have several: one after the other, and only one can be paid."},
	{Name: "Balance", Doc: "What an attempt's money of one currency comes to."},
	{Name: "NextAction", Doc: "What the payer or the client must do next."},
	{Name: "Failure", Doc: "A provider's no, as data."},
	{Name: "Ref", Doc: "A name by which the provider knows the payment: to find it in its dashboard."},
	{Name: "Refund", Doc: "Money back."},
	{Name: "RefundPart", Doc: "What one capture gives back of a refund that goes over several."},
	{Name: "Held", Doc: "Money that a provider has of an order, and that is in the way of what was asked."},
	{Name: "Dispute", Doc: "A challenge: the payer's bank asks for the money back. It is answered in the provider's dashboard."},
	{Name: "Attention", Doc: "One thing about an order that does not add up, and that a person has to look at."},
	{Name: "Customer", Doc: "What you tell of the payer."},
	{Name: "LineItem", Doc: "One line of what is bought."},
	{Name: "Event", Doc: "One line of an order's timeline. Lines are only ever added; those of old orders may be archived."},
	{Name: "Callback", Doc: "A provider's call about an order, and what came of it."},
	{Name: "Endpoint", Doc: "Where an app wants notifications."},
	{Name: "Notification", Doc: "One notification to one endpoint, and how its delivery fares."},
	{Name: "NotificationDetail", Doc: "A notification with what is sent, and how each try went."},
	{Name: "Delivery", Doc: "One try of a notification."},
	{Name: "Provider", Doc: "A configured provider, as far as an app may know it."},
	{Name: "Flow", Doc: "A way of paying that a provider offers."},
	{Name: "Range", Doc: "What a flow takes of one currency."},
	{Name: "Input", Doc: "One input of a flow."},
	{Name: "Problem", Doc: "Every error answer (RFC 9457)."},
}

// root is for people who open the hub's address.
func (s *server) root(c *fiber.Ctx) error { return c.Redirect(s.BasePath+"/docs", fiber.StatusFound) }

// docs shows the OpenAPI document to people: one page, nothing loaded from
// elsewhere.
func (s *server) docs(c *fiber.Ctx) error {
	doc := s.api.OpenAPI()
	var calls []docsCall
	for path, item := range doc.Paths {
		for method, op := range map[string]*huma.Operation{http.MethodGet: item.Get, http.MethodPost: item.Post, http.MethodDelete: item.Delete} {
			if op != nil {
				calls = append(calls, docsOf(doc, method, path, op))
			}
		}
	}
	// In the order of a payment's life.
	slices.SortFunc(calls, func(a, b docsCall) int { return slices.Index(s.calls, a.ID) - slices.Index(s.calls, b.ID) })
	things := slices.Clone(schemas)
	for i := range things {
		things[i].Fields = fieldsOf(doc, &huma.Schema{Ref: "#/components/schemas/" + things[i].Name})
	}
	var out bytes.Buffer
	err := docsPage.Execute(&out, map[string]any{
		"Base": s.BasePath, "URL": s.PublicURL, "Description": doc.Info.Description, "Calls": calls, "Schemas": things,
		"Codes": codes, "Statuses": statuses, "Attention": attention, "Example": example(),
		"ReceiverGo": receiverGo, "ReceiverPython": receiverPython,
	})
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, fiber.MIMETextHTMLCharsetUTF8)
	c.Set(fiber.HeaderContentSecurityPolicy, "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'")
	return c.Send(out.Bytes())
}

func docsOf(doc *huma.OpenAPI, method, path string, op *huma.Operation) docsCall {
	c := docsCall{ID: op.OperationID, Method: method, Path: path, Summary: op.Summary, Description: op.Description}
	for _, p := range op.Parameters {
		c.Fields = append(c.Fields, docsField{Name: p.Name, Doc: p.Description, Type: docsType{p.In + ", ", typeOf(p.Schema).Name, ""}, Required: p.Required, Values: valuesOf(p.Schema)})
	}
	if op.RequestBody != nil {
		c.Fields = append(c.Fields, fieldsOf(doc, op.RequestBody.Content[fiber.MIMEApplicationJSON].Schema)...)
	}
	for status, r := range op.Responses {
		if status[0] != '2' {
			continue // the same for all, but the codes
		}
		a := docsAnswer{Status: status}
		if body := r.Content[fiber.MIMEApplicationJSON]; body != nil {
			a.Type = pageOf(doc, body.Schema)
		}
		c.Answers = append(c.Answers, a)
	}
	slices.SortFunc(c.Answers, func(a, b docsAnswer) int { return strings.Compare(a.Status, b.Status) })
	for _, e := range codes {
		if slices.Contains(e.Calls, c.ID) && !e.OfMoney() {
			c.Codes = append(c.Codes, e.Name)
		}
	}
	return c
}

// pageOf names what a call answers with: a thing, or what its `data` lists.
func pageOf(doc *huma.OpenAPI, s *huma.Schema) docsType {
	if t := typeOf(s); t.Link != "" {
		return t
	}
	if data := doc.Components.Schemas.SchemaFromRef(s.Ref).Properties["data"]; data != nil {
		return typeOf(data)
	}
	return docsType{}
}

// fieldsOf lists a schema's properties: the required ones as the type has them,
// then the others by name.
func fieldsOf(doc *huma.OpenAPI, s *huma.Schema) []docsField {
	if s.Ref != "" {
		s = doc.Components.Schemas.SchemaFromRef(s.Ref)
	}
	var out []docsField
	for name, p := range s.Properties {
		out = append(out, docsField{name, p.Description, typeOf(p), slices.Contains(s.Required, name), valuesOf(p)})
	}
	place := func(f docsField) int {
		if i := slices.Index(s.Required, f.Name); i >= 0 {
			return i
		}
		return len(s.Required)
	}
	slices.SortFunc(out, func(a, b docsField) int {
		if d := place(a) - place(b); d != 0 {
			return d
		}
		return strings.Compare(a.Name, b.Name)
	})
	return out
}

func typeOf(s *huma.Schema) docsType {
	switch {
	case s == nil:
		return docsType{}
	case s.Ref != "":
		name := s.Ref[strings.LastIndex(s.Ref, "/")+1:]
		if slices.ContainsFunc(schemas, func(t docsSchema) bool { return t.Name == name }) {
			return docsType{"", name, name}
		}
		return docsType{"", name, ""}
	case s.Type == huma.TypeArray:
		of := typeOf(s.Items)
		return docsType{"list of " + of.Prefix, of.Name, of.Link}
	case s.Format == "date-time":
		return docsType{"", "time", ""}
	case s.Type == huma.TypeString:
		return docsType{"", "text", ""}
	case s.Type == huma.TypeBoolean:
		return docsType{"", "true or false", ""}
	case s.Type == huma.TypeObject:
		return docsType{"", "object", ""}
	}
	return docsType{"", s.Type, ""}
}

func valuesOf(s *huma.Schema) []string {
	var out []string
	for _, e := range s.Enum {
		if text, ok := e.(string); ok {
			out = append(out, text)
		}
	}
	return out
}

// inline shows `this` as code, and escapes everything.
func inline(text string) template.HTML {
	parts := strings.Split(text, "`")
	for i, part := range parts {
		if part = template.HTMLEscapeString(part); i%2 == 1 {
			part = "<code>" + part + "</code>"
		}
		parts[i] = part
	}
	return template.HTML(strings.Join(parts, "")) //nolint:gosec // escaped above
}

// example is what the first call on the page answers.
func example() string {
	at := time.Date(2026, 5, 4, 9, 30, 0, 0, time.UTC)
	next := &sdk.NextAction{Type: sdk.ActionRedirect, URL: "https://checkout.stripe.com/c/pay/cs_test_a1b2c3"}
	b, _ := json.MarshalIndent(Order{ // plain data: cannot fail
		ID: "ord_01jd2v9q4x6m3k8n5p7r9s1t2w", Reference: "invoice-1001", Status: "open", Amount: 1050, Currency: "USD", Exponent: 2,
		Attention: []Attention{}, Refunds: []Refund{}, Disputes: []Dispute{}, NextAction: next,
		Attempts: []Attempt{{
			ID: "att_01jd2v9q4x6m3k8n5p7r9s1t2x", Provider: "stripe", Flow: "checkout_session", Mode: "test", Capture: "automatic", Status: "requires_action",
			Money: []Balance{}, References: []sdk.Ref{{Kind: "checkout_session", Value: "cs_test_a1b2c3"}}, NextAction: next, CreatedAt: at,
		}},
		ReturnURL: "https://shop.example/thanks", ExpiresAt: at.Add(23 * time.Hour), CreatedAt: at, UpdatedAt: at, Version: 2,
	}, "", "  ")
	return string(b)
}

// word is a value and what it means.
type word struct{ Name, Means string }

// statuses, by schema.
var statuses = map[string][]word{
	"Order": {
		{"open", "Nobody has paid yet. Send the payer to `next_action`, or check out again."},
		{"pending", "Money may be on its way: a bank takes days, or an answer was lost. Or a provider has money that does not fit: see `attention`. Wait; do not ship, do not ask again."},
		{"authorized", "The money is held, not taken, or only a part of it was. Capture it before `capture_before`, or cancel."},
		{"paid", "The money was taken. Ship."},
		{"partially_refunded", "Paid, and part of it was given back."},
		{"refunded", "All of it was given back."},
		{"canceled", "You called it off. Nobody paid."},
		{"expired", "Its time is up. Nobody paid."},
	},
	"Attempt": {
		{"created", "On record; the provider was not asked yet."},
		{"unknown", "The provider was asked and its answer was lost. The hub finds out by itself."},
		{"requires_action", "The payer has to act: see `next_action`. With `failure`, the last try was declined and another is allowed."},
		{"requires_confirmation", "The payer did their part: call Confirm."},
		{"pending", "The provider works on it."},
		{"requires_capture", "Authorized: waits for Capture or Cancel."},
		{"succeeded", "Money was taken."},
		{"failed", "It never will be paid: `failure` says why."},
		{"canceled", "Released, expired or called off."},
	},
	"Refund": {
		{"pending", "On its way. The amount is reserved."},
		{"unknown", "The provider was asked and its answer was lost. The hub finds out by itself; the amount stays reserved."},
		{"succeeded", "Given back. A bank may still bounce it: then it fails late, and the order needs attention."},
		{"failed", "Nothing was given back, or less than was asked for: `refunded` says how much, `failure` why."},
	},
}

var attention = []word{
	{"amount_mismatch", "The provider's amount is not the one that was asked for: refund it, or have it accepted."},
	{"currency_mismatch", "The provider's currency is not the one that was asked for: refund it, or have it accepted."},
	{"reference_mismatch", "The provider answered about another payment, or about one that settled another order."},
	{"foreign_payment", "The client presented a payment that is not this order's."},
	{"mode_mismatch", "Test money for a live order, or the reverse."},
	{"money_missing", "The provider says that it succeeded, and names no money."},
	{"contradiction", "The provider said that it ended one way, and now another."},
	{"second_payment", "The order was paid twice: refund one of them."},
	{"paid_after_close", "Paid after it was canceled or expired, or a cancel was asked for: ship or refund."},
	{"authorized_after_close", "Money is held since it was canceled or expired: cancel the attempt to release it, or capture it. It goes away by itself when the money is not held any more."},
	{"over_refunded", "More was given back than was taken."},
	{"refund_failed_late", "A refund that counted as done came back."},
	{"refund_mismatch", "A refund of another amount or currency than was asked for."},
	{"reversed", "A bank or the provider took the payment back: look in the provider's dashboard why."},
	{"in_dispute", "The payer's bank asks for the money back: answer in the provider's dashboard."},
	{"dispute_mismatch", "A dispute in a currency that is not the order's."},
	{"exhausted", "The provider's truth could not be had in time: look into its dashboard."},
	{"callback_stuck", "A callback about it could not be applied: compare it with the provider's dashboard."},
	{"ledger_doubt", "What is on record of it contradicts itself: an operator has to compare it with the provider's dashboard."},
	{"event_not_confirmed", "The provider told of something that its own reads do not show: compare them with its dashboard. It goes away by itself when they do."},
}
