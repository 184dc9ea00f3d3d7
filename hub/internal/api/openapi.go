package api

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humafiber"
	"github.com/gofiber/fiber/v2"
)

// register is the table of the API: every call with its words for OpenAPI.
func register(r fiber.Router, s *server) huma.API {
	cfg := huma.DefaultConfig("Superpay", "1")
	cfg.Info.Description = "One payment API in front of many providers. Amounts are integers in minor units. " +
		"Every POST that asks for money carries an Idempotency-Key: repeating it is harmless. Errors are RFC 9457 problems with a stable code."
	cfg.OpenAPIPath, cfg.DocsPath, cfg.SchemasPath = "", "", ""
	cfg.CreateHooks = nil
	cfg.Servers = []*huma.Server{{URL: s.PublicURL}}
	cfg.Components.SecuritySchemes = map[string]*huma.SecurityScheme{"key": {Type: "http", Scheme: "bearer", Description: "Your app's key"}}
	cfg.Security = []map[string][]string{{"key": {}}}
	api := humafiber.NewWithGroup(s.app, r, cfg)

	post(api, s, "checkout", "/v1/checkouts", "Check out", "Makes an order and starts its first attempt.", 201, s.checkout)
	post(api, s, "checkout-again", "/v1/orders/{id}/checkouts", "Check out again", "Starts another attempt on an open order.", 201, s.checkoutAgain)
	post(api, s, "confirm", "/v1/orders/{id}/confirm", "Confirm", "Continues an attempt with what the client obtained.", 200, s.confirm)
	post(api, s, "capture", "/v1/orders/{id}/capture", "Capture", "Takes approved money, once; the rest is released.", 200, s.capture)
	post(api, s, "cancel", "/v1/orders/{id}/cancel", "Cancel", "Releases approved money, or closes an order nobody paid. Money that comes all the same wins: look at the status.", 200, s.cancel)
	post(api, s, "refund", "/v1/orders/{id}/refunds", "Refund", "Gives money back, whole or in parts.", 201, s.refund)
	get(api, s, "list-orders", "/v1/orders", "List orders", "The newest first.", s.listOrders)
	get(api, s, "get-order", "/v1/orders/{id}", "Read an order", "", s.getOrder)
	get(api, s, "list-events", "/v1/orders/{id}/events", "Read a timeline", "Everything that happened to an order, the oldest first.", s.listEvents)
	get(api, s, "get-refund", "/v1/refunds/{id}", "Read a refund", "", s.getRefund)
	get(api, s, "list-providers", "/v1/providers", "List providers", "Those that your app may use, with their flows and inputs.", s.listProviders)
	registerNotifications(api, s)
	s.api = api
	s.explain(api.OpenAPI())
	return api
}

// meaning says what each answer means, in every call alike.
var meaning = map[string]string{
	"200": "Done, or declined: a decline is an attempt or refund with `failure`",
	"201": "Done, or declined: a decline is an attempt or refund with `failure`",
	"202": "The outcome is not known yet: the attempt or refund is `unknown` and heals by itself. Repeat with the same key, or read the order",
	"400": "The body is not JSON",
	"401": "The key is missing, wrong or revoked",
	"404": "No such thing, or another app's",
	"409": "Not in this state; or the key or reference is in use (`in_flight` comes with Retry-After)",
	"413": "The body is too large",
	"415": "The body is not plain JSON",
	"422": "A field is wrong (`param` names it), or the provider rejected it (`provider_rejected`)",
	"503": "Nothing was done; repeat with the same key after Retry-After",
}

// explain gives the answers their meaning. A 202 has the body of the success.
func (s *server) explain(doc *huma.OpenAPI) {
	for _, item := range doc.Paths {
		for _, op := range []*huma.Operation{item.Get, item.Post, item.Delete} {
			if op == nil {
				continue
			}
			delete(op.Responses, "500") // never meant to be seen
			money := slices.Contains(s.money, op.OperationID)
			if money {
				done := *op.Responses[strconv.Itoa(op.DefaultStatus)]
				op.Responses["202"] = &done
			}
			for status, r := range op.Responses {
				if text, ok := meaning[status]; ok && (money || status[0] != '2') {
					r.Description = text
				}
			}
		}
	}
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
	errors := []int{401, 404, 422, 503}
	if method == http.MethodPost {
		errors = []int{400, 401, 404, 409, 413, 415, 422, 503}
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
