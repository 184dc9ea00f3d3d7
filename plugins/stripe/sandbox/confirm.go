package sandbox

import (
	"fmt"
	"slices"
)

// confirmation is what a request to confirm brings.
type confirmation struct {
	terms
	method, token  string
	sdkGiven       bool
	capture, email string
}

func (c *call) confirmation() confirmation {
	in := confirmation{
		terms: terms{
			returnURL: c.address("return_url", false), sdk: c.boolean("use_stripe_sdk", false),
			failOnAction: c.boolean("error_on_requires_action", false), offSession: c.boolean("off_session", false),
		},
		method: c.text("payment_method", 255), token: c.text("confirmation_token", 255), sdkGiven: c.has("use_stripe_sdk"),
		capture: c.oneOf("capture_method", "", "automatic", "automatic_async", "manual"), email: c.email("receipt_email"),
	}
	c.ignore("mandate_data", "mandate", "payment_method_options", "radar_options", "shipping", "setup_future_usage")
	return in
}

func (s *Server) createIntent(c *call) (any, *apiError) {
	confirm, in := c.boolean("confirm", false), c.confirmation()
	pi := &paymentIntent{
		Amount: c.requiredInteger("amount"), Currency: lower(c.required("currency", 3)), Metadata: c.metadata("metadata"),
		CaptureMethod: or(in.capture, "automatic"), Description: text(c.text("description", 1000)), ReceiptEmail: text(in.email),
		ConfirmationMethod: c.oneOf("confirmation_method", "automatic", "automatic", "manual"),
	}
	c.ignore("statement_descriptor", "statement_descriptor_suffix", "transfer_group")
	c.fail(checkMoney(pi.Amount, pi.Currency))
	pi.methods(c)
	for _, name := range []string{"return_url", "confirmation_token", "off_session", "error_on_requires_action", "mandate_data"} {
		if !confirm && c.hasUnder(name) {
			c.fail(invalid("", name, "`%s` can only be used with `confirm=true`.", name))
		}
	}
	if confirm && in.method == "" && in.token == "" {
		c.fail(noMethod())
	}
	if e := c.done(); e != nil {
		return nil, e
	}
	if confirm {
		return s.confirm(pi, in)
	}
	if in.method != "" {
		pm, e := s.methodToPay(in.method, nil)
		if e != nil {
			return nil, e
		}
		pi.PaymentMethod = text(pm.ID)
	}
	return s.addIntent(pi), nil
}

func checkMoney(amount int64, currency string) *apiError {
	if e := checkCurrency(currency, "currency"); e != nil {
		return e
	}
	return checkCharge(amount, currency, "amount")
}

// methods reads how it may be paid. Since API version 2023-08-16 the dashboard
// decides unless the merchant names types, and that excludes manual
// confirmation.
func (pi *paymentIntent) methods(c *call) {
	types, enabled := c.list("payment_method_types"), c.boolean("automatic_payment_methods[enabled]", false)
	redirects := c.oneOf("automatic_payment_methods[allow_redirects]", "always", "always", "never")
	given := c.hasUnder("automatic_payment_methods[")
	switch {
	case given && !c.has("automatic_payment_methods[enabled]"):
		c.fail(invalid("parameter_missing", "automatic_payment_methods[enabled]",
			"Missing required param: automatic_payment_methods[enabled]."))
	case enabled && len(types) > 0:
		c.fail(invalid("", "payment_method_types", "You may only specify one of these parameters: automatic_payment_methods, payment_method_types."))
	}
	for i, kind := range types {
		if kind != "card" && kind != delayedMethod(pi.Currency) {
			c.fail(invalid("", fmt.Sprintf("payment_method_types[%d]", i), "The payment method type `%s` is not available.", kind))
		}
	}
	pi.PaymentMethodTypes = types
	if len(types) > 0 {
		return
	}
	pi.PaymentMethodTypes = []string{"card"}
	if given && !enabled {
		return
	}
	pi.Automatic = &automatic{AllowRedirects: redirects, Enabled: true}
	if pi.ConfirmationMethod == "manual" {
		c.fail(invalid("", "confirmation_method", "You cannot use `confirmation_method` manual together with automatic payment methods. "+
			"Give `payment_method_types` instead."))
	}
}

