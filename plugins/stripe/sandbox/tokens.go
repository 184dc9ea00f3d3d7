package sandbox

// token is a card on its way from the payer's page to the server.
type token struct {
	ID       string         `json:"id"`
	Object   string         `json:"object"`
	Card     map[string]any `json:"card"`
	Created  int64          `json:"created"`
	Livemode bool           `json:"livemode"`
	Type     string         `json:"type"`
	Used     bool           `json:"used"`

	Plastic plastic `json:"_plastic"`
}

func (o *token) key() string { return o.ID }
func (o *token) made() int64 { return o.Created }

func (s *Server) newToken(id string, p plastic) *token {
	return &token{
		ID: id, Object: "token", Card: p.onToken(newID("card_1")), Created: s.now(), Type: "card", Plastic: p,
	}
}

func (s *Server) createToken(c *call) (any, *apiError) {
	payer := customer{Name: text(c.text("card[name]", 500))}
	for _, part := range []string{"line1", "line2", "city", "state", "zip", "country"} {
		c.ignore("card[address_" + part + "]")
	}
	c.ignore("card[currency]")
	p := c.cardUnder("card", payer)
	if e := c.done(); e != nil {
		return nil, e
	}
	t := s.newToken(newID("tok_1"), p)
	s.state.Tokens.add(t)
	return t, nil
}

func (s *Server) getToken(c *call) (any, *apiError) {
	if e := c.done(); e != nil {
		return nil, e
	}
	if card, ok := published("tok_", c.id); ok {
		return s.newToken(c.id, plasticOf(card, customer{})), nil
	}
	return get(&s.state.Tokens, "token", "token", c.id)
}

// spend takes a token to pay with. Stripe's published ones serve again and
// again, all others once, whether the payment succeeds or not.
func (s *Server) spend(id, param string) (*token, *apiError) {
	if card, ok := published("tok_", id); ok {
		return s.newToken(id, plasticOf(card, customer{})), nil
	}
	t, ok := s.state.Tokens.get(id)
	switch {
	case !ok:
		return nil, unknownID("token", param, id)
	case t.Used:
		return nil, invalid("token_already_used", param, "You cannot use a Stripe token more than once: %s.", id)
	}
	t.Used = true
	return t, nil
}
