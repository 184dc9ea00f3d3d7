package api

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humafiber"
	"github.com/gofiber/fiber/v2"
)

// register is the table of the API: every call with its words for OpenAPI.
func register(r fiber.Router, s *server) huma.API {
	cfg := huma.DefaultConfig("Superpay", "1")
	cfg.Info.Description = "One payment API in front of many providers. Amounts are integers in minor units. " +
		"Every POST that asks for money carries an Idempotency-Key: repeating it is harmless. Errors are RFC 9457 problems with a stable `code`."
	cfg.OpenAPIPath, cfg.DocsPath, cfg.SchemasPath = "", "", ""
	cfg.CreateHooks = nil
	cfg.Servers = []*huma.Server{{URL: s.PublicURL}}
	cfg.Components.SecuritySchemes = map[string]*huma.SecurityScheme{"key": {Type: "http", Scheme: "bearer", Description: "Your app's key"}}
	cfg.Security = []map[string][]string{{"key": {}}}
	api := humafiber.NewWithGroup(s.app, r, cfg)
	api.UseMiddleware(func(ctx huma.Context, next func(huma.Context)) {
		if err := strangeQuery(ctx); err != nil {
			_ = huma.WriteErr(api, ctx, http.StatusUnprocessableEntity, "the query is not one of this call", err)
			return
		}
		next(ctx)
	})

	post(api, s, "checkout", "/v1/checkouts", "Check out", "Makes an order and starts its first attempt.", 201, s.checkout)
	post(api, s, "checkout-again", "/v1/orders/{id}/checkouts", "Check out again", "Starts another attempt on an open order.", 201, s.checkoutAgain)
	post(api, s, "confirm", "/v1/orders/{id}/confirm", "Confirm", "Continues an attempt with what the client obtained. One that was confirmed by then, because the payer came back or a callback came, is answered as it is.", 200, s.confirm)
	post(api, s, "capture", "/v1/orders/{id}/capture", "Capture", "Takes approved money, once; the rest is released.", 200, s.capture)
	post(api, s, "cancel", "/v1/orders/{id}/cancel", "Cancel", "Releases approved money, or closes an order nobody paid. Money that comes all the same wins: look at the status.", 200, s.cancel)
	post(api, s, "refund", "/v1/orders/{id}/refunds", "Refund", "Gives money back, whole or in parts.", 201, s.refund)
	get(api, s, "list-orders", "/v1/orders", "List orders", "The newest first; with `updated_since`, those that changed, in the sequence of their changes.", s.listOrders)
	get(api, s, "get-order", "/v1/orders/{id}", "Read an order", "With everything that happened to it. What a payer brings back to `return_url` proves nothing: this does.", s.getOrder)
	get(api, s, "list-events", "/v1/orders/{id}/events", "Read a timeline", "Everything that happened to an order, the oldest first.", s.listEvents)
	get(api, s, "list-refunds", "/v1/refunds", "List refunds", "Those that changed, in the sequence of their changes, also those that were made at the provider.", s.listRefunds)
	get(api, s, "get-refund", "/v1/refunds/{id}", "Read a refund", "Until its `status` is final.", s.getRefund)
	get(api, s, "list-providers", "/v1/providers", "List providers", "Those that your app may use, with their flows and inputs.", s.listProviders)
	registerCallbacks(api, s)
	registerNotifications(api, s)
	s.api = api
	s.explain(api.OpenAPI())
	return api
}

// meaning says what each status means. Where a request for money means more by
// it than another, that stands in meaningOfMoney.
var meaning = map[string]string{
	"200": "Done",
	"201": "Made",
	"204": "Done; the answer has no body",
	"400": "The body is not JSON",
	"401": "The key is missing, wrong, expired or revoked",
	"403": "The key may only look",
	"404": "No such thing, or another app's",
	"409": "It does not fit the state of things: `code` says how",
	"413": "The body is too large",
	"415": "The body is not plain JSON",
	"422": "A parameter or field is wrong: `param` names it",
	"429": "Too many requests of this app: repeat the request after Retry-After",
	"503": "The hub cannot answer right now: repeat the request after Retry-After",
}

