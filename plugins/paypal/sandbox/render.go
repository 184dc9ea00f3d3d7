package sandbox

import (
	"encoding/json"
	"strings"
	"time"
)

type fields = map[string]any

// stamp is PayPal's usual time. Refunds are told in another zone, as PayPal
// does, so that nobody compares times as text.
func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

var pacific = time.FixedZone("", -7*3600)

func (s *Server) link(rel, method, path string) link {
	return link{Href: s.opts.PublicURL + path, Rel: rel, Method: method}
}

const (
	ordersPath         = "/v2/checkout/orders/"
	capturesPath       = "/v2/payments/captures/"
	refundsPath        = "/v2/payments/refunds/"
	authorizationsPath = "/v2/payments/authorizations/"
	disputesPath       = "/v1/customer/disputes/"
)

func (o *order) verb() string { return strings.ToLower(o.Intent) }

func (s *Server) orderLinks(o *order) []link {
	path := ordersPath + o.ID
	links := []link{s.link("self", "GET", path)}
	page := link{Href: s.approvalURL(o), Method: "GET", Rel: "approve"}
	if o.BySource {
		page.Rel = "payer-action"
	}
	switch o.Status {
	case created:
		links = append(links, page, s.link("update", "PATCH", path), s.link(o.verb(), "POST", path+"/"+o.verb()))
	case payerActionRequired:
		links = append(links, page)
	case approved:
		links = append(links, s.link("update", "PATCH", path), s.link(o.verb(), "POST", path+"/"+o.verb()))
	}
	return links
}

func (s *Server) approvalURL(o *order) string { return s.opts.PublicURL + "/checkoutnow?token=" + o.ID }

func (o *order) render(s *Server, full bool) any {
	out := fields{"id": o.ID, "status": o.Status, "links": s.orderLinks(o)}
	if o.BySource {
		out["payment_source"] = fields{"paypal": fields{}}
	}
	if !full && o.Status != completed {
		return out
	}
	units := make([]fields, len(o.Units))
	for i, u := range o.Units {
		units[i] = u.render(s)
		if !full { // only what became of the money
			units[i] = fields{"reference_id": u.ReferenceID, "payments": units[i]["payments"]}
		}
	}
	out["purchase_units"] = units
	if full {
		out["intent"], out["create_time"], out["update_time"] = o.Intent, stamp(o.Created), stamp(o.Updated)
	}
	if o.Approved {
		name := fields{"given_name": "Jane", "surname": "Sandbox"}
		out["payer"] = fields{"name": name, "email_address": payerEmail, "payer_id": payerID}
		out["payment_source"] = fields{"paypal": fields{
			"name": name, "email_address": payerEmail, "account_id": payerID, "account_status": "VERIFIED",
		}}
	}
	return out
}

func (u *unit) render(s *Server) fields {
	amount := fields{"currency_code": u.Amount.Currency, "value": u.Amount.value()}
	out := fields{"reference_id": u.ReferenceID, "amount": amount, "payee": u.Payee}
	put(out, "description", u.Description)
	put(out, "custom_id", u.CustomID)
	put(out, "invoice_id", u.InvoiceID)
	put(out, "soft_descriptor", u.SoftDescriptor)
	for name, raw := range map[string][]byte{"items": u.Items, "shipping": u.Shipping} {
		if len(raw) > 0 {
			out[name] = json.RawMessage(raw)
		}
	}
	if len(u.Breakdown) > 0 {
		amount["breakdown"] = u.Breakdown
	}
	payments := fields{}
	for _, a := range u.Authorizations {
		payments["authorizations"] = append(list(payments["authorizations"]), a.base(s))
	}
	for _, c := range u.Captures {
		payments["captures"] = append(list(payments["captures"]), c.base(s))
	}
	for _, r := range u.Refunds {
		payments["refunds"] = append(list(payments["refunds"]), r.render(s, true))
	}
	if len(payments) > 0 {
		out["payments"] = payments
	}
	return out
}

func list(v any) []any {
	all, _ := v.([]any)
	return all
}

func put(out fields, name, value string) {
	if value != "" {
		out[name] = value
	}
}

