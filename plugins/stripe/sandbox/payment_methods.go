package sandbox

// paymentMethod is a card to pay with. The stand-in has no customers to attach
// one to, so each pays once; the published pm_card_… are minted anew each time.
type paymentMethod struct {
	ID             string            `json:"id"`
	Object         string            `json:"object"`
	BillingDetails customer          `json:"billing_details"`
	Card           map[string]any    `json:"card"`
	Created        int64             `json:"created"`
	Livemode       bool              `json:"livemode"`
	Metadata       map[string]string `json:"metadata"`
	Type           string            `json:"type"`

	Plastic plastic `json:"_plastic"`
	UsedBy  string  `json:"_used_by"` // the PaymentIntent that took it
}

func (o *paymentMethod) key() string { return o.ID }
func (o *paymentMethod) made() int64 { return o.Created }

func (s *Server) describeMethod(id string, p plastic) *paymentMethod {
	return &paymentMethod{
		ID: id, Object: "payment_method", BillingDetails: p.Payer, Card: p.onMethod(), Created: s.now(),
		Metadata: map[string]string{}, Type: "card", Plastic: p,
	}
}

func (s *Server) newMethod(p plastic) *paymentMethod {
	pm := s.describeMethod(newID("pm_1"), p)
	s.state.Methods.add(pm)
	return pm
}

func (s *Server) createMethod(c *call) (any, *apiError) {
	metadata := c.metadata("metadata")
	p, e := c.methodData("")
	if e != nil {
		return nil, e
	}
	pm := s.newMethod(p)
	pm.Metadata = metadata
	return pm, nil
}

// methodData reads a card, or a token that stands for one, from the parameters
// of a new PaymentMethod; under is what they are nested in. It ends the
// reading: a token is spent only by a request that has nothing else wrong.
func (c *call) methodData(under string) (plastic, *apiError) {
	name := func(part string) string {
		if under == "" {
			return part
		}
		return under + "[" + part + "]"
	}
	c.required(name("type"), 50)
	c.oneOf(name("type"), "", "card")
	payer, card := c.payerUnder(name("billing_details")), name("card")
	c.ignore(name("allow_redisplay"), name("radar_options"))
	if !c.has(card + "[token]") {
		p := c.cardUnder(card, payer)
		return p, c.done()
	}
	id := c.text(card+"[token]", 255)
	if e := c.done(); e != nil {
		return plastic{}, e
	}
	t, e := c.s.spend(id, card+"[token]")
	if e != nil {
		return plastic{}, e
	}
	p := t.Plastic
	if payer != (customer{}) {
		p.Payer = payer
	}
	return p, nil
}

func (s *Server) getMethod(c *call) (any, *apiError) {
	if e := c.done(); e != nil {
		return nil, e
	}
	if card, ok := published("pm_card_", c.id); ok {
		return s.describeMethod(c.id, plasticOf(card, customer{})), nil
	}
	return get(&s.state.Methods, "PaymentMethod", "payment_method", c.id)
}

// methodToPay finds a PaymentMethod that may pay for pi (nil is one yet to be).
func (s *Server) methodToPay(id string, pi *paymentIntent) (*paymentMethod, *apiError) {
	if card, ok := published("pm_card_", id); ok {
		return s.newMethod(plasticOf(card, customer{})), nil
	}
	pm, ok := s.state.Methods.get(id)
	if !ok {
		return nil, unknownID("PaymentMethod", "payment_method", id)
	}
	again := pi != nil && pm.UsedBy == pi.ID && string(pi.PaymentMethod) == id
	if pm.UsedBy != "" && !again {
		return nil, invalid("", "payment_method", "The provided PaymentMethod was previously used with a PaymentIntent without Customer "+
			"attachment, shared with a connected account without Customer attachment, or was detached from a Customer. "+
			"It may not be used again. To use a PaymentMethod multiple times, you must attach it to a Customer first.")
	}
	return pm, nil
}