var meaningOfMoney = map[string]string{
	"200": "Done, or declined: a decline is an attempt or refund with `failure`",
	"201": "Done, or declined: a decline is an attempt or refund with `failure`",
	"202": "The outcome is not known yet: the attempt or refund is `unknown` and heals by itself. Repeat with the same key, or read the order",
	"409": "Not in this state; or the key or reference is in use (`in_flight` comes with Retry-After)",
	"422": "A field is wrong (`param` names it), or the provider rejected it (`provider_rejected`)",
	"503": "Repeat with the same key after Retry-After; `code` says whether anything was done",
}

// explain gives the answers and what is in them their meaning. A 202 has the
// body of the success.
func (s *server) explain(doc *huma.OpenAPI) {
	for path, item := range doc.Paths {
		for _, op := range []*huma.Operation{item.Get, item.Post, item.Delete} {
			if op == nil {
				continue
			}
			delete(op.Responses, "500") // never meant to be seen
			if !strings.Contains(path, "{") {
				delete(op.Responses, "404") // a collection is always there
			}
			money := slices.Contains(s.money, op.OperationID)
			if money {
				done := *op.Responses[strconv.Itoa(op.DefaultStatus)]
				op.Responses["202"] = &done
			}
			for status, r := range op.Responses {
				if text, ok := meaningOfMoney[status]; ok && money {
					r.Description = text
				} else if text, ok := meaning[status]; ok {
					r.Description = text
				}
			}
			for _, p := range op.Parameters {
				p.Description = cmp.Or(p.Description, words[p.Name])
			}
		}
	}
	for name, schema := range doc.Components.Schemas.Map() {
		for field, p := range schema.Properties {
			p.Description = cmp.Or(p.Description, words[name+"."+field], words[field])
		}
	}
}

// words explain fields that are the same everywhere, and those of types that
// are not the API's own, as sdk's: by schema and field, or by field alone.
var words = map[string]string{
	"amount":      "In minor units: 1050 is 10.50 USD, or 1050 JPY",
	"attempt_id":  "The attempt that it is about",
	"created_at":  "When it was made",
	"currency":    "ISO 4217 code in upper case",
	"cursor":      "`next` of the page before; leave it out for the first page",
	"customer":    "What you tell of the payer",
	"data":        "The page",
	"failure":     "Why the provider said no, if it did",
	"flow":        "The way of paying, as `GET /v1/providers` names it",
	"id":          "The hub's id",
	"limit":       "How many at most",
	"next":        "`cursor` of the next page; absent on the last",
	"order_id":    "The order's id",
	"reference":   "Your own name of the order",
	"request_id":  "The request's id, as in the header X-Request-Id; name it when you ask for help",
	"status":      "See Statuses",
	"title":       "For people",
	"updated_at":  "When it last changed",
	"line_items":  "What is bought, for the provider's page: shown line by line where their sum is `amount`",
	"state":       "pending: to be sent, or sent again; delivered; failed: given up",
	"description": "For the payer, where the provider's page shows it",
	"capture":     "automatic: money is taken as soon as it is approved; manual: by a later Capture",

	"Customer.email":         "For the provider's receipt and fraud checks",
	"Customer.name":          "As the payer spells it",
	"LineItem.quantity":      "How many of them",
	"LineItem.name":          "As the payer is to read it",
	"RefundInputBody.reason": "Your words for why; the provider may get them",

	"Failure.code":          "The hub's own, the same for all providers; see Failure codes",
	"Failure.message":       "One sentence for a person",
	"Failure.provider_code": "The provider's own",
	"NextAction.type":       "redirect: send the browser to `url`; client: hand `client` to the provider's library; show: show `data`; wait: nothing to do",
	"NextAction.url":        "Where to send the payer's browser",
	"NextAction.method":     "POST if the browser must send a form with `fields`; else a plain link",
	"NextAction.fields":     "The form's fields of a POST",
	"NextAction.client":     "What the provider's library in the browser or app asks for, as `client_secret`",
	"NextAction.kind":       "What `data` is, as qr_code",
	"NextAction.data":       "What to show to the payer",
	"Ref.kind":              "What it names, as payment_intent",
	"Ref.value":             "The provider's id",
	"Problem.status":        "The HTTP status",

	"Endpoint.url":             "Where notifications are sent to",
	"Endpoint.status":          "failing: the last delivery failed; disabled: every delivery failed for three days, or you answered 410 for an hour, and nothing is sent until it is enabled again",
	"Endpoint.failing_since":   "The first failure since the last success",
	"Endpoint.disabled_reason": "Why it was disabled",

	"Provider.name":       "What a checkout names in `provider`",
	"Provider.plugin":     "The plugin that it runs",
	"Provider.status":     "Calls are sent only while it is up; the hub starts what is down again by itself",
	"Provider.flows":      "The ways of paying that it offers",
	"Flow.name":           "What a checkout names in `flow`",
	"Flow.inputs":         "What a checkout may or must put into `input`",
	"Flow.confirm_inputs": "What Confirm may or must put into `input`",
	"Flow.capture_modes":  "What a checkout may name in `capture`",
	"Flow.capabilities":   "confirm, capture, capture_part, cancel, refund, refund_part: the calls that it takes; continue: the hub may confirm by itself; return: the hub confirms with what the payer's browser brings back; browser: the payment is created in the browser",
	"Input.name":          "The key in `input`",
	"Input.help":          "What to put there",
	"Input.required":      "Whether it must be there",
	"Input.options":       "The values that it may have, if only some",
	"Input.default":       "The value if it is left out",
}

