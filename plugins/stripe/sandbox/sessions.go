package sandbox

import (
	"fmt"
	"slices"
	"time"
)

const (
	shortestSession = 30 * time.Minute
	longestSession  = 24 * time.Hour
)

func (s *Server) createSession(c *call) (any, *apiError) {
	cs := &session{
		ID: newID("cs_test_a1"), Object: "checkout.session", Created: s.now(), Status: "open", PaymentStatus: "unpaid",
		ClientReferenceID: text(c.text("client_reference_id", 200)), CustomerEmail: text(c.email("customer_email")),
		Metadata: c.metadata("metadata"), Mode: c.oneOf("mode", "payment", "payment", "setup", "subscription"),
		UIMode: c.oneOf("ui_mode", "hosted", "hosted", "embedded"),
		Intent: intentData{
			Metadata:      c.metadata("payment_intent_data[metadata]"),
			Description:   text(c.text("payment_intent_data[description]", 1000)),
			CaptureMethod: c.oneOf("payment_intent_data[capture_method]", "automatic", "automatic", "automatic_async", "manual"),
			ReceiptEmail:  text(c.email("payment_intent_data[receipt_email]")),
		},
	}
	c.ignore("locale", "submit_type", "billing_address_collection", "customer_creation", "phone_number_collection",
		"payment_method_options", "payment_intent_data[setup_future_usage]", "payment_intent_data[statement_descriptor]",
		"payment_intent_data[statement_descriptor_suffix]", "redirect_on_completion")
	if c.values.Get("mode") == "" {
		c.fail(invalid("parameter_missing", "mode", "Missing required param: mode."))
	} else if cs.Mode != "payment" {
		c.fail(invalid("", "mode", "The stand-in covers mode=payment only."))
	}
	cs.addresses(c)
	cs.expiry(c)
	cs.items(c)
	cs.methods(c)
	if e := c.done(); e != nil {
		return nil, e
	}
	if cs.UIMode == "embedded" {
		cs.ClientSecret = text(newID(cs.ID + "_secret_"))
	} else {
		cs.URL = text(s.opts.PublicURL + "/pay/" + cs.ID)
	}
	s.state.Sessions.add(cs)
	s.wakeAt(cs.ExpiresAt * 1000)
	return cs, nil
}

// addresses reads where the payer goes afterwards, which depends on the mode.
func (cs *session) addresses(c *call) {
	refuse := func(name string) {
		if c.has(name) {
			c.fail(invalid("", name, "The `%s` parameter is not supported when `ui_mode` is `%s`.", name, cs.UIMode))
		}
	}
	embedded := cs.UIMode == "embedded"
	if embedded {
		refuse("success_url")
		refuse("cancel_url")
	} else {
		refuse("return_url")
	}
	cs.SuccessURL = text(c.address("success_url", !embedded))
	cs.CancelURL = text(c.address("cancel_url", false))
	cs.ReturnURL = text(c.address("return_url", embedded && c.values.Get("redirect_on_completion") != "never"))
}

func (cs *session) expiry(c *call) {
	at, sent := c.integer("expires_at")
	if !sent {
		at = cs.Created + int64(longestSession/time.Second)
	}
	switch life := time.Duration(at-cs.Created) * time.Second; {
	case life < shortestSession:
		c.fail(invalid("", "expires_at", "The `expires_at` timestamp must be at least 30 minutes from Checkout Session creation."))
	case life > longestSession:
		c.fail(invalid("", "expires_at", "The `expires_at` timestamp must be less than 24 hours from Checkout Session creation."))
	}
	cs.ExpiresAt = at
}

func (cs *session) items(c *call) {
	n := c.count("line_items")
	if n == 0 || n > 100 {
		c.fail(invalid("parameter_missing", "line_items", "Missing required param: line_items (1 to 100 of them)."))
		return
	}
	for i := range n {
		at := fmt.Sprintf("line_items[%d]", i)
		if c.has(at + "[price]") {
			c.integer(at + "[quantity]")
			c.fail(unknownID("price", at+"[price]", c.text(at+"[price]", 255)))
			return
		}
		item := lineItem{
			ID: newID("li_1"), Currency: c.required(at+"[price_data][currency]", 3),
			Name:        c.required(at+"[price_data][product_data][name]", 1500),
			Description: text(c.text(at+"[price_data][product_data][description]", 5000)),
			UnitAmount:  c.requiredInteger(at + "[price_data][unit_amount]"), Quantity: c.requiredInteger(at + "[quantity]"),
		}
		c.metadata(at + "[price_data][product_data][metadata]")
		c.ignore(at+"[price_data][product_data][images]", at+"[price_data][tax_behavior]", at+"[price_data][product_data][tax_code]")
		cs.addItem(c, at, item)
	}
	cs.AmountTotal = cs.AmountSubtotal
	if e := checkCharge(cs.AmountTotal, cs.Currency, ""); e != nil && c.first == nil {
		if e.Code == "amount_too_small" {
			e.Message = "The Checkout Session's total amount due must add up to at least " + money(minimum(cs.Currency), cs.Currency)
		}
		c.fail(e)
	}
}