// base is how an object shows within its order; by itself it tells more.
func (a *authorization) base(s *Server) fields {
	path := authorizationsPath + a.ID
	out := fields{
		"id": a.ID, "status": a.Status, "amount": a.Amount, "expiration_time": stamp(a.Expires),
		"seller_protection": protection(), "create_time": stamp(a.Created), "update_time": stamp(a.Updated),
		"links": []link{
			s.link("self", "GET", path), s.link("capture", "POST", path+"/capture"), s.link("void", "POST", path+"/void"),
			s.link("reauthorize", "POST", path+"/reauthorize"), s.link("up", "GET", ordersPath+a.unit.order.ID),
		},
	}
	put(out, "custom_id", a.unit.CustomID)
	put(out, "invoice_id", a.unit.InvoiceID)
	return out
}

func (a *authorization) render(s *Server, full bool) any {
	return alone(a.base(s), a.unit, full)
}

func (c *capture) base(s *Server) fields {
	path, up := capturesPath+c.ID, ordersPath+c.unit.order.ID
	if c.Authorization != "" {
		up = authorizationsPath + c.Authorization
	}
	out := fields{
		"id": c.ID, "status": c.Status, "amount": c.Amount, "final_capture": c.Final, "seller_protection": protection(),
		"disbursement_mode": "INSTANT", "create_time": stamp(c.Created), "update_time": stamp(c.Updated),
		"links": []link{s.link("self", "GET", path), s.link("refund", "POST", path+"/refund"), s.link("up", "GET", up)},
	}
	put(out, "custom_id", c.unit.CustomID)
	put(out, "invoice_id", c.InvoiceID)
	if c.Reason != "" {
		out["status_details"] = fields{"reason": c.Reason}
	}
	if c.Status != pending && c.Status != declined {
		fee := c.fee()
		out["seller_receivable_breakdown"] = fields{
			"gross_amount": c.Amount, "paypal_fee": c.Amount.of(fee), "net_amount": c.Amount.of(c.Amount.Minor - fee),
		}
	}
	return out
}

// fee is near what PayPal takes: 3.49 % and about half a unit.
func (c *capture) fee() int64 { return min(c.Amount.Minor, percentage(c.Amount.Minor)+49) }

// percentage is the part of the fee that grows with the amount.
func percentage(minor int64) int64 { return minor/10_000*349 + minor%10_000*349/10_000 }

func (c *capture) render(s *Server, full bool) any {
	out := alone(c.base(s), c.unit, full)
	if full && c.Authorization != "" {
		out["supplementary_data"] = fields{
			"related_ids": fields{"order_id": c.unit.order.ID, "authorization_id": c.Authorization},
		}
	}
	return out
}

// alone is an object by itself, which names its order and payee; or, minimal,
// next to nothing.
func alone(out fields, u *unit, full bool) fields {
	if !full {
		return fields{"id": out["id"], "status": out["status"], "links": out["links"]}
	}
	out["payee"] = u.Payee
	out["supplementary_data"] = fields{"related_ids": fields{"order_id": u.order.ID}}
	return out
}

func (r *refund) render(s *Server, full bool) any {
	out := fields{"id": r.ID, "status": r.Status, "links": []link{
		s.link("self", "GET", refundsPath+r.ID), s.link("up", "GET", capturesPath+r.Capture),
	}}
	if !full {
		return out
	}
	out["amount"], out["payer"] = r.Amount, r.unit.Payee // PayPal's "payer" of a refund is the merchant
	out["seller_payable_breakdown"] = fields{
		"gross_amount": r.Amount, "paypal_fee": r.Fee, "net_amount": r.Amount.of(r.Amount.Minor - r.Fee.Minor),
		"total_refunded_amount": r.Total,
	}
	if r.Status != completed {
		out["status_details"] = fields{"reason": "ECHECK"} // the only reason there is
	}
	out["create_time"], out["update_time"] = r.Created.In(pacific).Format(time.RFC3339), r.Updated.In(pacific).Format(time.RFC3339)
	put(out, "custom_id", r.CustomID)
	put(out, "invoice_id", r.InvoiceID)
	put(out, "note_to_payer", r.Note)
	return out
}

func protection() fields {
	return fields{"status": "ELIGIBLE", "dispute_categories": []string{"ITEM_NOT_RECEIVED", "UNAUTHORIZED_TRANSACTION"}}
}