// post registers a request for money: it may be answered 202 (outcome not
// known yet), 409, 422 or 503.
func post[I, O any](api huma.API, s *server, id, path, title, doc string, done int, h func(context.Context, *I) (*O, error)) {
	s.money = append(s.money, id)
	call(api, s, http.MethodPost, id, path, title, doc, done, h)
}

func get[I, O any](api huma.API, s *server, id, path, title, doc string, h func(context.Context, *I) (*O, error)) {
	call(api, s, http.MethodGet, id, path, title, doc, 200, h)
}

// call registers one call of the API.
func call[I, O any](api huma.API, s *server, method, id, path, title, doc string, done int, h func(context.Context, *I) (*O, error)) {
	errors := []int{401, 404, 422, 429, 503}
	switch method {
	case http.MethodPost:
		errors = []int{400, 401, 403, 404, 409, 413, 415, 422, 429, 503}
	case http.MethodDelete:
		errors = append(errors, 403)
	}
	s.calls = append(s.calls, id)
	huma.Register(api, huma.Operation{
		OperationID: id, Method: method, Path: path, Summary: title, Description: doc, DefaultStatus: done,
		MaxBodyBytes: maxBody, Errors: errors,
	}, told(s, h))
}

// told maps a handler's error outward.
func told[I, O any](s *server, h func(context.Context, *I) (*O, error)) func(context.Context, *I) (*O, error) {
	return func(ctx context.Context, in *I) (*O, error) {
		out, err := h(ctx, in)
		if err != nil {
			return nil, problemOf(err, requestID(ctx), s.Logger)
		}
		return out, nil
	}
}

func (s *server) openAPI(c *fiber.Ctx) error {
	b, err := json.MarshalIndent(s.api.OpenAPI(), "", "  ")
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, "application/vnd.oai.openapi+json")
	return c.Send(b)
}

// OpenAPI renders the document without a running hub.
func OpenAPI() []byte {
	s := &server{Options: Options{PublicURL: "https://hub.example"}, app: fiber.New()}
	register(s.app.Group(""), s)
	b, _ := json.MarshalIndent(s.api.OpenAPI(), "", "  ") // built from types: cannot fail
	return append(b, '\n')
}

