package sandbox

import "time"

// confirmationToken carries what a payer's page or app collected to the server
// that confirms. It serves once.
type confirmationToken struct {
	ID            string         `json:"id"`
	Object        string         `json:"object"`
	Created       int64          `json:"created"`
	ExpiresAt     int64          `json:"expires_at"`
	Livemode      bool           `json:"livemode"`
	PaymentIntent text           `json:"payment_intent"`
	Preview       map[string]any `json:"payment_method_preview"`
	ReturnURL     text           `json:"return_url"`
	UseStripeSDK  bool           `json:"use_stripe_sdk"`

	Plastic plastic `json:"_plastic"`
}

func (o *confirmationToken) key() string { return o.ID }
func (o *confirmationToken) made() int64 { return o.Created }

const confirmationTokenLife = 12 * time.Hour

func (s *Server) newConfirmationToken(p plastic, returnURL string) *confirmationToken {
	ct := &confirmationToken{
		ID: newID("ctoken_1"), Object: "confirmation_token", Created: s.now(), ReturnURL: text(returnURL), UseStripeSDK: true,
		ExpiresAt: s.now() + int64(confirmationTokenLife/time.Second), Plastic: p,
		Preview: map[string]any{"type": "card", "card": p.onMethod(), "billing_details": p.Payer},
	}
	s.state.Confirms.add(ct)
	return ct
}

func (s *Server) createConfirmationToken(c *call) (any, *apiError) {
	returnURL := c.address("return_url", false)
	c.ignore("shipping", "setup_future_usage")
	id := c.text("payment_method", 255)
	if c.hasUnder("payment_method_data[") {
		p, e := c.methodData("payment_method_data")
		if e != nil {
			return nil, e
		}
		return s.newConfirmationToken(p, returnURL), nil
	}
	if id == "" {
		c.fail(invalid("parameter_missing", "payment_method", "Missing required param: payment_method or payment_method_data."))
	}
	if e := c.done(); e != nil {
		return nil, e
	}
	if card, ok := published("pm_card_", id); ok {
		return s.newConfirmationToken(plasticOf(card, customer{}), returnURL), nil
	}
	pm, e := s.methodToPay(id, nil)
	if e != nil {
		return nil, e
	}
	return s.newConfirmationToken(pm.Plastic, returnURL), nil
}

func (s *Server) getConfirmationToken(c *call) (any, *apiError) {
	if e := c.done(); e != nil {
		return nil, e
	}
	return get(&s.state.Confirms, "confirmation_token", "confirmation_token", c.id)
}

// tokenToConfirm finds a ConfirmationToken that can still be used.
func (s *Server) tokenToConfirm(id string) (*confirmationToken, *apiError) {
	ct, ok := s.state.Confirms.get(id)
	switch {
	case !ok:
		return nil, unknownID("confirmation_token", "confirmation_token", id)
	case ct.PaymentIntent != "":
		return nil, invalid("", "confirmation_token", "The ConfirmationToken %s was already used to confirm %s.", id, ct.PaymentIntent)
	case s.now() >= ct.ExpiresAt:
		return nil, invalid("", "confirmation_token", "The ConfirmationToken %s has expired.", id)
	}
	return ct, nil
}
