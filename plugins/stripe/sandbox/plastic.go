package sandbox

import (
	"net/url"
	"strings"
)

// plastic is all that is kept of a card somebody entered: which test card it
// is, and what was written on it. The number is forgotten on arrival.
type plastic struct {
	Card  string   `json:"card"` // the test card's name
	Last4 string   `json:"last4"`
	Month int64    `json:"month"`
	Year  int64    `json:"year"`
	Payer customer `json:"payer"`
	Apple bool     `json:"apple"` // came out of Apple Pay
}

func plasticOf(card testCard, payer customer) plastic {
	return plastic{Card: card.Name, Last4: card.Last4(), Month: 12, Year: 2034, Payer: payer}
}

func (p plastic) card() testCard { return cardNamed(p.Card, p.Last4) }

func (p plastic) wallet() map[string]any {
	if !p.Apple {
		return nil
	}
	return map[string]any{"type": "apple_pay", "apple_pay": map[string]any{}, "dynamic_last4": p.Last4}
}

// onMethod is the card as a PaymentMethod shows it.
func (p plastic) onMethod() map[string]any {
	card := p.card()
	brand := card.brand()
	return map[string]any{
		"brand": brand, "display_brand": brand, "country": card.country(), "exp_month": p.Month, "exp_year": p.Year,
		"fingerprint": "sandbox" + p.Last4, "funding": card.funding(), "generated_from": nil, "last4": p.Last4,
		"checks":               card.checks(),
		"networks":             map[string]any{"available": []string{brand}, "preferred": nil},
		"three_d_secure_usage": map[string]any{"supported": true}, "wallet": p.wallet(),
	}
}

// onCharge is the card as a charge shows it.
func (p plastic) onCharge(authenticated bool) map[string]any {
	var secure map[string]any
	if authenticated {
		secure = map[string]any{
			"authentication_flow": "challenge", "result": "authenticated", "result_reason": nil, "version": "2.2.0",
		}
	}
	card := p.card()
	brand := card.brand()
	return map[string]any{"type": "card", "card": map[string]any{
		"brand": brand, "country": card.country(), "exp_month": p.Month, "exp_year": p.Year, "funding": card.funding(), "last4": p.Last4,
		"fingerprint": "sandbox" + p.Last4, "network": brand, "checks": card.checks(),
		"three_d_secure": secure, "wallet": p.wallet(),
	}}
}

// onToken is the card as a token and a charge's source show it.
func (p plastic) onToken(id string) map[string]any {
	card := p.card()
	brand := map[string]string{
		"visa": "Visa", "mastercard": "MasterCard", "amex": "American Express", "discover": "Discover", "diners": "Diners Club",
		"jcb": "JCB", "unionpay": "UnionPay",
	}[card.brand()]
	return map[string]any{
		"id": id, "object": "card", "brand": brand, "country": card.country(), "cvc_check": card.checks()["cvc_check"], "dynamic_last4": nil,
		"exp_month": p.Month, "exp_year": p.Year, "fingerprint": "sandbox" + p.Last4, "funding": card.funding(),
		"last4": p.Last4, "metadata": map[string]string{}, "name": p.Payer.Name, "tokenization_method": nil, "wallet": nil,
	}
}

// cardUnder reads a card's number and date from under a parameter.
func (c *call) cardUnder(name string, payer customer) plastic {
	number := c.required(name+"[number]", 30)
	month, _ := c.integer(name + "[exp_month]")
	year, _ := c.integer(name + "[exp_year]")
	c.ignore(name+"[cvc]", name+"[networks]")
	p, e := enteredCard(number, month, year, c.s.opts.Now().Year())
	if e != nil {
		e.Param = name + e.Param
		c.fail(e)
	}
	p.Payer = payer
	return p
}

// enteredCard checks what a payer typed. The refusal's parameter is that below
// the card's.
func enteredCard(number string, month, year int64, now int) (plastic, *apiError) {
	refuse := func(code, param, message string) (plastic, *apiError) {
		e := declined(testCard{code: code, message: message}, "")
		e.Param = param
		return plastic{}, e
	}
	if year < 100 {
		year += 2000
	}
	card, known := findCard(number)
	switch {
	case !known:
		return refuse(card.code, "[number]", card.message)
	case month < 1 || month > 12:
		return refuse("invalid_expiry_month", "[exp_month]", "Your card's expiration month is invalid.")
	case year < int64(now) || year > int64(now)+50:
		return refuse("invalid_expiry_year", "[exp_year]", "Your card's expiration year is invalid.")
	}
	return plastic{Card: card.Name, Last4: card.Last4(), Month: month, Year: year}, nil
}

// payerUnder reads billing details.
func (c *call) payerUnder(name string) customer {
	payer := customer{Email: text(c.email(name + "[email]")), Name: text(c.text(name+"[name]", 500))}
	c.ignore(name+"[address]", name+"[phone]")
	return payer
}

// withoutNumbers is a request as it may be kept: of a card's number the last
// digits, of its CVC nothing.
func withoutNumbers(form url.Values) url.Values {
	out := url.Values{}
	for name, values := range form {
		switch {
		case strings.HasSuffix(name, "[cvc]"):
			continue
		case strings.HasSuffix(name, "[number]") && len(values) > 0:
			digits := strings.TrimSpace(values[0])
			values = []string{digits[max(0, len(digits)-4):]}
		}
		out[name] = values
	}
	return out
}