func (s *Server) confirmIntent(c *call) (any, *apiError) {
	in := c.confirmation()
	if e := c.done(); e != nil {
		return nil, e
	}
	pi, e := get(&s.state.Intents, "payment_intent", "intent", c.id)
	if e != nil {
		return nil, e
	}
	if pi.Session != "" || !pi.confirmable() {
		return nil, s.unexpectedState("confirm", pi)
	}
	return s.confirm(pi, in)
}

// confirm pays a PaymentIntent, which is made here if it is new. Whatever can
// be refused is refused before anything changes.
func (s *Server) confirm(pi *paymentIntent, in confirmation) (any, *apiError) {
	var ct *confirmationToken
	if in.token != "" {
		var e *apiError
		if ct, e = s.tokenToConfirm(in.token); e != nil {
			return nil, e
		}
		in.returnURL = or(in.returnURL, string(ct.ReturnURL))
		in.sdk = in.sdk || !in.sdkGiven && ct.UseStripeSDK
	}
	if e := pi.allows(in.terms); e != nil {
		return nil, e
	}
	again := pi.Authenticated && in.method == "" && ct == nil
	pm, e := s.methodOf(pi, in, ct)
	if e != nil {
		return nil, e
	}
	if pi.ID == "" {
		s.addIntent(pi)
	}
	if ct != nil {
		ct.PaymentIntent = text(pi.ID)
	}
	pi.ReceiptEmail, pi.CaptureMethod = text(or(in.email, string(pi.ReceiptEmail))), or(in.capture, pi.CaptureMethod)
	if again {
		e = s.settle(pi, pm)
	} else {
		e = s.attempt(pi, pm, in.terms)
	}
	if e != nil {
		return nil, e
	}
	return pi, nil
}

// methodOf is what pays: the one given, the one collected, or the one chosen
// earlier.
func (s *Server) methodOf(pi *paymentIntent, in confirmation, ct *confirmationToken) (*paymentMethod, *apiError) {
	if !slices.Contains(pi.PaymentMethodTypes, "card") {
		return nil, invalid("", "payment_method", "The PaymentIntent does not allow payment methods of type card.")
	}
	if id := or(in.method, string(pi.PaymentMethod)); in.method != "" || ct == nil && id != "" {
		return s.methodToPay(id, pi)
	}
	if ct == nil {
		return nil, noMethod()
	}
	return s.newMethod(ct.Plastic), nil
}

// allows refuses terms that do not go with payment methods of the dashboard's
// choice: one of them might lead the payer away.
func (pi *paymentIntent) allows(t terms) *apiError {
	if pi.Automatic == nil {
		return nil
	}
	switch {
	case t.failOnAction:
		return invalid("", "error_on_requires_action", "`error_on_requires_action` cannot be used with automatic payment methods. "+
			"Give `payment_method_types` instead.")
	case t.returnURL == "" && pi.ReturnURL == "" && !t.offSession && pi.Automatic.AllowRedirects == "always":
		return invalid("", "return_url", "This PaymentIntent is configured to accept payment methods enabled in your Dashboard. "+
			"Because some of these payment methods might redirect your customer off of your page, you must provide a `return_url`. "+
			"If you don't want to accept redirect-based payment methods, set `automatic_payment_methods[enabled]` to `true` and "+
			"`automatic_payment_methods[allow_redirects]` to `never` when creating Setup Intents and Payment Intents.")
	}
	return nil
}

func noMethod() *apiError {
	return invalid("payment_intent_unexpected_state", "payment_method", "You cannot confirm this PaymentIntent because it's missing "+
		"a payment method. You can either update the PaymentIntent with a payment method and then confirm it again, or confirm it "+
		"again directly with a payment method or ConfirmationToken.")
}