// code is one of the errors' codes, which are stable. Calls are those that
// answer with it, where it is not any.
type code struct {
	Name, Status, Means, Do string
	Calls                   []string
}

var codes = []code{
	{"invalid_request", "400, 422", "The body is not JSON, or a field or parameter is wrong: `param` names it.", "Correct the request.", nil},
	{"bad_request", "400", "The request is not HTTP as it should be.", "Correct the client.", nil},
	{"unauthorized", "401", "The key is missing, wrong, expired or revoked.", "Send the app's key.", nil},
	{"read_only_key", "403", "The key may only look: it was made with `--scope read`.", "Send a key with the scope full.", nil},
	{"forbidden", "403", "The operator does not let you see this.", "Ask the operator.", nil},
	{"not_found", "404", "No such thing, or another app's.", "Check the id.", nil},
	{"method_not_allowed", "405", "The address exists, and takes another method.", "Correct the client.", nil},
	{"request_entity_too_large", "413", "The body is larger than 1 MB.", "Send less.", nil},
	{"unsupported_media_type", "415", "The body is not plain JSON: another Content-Type, or compressed.", "Send JSON as it is.", nil},
	{"request_header_fields_too_large", "431", "The headers are larger than 16 KB.", "Send less.", nil},
	{"reference_used", "409", "Another order of this app has the reference: `order_id`.", "If it is the same purchase, check out again on that order; else take another reference.", []string{"checkout"}},
	{"idempotency_key_reused", "409", "The key was used with another request.", "Use a new key for a new request.", asksForMoney},
	{"in_flight", "409", "The first request with this key is still being worked on.", "Repeat it after Retry-After.", asksForMoney},
	{"busy", "409", "The order is being changed by others all the time.", "Repeat the request.", asksForMoney},
	{"wrong_state", "409", "The order's status does not allow it.", "Read the order.", []string{"checkout-again", "confirm", "capture", "cancel", "refund"}},
	{"attempt_open", "409", "An earlier attempt may still be paid, so none can start.", "Read the order, and try again when it is settled.", []string{"checkout-again"}},
	{"operation_open", "409", "The outcome of an earlier call is not known yet.", "Read the order, and try again when it is settled.", []string{"checkout-again", "confirm", "capture", "cancel", "refund"}},
	{"operation_closed", "409", "What was to be repeated has ended meanwhile.", "Read the order.", asksForMoney},
	{"amount_fixed", "409", "A provider has taken the order up: its payer may have seen what it is for.", "Leave the amount as it is, or make a new order.", []string{"checkout-again"}},
	{"too_many_attempts", "409", "An order can have 20 attempts.", "Make a new order.", []string{"checkout-again"}},
	{"too_many_refunds", "409", "An order can have 200 refunds.", "Refund the rest in the provider's dashboard.", []string{"refund"}},
	{"needs_attention", "409", "What the provider says does not fit the order.", "A person has to look at `attention` first.", []string{"capture"}},
	{"already_paid", "409", "Another attempt has paid the order, or its provider has money of it.", "Cancel this attempt, so that the money is released.", []string{"confirm", "capture"}},
	{"attempt_abandoned", "409", "The attempt was given up when the order was canceled or expired, or another attempt replaced it, and the provider could not close it.", "Cancel it to release what it holds, or check out again.", []string{"confirm", "capture"}},
	{"money_held", "409", "A provider has money of the order that does not settle it: `held`, by the attempt `attempt_id`.", "Refund it, naming the attempt and the currency, or have an operator accept it; then try again.", []string{"checkout-again", "cancel"}},
	{"provider_gone", "409", "The attempt's provider is no longer configured.", "Ask the operator.", []string{"confirm", "capture", "cancel", "refund"}},
	{"nothing_to_refund", "409", "No money was captured.", "Cancel instead.", []string{"refund"}},
	{"refundable_changed", "409", "`refundable` is not what you expected.", "Read the order and decide again.", []string{"refund"}},
	{"currency_required", "422", "What can be given back is of another currency than the order's: `held`.", "Name its currency, so that nobody takes one amount for another.", []string{"refund"}},
	{"refund_too_large", "422", "Less than that can still be refunded.", "Ask for `refundable` at most.", []string{"refund"}},
	{"amount_too_large", "422", "Less than that is authorized.", "Ask for `authorized` at most.", []string{"capture"}},
	{"not_offered", "422", "The flow cannot do it.", "Look at the flow's `capabilities`.", []string{"confirm", "capture", "refund"}},
	{"provider_rejected", "422", "The provider refused the request, and nothing happened there. `provider_code` is its own code.", "Mend the request and use a new key; the order of a checkout is there, so check out again on `order_id`.", asksForMoney},
	{"provider_down", "503", "The provider's plugin is not up. Nothing was done.", "Repeat with the same key after Retry-After.", asksForMoney},
	{"history_lost", "503", "The hub's database went back in time: a backup was restored, or a standby took over that lagged. The hub moves no money until it has read at the provider what is missing. Nothing was done.", "Repeat with the same key after Retry-After; within some minutes it is done.", asksForMoney},
	{"order_locked", "503", "Another program, such as a person's open transaction, holds a lock on the order in the database. Nothing was done.", "Repeat with the same key after Retry-After. The operator finds the holder in `pg_stat_activity`.", asksForMoney},
	{"not_sent", "503", "The provider could not be reached, and nothing was sent.", "Repeat with the same key after Retry-After.", asksForMoney},
	{"outcome_not_recorded", "503", "It may have been done: the hub could not find out yet, or not write down, how it ended.", "Repeat with the same key after Retry-After: it is not done twice.", asksForMoney},
	{"too_many_requests", "429", "The app asks more often than the operator allows. Nothing was done.", "Repeat after Retry-After, with the same key.", nil},
	{"clock_wrong", "503", "The clocks of the hub's machine and of its database are too far apart. Nothing was done. Callbacks and /readyz are answered so, too.", "Repeat after Retry-After, with the same key; the operator has to set the clocks right.", asksForMoney},
	{"overloaded", "503", "More is asked than the hub can do. Nothing was done.", "Repeat after Retry-After, with the same key.", nil},
	{"unavailable", "503", "The hub cannot do this right now.", "Repeat after Retry-After, with the same key.", nil},
	{"endpoint_exists", "409", "Your app has a webhook endpoint at this address: `detail` names it.", "Rotate its secret if you do not have it, or delete it first.", []string{"add-webhook-endpoint"}},
	{"too_many_secrets", "409", "Eight secrets sign for this webhook endpoint already.", "Rotate it again when the first of them has ended, or with `overlap_hours=0` when your receiver has the newest.", []string{"rotate-webhook-endpoint"}},
	{"too_many_endpoints", "409", "An app can have 16 webhook endpoints.", "Delete one first.", []string{"add-webhook-endpoint"}},
	{"endpoint_disabled", "409", "Nothing is sent to the endpoint until it is enabled.", "Enable it; then send again.", []string{"resend-notification"}},
	{"callback_erased", "409", "The callback's body was erased: it came long ago.", "Look at the order in the provider's dashboard.", []string{"replay-callback"}},
	{"too_many_replays", "409", "You replayed the callback 20 times.", "Ask the operator why it does not help.", []string{"replay-callback"}},
	{"callback_forged", "422", "For providers: the callback is not the provider's, was altered, or is too old.", "Check the webhook secret.", []string{"callback"}},
	{"draining", "503", "At /readyz: the hub is shutting down.", "Ask another hub.", []string{"readyz"}},
	{"database_down", "503", "At /readyz: the database does not answer.", "Ask the operator.", []string{"readyz"}},
}

// OfMoney reports whether every call that asks for money may answer with it.
func (c code) OfMoney() bool { return len(c.Calls) == len(asksForMoney) }

var asksForMoney = []string{"checkout", "checkout-again", "confirm", "capture", "cancel", "refund"}
