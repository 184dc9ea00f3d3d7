package sandbox

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
)

// constants are the fields of an object that never vary here.
var constants = map[string]string{
	"checkout.session": `{"after_expiration":null,"allow_promotion_codes":null,"automatic_tax":{"enabled":false,"liability":null,"status":null},
		"billing_address_collection":null,"consent":null,"consent_collection":null,"currency_conversion":null,"custom_fields":[],
		"custom_text":{"after_submit":null,"shipping_address":null,"submit":null,"terms_of_service_acceptance":null},"customer":null,
		"customer_creation":"if_required","invoice":null,"invoice_creation":null,"locale":null,"payment_link":null,
		"payment_method_collection":"if_required","payment_method_configuration_details":null,"payment_method_options":{},
		"phone_number_collection":{"enabled":false},"recovered_from":null,"setup_intent":null,"shipping_address_collection":null,
		"shipping_cost":null,"shipping_details":null,"shipping_options":[],"submit_type":null,"subscription":null,
		"total_details":{"amount_discount":0,"amount_shipping":0,"amount_tax":0}}`,
	"payment_intent": `{"amount_details":{"tip":{}},"application":null,"application_fee_amount":null,
		"customer":null,"invoice":null,"on_behalf_of":null,"payment_method_configuration_details":null,"payment_method_options":{},
		"processing":null,"review":null,"setup_future_usage":null,"shipping":null,"statement_descriptor":null,
		"statement_descriptor_suffix":null,"transfer_data":null,"transfer_group":null}`,
	"charge": `{"application":null,"application_fee":null,"application_fee_amount":null,"calculated_statement_descriptor":"SANDBOX",
		"customer":null,"failure_balance_transaction":null,"fraud_details":{},"invoice":null,"on_behalf_of":null,
		"receipt_number":null,"receipt_url":null,"review":null,"shipping":null,"source_transfer":null,"transfer_data":null,"transfer_group":null}`,
	"refund": `{"destination_details":{"card":{"type":"refund"},"type":"card"},"receipt_number":null,
		"source_transfer_reversal":null,"transfer_reversal":null}`,
	"payment_method": `{"customer":null}`,
	"token":          `{"client_ip":null}`,
	"confirmation_token": `{"mandate_data":null,"payment_method_options":null,"setup_future_usage":null,"setup_intent":null,
		"shipping":null}`,
	"dispute": `{"evidence":{},"payment_method_details":{"card":{"brand":"visa","network_reason_code":"10.4"},"type":"card"}}`,
}

// expandable says which fields of which objects may be expanded, and to what.
var expandable = map[string]map[string]string{
	"checkout.session": {"payment_intent": "payment_intent", "line_items": "item"},
	"payment_intent":   {"latest_charge": "charge", "payment_method": "payment_method"},
	"charge":           {"payment_intent": "payment_intent", "refunds": "refund", "dispute": "dispute", "balance_transaction": "balance_transaction"},
	"refund":           {"charge": "charge", "payment_intent": "payment_intent", "balance_transaction": "balance_transaction", "failure_balance_transaction": "balance_transaction"},
	"dispute":          {"charge": "charge", "payment_intent": "payment_intent"},
}

// expandedKinds are the kinds of objects that the paths show, each of which needs the
// permission of its own; it refuses what cannot be expanded, before anything happens.
func expandedKinds(kind string, paths []string, isList bool) (kinds []string, e *apiError) {
	for _, path := range paths {
		rest := path
		if isList {
			rest = strings.TrimPrefix(path, "data.")
			if rest == path {
				return nil, invalid("", "expand", "This property cannot be expanded (%s). You may want to try expanding 'data.%s'.", path, path)
			}
		}
		at := kind
		for part := range strings.SplitSeq(rest, ".") {
			next, ok := expandable[at][part]
			if !ok && !(part == "data" && at == "refund") {
				return nil, invalid("", "expand", "This property cannot be expanded (%s).", path)
			}
			if ok {
				at = next
				kinds = append(kinds, next)
			}
		}
	}
	return kinds, nil
}

// render turns an object into what the API shows, expanded along paths.
func (s *Server) render(obj any, paths ...string) map[string]any {
	out := plain(obj)
	kind, _ := out["object"].(string)
	for name, value := range plain(json.RawMessage(or(constants[kind], "{}"))) {
		if _, there := out[name]; !there {
			out[name] = value
		}
	}
	for name := range out {
		if strings.HasPrefix(name, "_") {
			delete(out, name)
		}
	}
	for _, path := range paths {
		field, rest, _ := strings.Cut(path, ".")
		s.expand(obj, out, field, rest)
	}
	return out
}

func (s *Server) expand(obj any, out map[string]any, field, rest string) {
	var more []string
	if rest != "" {
		more = []string{rest}
	}
	switch obj := obj.(type) {
	case *session:
		if field == "line_items" {
			out[field] = itemList(obj)
		}
	case *charge:
		switch {
		case field == "refunds":
			mine := slices.DeleteFunc(slices.Clone(s.state.Refunds.rows), func(r *refund) bool { return r.Charge != obj.ID })
			out[field] = s.listOf(mine, false, "/v1/charges/"+obj.ID+"/refunds")
		case field == "balance_transaction" && obj.BalanceTransaction != "":
			out[field] = plain(s.chargeLine(obj))
		}
	case *refund:
		if field == "balance_transaction" && obj.BalanceTransaction != "" {
			out[field] = plain(s.refundLine(obj))
		}
		if field == "failure_balance_transaction" && obj.FailureTransaction != "" {
			out[field] = plain(s.failureLine(obj))
		}
	}
	switch current := out[field].(type) {
	case string:
		if child := s.find(current); child != nil {
			out[field] = s.render(child, more...)
		}
	case map[string]any: // expanded by an earlier path
		if id, ok := current["id"].(string); ok && rest != "" {
			next, last, _ := strings.Cut(rest, ".")
			s.expand(s.find(id), current, next, last)
		}
	}
}

// find looks an id up among the objects that can be expanded.
func (s *Server) find(id string) any {
	if o, ok := s.state.Intents.get(id); ok {
		return o
	}
	if o, ok := s.state.Charges.get(id); ok {
		return o
	}
	if o, ok := s.state.Disputes.get(id); ok {
		return o
	}
	if o, ok := s.state.Methods.get(id); ok {
		return o
	}
	return nil
}

func (s *Server) listOf(rows any, more bool, url string) map[string]any {
	var data []any
	switch rows := rows.(type) {
	case []*refund:
		for _, row := range slices.Backward(rows) {
			data = append(data, s.render(row))
		}
	case []any:
		data = rows
	}
	return map[string]any{"object": "list", "data": append([]any{}, data...), "has_more": more, "url": url}
}

// plain is an object as generic JSON, with numbers kept exact.
func plain(obj any) map[string]any {
	data, err := json.Marshal(obj)
	if err != nil {
		panic(err) // an object of ours that is not JSON is a bug
	}
	out := map[string]any{}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	if err := decoder.Decode(&out); err != nil {
		panic(err)
	}
	return out
}

func or(value, otherwise string) string {
	if value == "" {
		return otherwise
	}
	return value
}