func (cs *session) addItem(c *call, at string, item lineItem) {
	if e := checkCurrency(item.Currency, at+"[price_data][currency]"); e != nil {
		c.fail(e)
		return
	}
	item.Currency = lower(item.Currency)
	switch {
	case cs.Currency != "" && cs.Currency != item.Currency:
		c.fail(invalid("", "line_items", "All line items must use the same currency."))
	case item.UnitAmount < 0 || item.UnitAmount > maximum(item.Currency):
		c.fail(invalid("parameter_invalid_integer", at+"[price_data][unit_amount]", "Invalid non-negative integer"))
	case item.Quantity < 1 || item.Quantity > 999_999:
		c.fail(invalid("parameter_invalid_integer", at+"[quantity]", "Quantity must be from 1 to 999999"))
	default:
		if e := checkGrain(item.UnitAmount, item.Currency, at+"[price_data][unit_amount]"); e != nil {
			c.fail(e)
		}
		cs.Items = append(cs.Items, item)
		if cs.AmountSubtotal <= maximum(item.Currency) { // beyond it is refused anyway, and more might overflow
			cs.AmountSubtotal += item.UnitAmount * item.Quantity
		}
	}
	cs.Currency = item.Currency
}

// delayedMethod is the bank debit of a currency: it takes days to settle, which
// here ends when someone presses a button. Most currencies have none.
func delayedMethod(currency string) string {
	return map[string]string{"eur": "sepa_debit", "usd": "us_bank_account", "gbp": "bacs_debit"}[currency]
}

// methods reads how the payer may pay. Without a word from the merchant the
// dashboard decides, and may include one that takes days.
func (cs *session) methods(c *call) {
	var slow []string
	for _, method := range []string{delayedMethod(cs.Currency), voucherMethod(cs.Currency)} {
		if method != "" && cs.Intent.CaptureMethod != "manual" {
			slow = append(slow, method)
		}
	}
	cs.PaymentMethodTypes = c.list("payment_method_types")
	for i, method := range cs.PaymentMethodTypes {
		if method != "card" && !slices.Contains(slow, method) {
			c.fail(invalid("", fmt.Sprintf("payment_method_types[%d]", i),
				"The payment method type `%s` is not available for this Session's currency and capture method.", method))
		}
	}
	if len(cs.PaymentMethodTypes) == 0 {
		cs.PaymentMethodTypes = append([]string{"card"}, slow...)
	}
}

// allowsDelayed tells whether the page offers a bank debit.
func (cs *session) allowsDelayed() bool {
	return slices.Contains(cs.PaymentMethodTypes, delayedMethod(cs.Currency))
}

// expireSession closes an open session for good.
func (s *Server) expireSession(cs *session) *apiError {
	if cs.Status != "open" {
		return conflict("", "Only Checkout Sessions with a status in [\"open\"] can be expired. This Checkout Session has a status of %s.", cs.Status)
	}
	cs.Status, cs.URL, cs.ClientSecret = "expired", "", ""
	if pi, ok := s.state.Intents.get(string(cs.PaymentIntent)); ok && pi.Status != "canceled" {
		must(s.cancelIntent(pi, "automatic")) // an open session's always can be
	}
	s.emit("checkout.session.expired", cs, nil)
	return nil
}

func (s *Server) getSession(c *call) (any, *apiError) {
	if e := c.done(); e != nil {
		return nil, e
	}
	return get(&s.state.Sessions, "checkout.session", "session", c.id)
}

func (s *Server) listSessions(c *call) (any, *apiError) {
	intent, status := c.text("payment_intent", 255), c.oneOf("status", "", "open", "complete", "expired")
	return page(c, c.listing(), &s.state.Sessions, "checkout.session", func(cs *session) bool {
		return (intent == "" || string(cs.PaymentIntent) == intent) && (status == "" || cs.Status == status)
	})
}

func (s *Server) expireSessionByAPI(c *call) (any, *apiError) {
	if e := c.done(); e != nil {
		return nil, e
	}
	cs, e := get(&s.state.Sessions, "checkout.session", "session", c.id)
	if e != nil {
		return nil, e
	}
	if e := s.expireSession(cs); e != nil {
		return nil, e
	}
	return cs, nil
}

func (s *Server) listLineItems(c *call) (any, *apiError) {
	c.ignore("limit", "starting_after", "ending_before") // at most 100 items: one page
	if e := c.done(); e != nil {
		return nil, e
	}
	cs, e := get(&s.state.Sessions, "checkout.session", "session", c.id)
	if e != nil {
		return nil, e
	}
	return itemList(cs), nil
}

func itemList(cs *session) map[string]any {
	data := []any{}
	for _, item := range cs.Items {
		total := item.UnitAmount * item.Quantity
		data = append(data, map[string]any{
			"id": item.ID, "object": "item", "amount_subtotal": total, "amount_total": total, "amount_tax": 0,
			"amount_discount": 0, "currency": item.Currency, "description": item.Name, "quantity": item.Quantity,
			"price": map[string]any{
				"id": "price_" + item.ID[3:], "object": "price", "currency": item.Currency, "type": "one_time",
				"unit_amount": item.UnitAmount, "active": false, "livemode": false,
			},
		})
	}
	return map[string]any{
		"object": "list", "data": data, "has_more": false, "url": "/v1/checkout/sessions/" + cs.ID + "/line_items",
	}
}
