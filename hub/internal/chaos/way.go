package chaos

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
)

// way is one of the seven ways to pay.
type way struct {
	name, provider, flow string
	holds                bool // it can be authorised first and captured later
	// input of a checkout whose payer will succeed or be declined.
	input func(o *order, decline bool) map[string]string
	// act is the payer's part, up to where the provider is done with them;
	// yes says that they agreed to pay. nil: there is none.
	act func(o *order, decline bool) (yes bool)
	// back is how the payer's client comes back and tells the hub.
	back func(o *order)
}

func pick(yes bool, one, other string) string {
	if yes {
		return one
	}
	return other
}

var ways = []way{
	{
		name: "session hosted", provider: "stripe", flow: "checkout_session", holds: true,
		act: (*order).payOnPage, back: (*order).visit,
	},
	{
		name: "session embedded", provider: "stripe", flow: "checkout_session", holds: true,
		input: func(*order, bool) map[string]string { return map[string]string{"ui_mode": "embedded"} },
		act:   (*order).payOnPage, back: (*order).visit,
	},
	{
		name: "charge", provider: "stripe", flow: "charge", holds: true,
		input: func(o *order, decline bool) map[string]string {
			return map[string]string{"token": "tok_" + o.cardName(decline, "visa")}
		},
	},
	{
		name: "apple_pay legacy", provider: "stripe", flow: "apple_pay", holds: true,
		input: func(_ *order, decline bool) map[string]string {
			return map[string]string{"finalize": "legacy", "payment_method": pick(decline, "pm_card_chargeDeclined", "pm_card_authenticationRequired")}
		},
		act: func(o *order, decline bool) bool {
			status, _ := o.press("stripe", "/3ds/"+o.ref("payment_intent"), url.Values{"result": {"complete"}})
			return status < 400 && !decline
		},
		back: func(o *order) { o.confirm(nil) },
	},
	{
		name: "apple_pay server", provider: "stripe", flow: "apple_pay", holds: true,
		input: func(o *order, decline bool) map[string]string {
			return map[string]string{"finalize": "server", "confirmation_token": o.c.confirmationToken("pm_card_" + o.cardName(decline, "visa"))}
		},
	},
	{
		name: "paypal server", provider: "paypal", flow: "server", holds: true,
		act: func(o *order, decline bool) bool {
			status, to := o.press("paypal", "/checkoutnow", url.Values{"token": {o.ref("order")}, "choice": {o.choice(decline, "instrument_declined")}})
			return status == http.StatusSeeOther && strings.Contains(to, "PayerID")
		},
		back: (*order).visit,
	},
	{
		name: "paypal client", provider: "paypal", flow: "client",
		act: func(o *order, decline bool) bool {
			next := o.last.next()
			if next == nil || len(next.Client) == 0 {
				return false
			}
			form := url.Values{"choice": {o.choice(decline, "capture_declined")}, "return": {"http://localhost:9/thanks"}}
			for k, v := range next.Client {
				form.Set(k, v)
			}
			status, to := o.press("paypal", "/client", form)
			if u, err := url.Parse(to); err == nil && status == http.StatusSeeOther {
				o.browser = u.Query().Get("order_id")
			}
			return o.browser != "" && !decline
		},
		back: func(o *order) {
			if o.browser != "" {
				o.confirm(map[string]string{"order_id": o.browser})
			}
		},
	},
}

// cardNumbers are the sandbox's, by the names that its tokens have.
var cardNumbers = map[string]string{
	"visa": "4242424242424242", "chargeDeclined": "4000000000000002",
	"refundFail": "4000000000005126", "pendingRefund": "4000000000007726",
}

// cardName is the card that the payer pays with.
func (o *order) cardName(decline bool, usual string) string {
	if o.card != "" && !decline {
		return o.card
	}
	return pick(decline, "chargeDeclined", usual)
}

// choice is what the payer chooses at PayPal.
func (o *order) choice(decline bool, declined string) string {
	if o.funding != "" && !decline {
		return o.funding
	}
	return pick(decline, declined, "approve")
}

// payOnPage fills in the form of a Checkout Session.
func (o *order) payOnPage(decline bool) bool {
	status, _ := o.press("stripe", "/pay/"+o.ref("checkout_session"), url.Values{
		"card_number": {cardNumbers[o.cardName(decline, "visa")]}, "method": {"card"},
	})
	return status == http.StatusSeeOther
}

// visit is the payer's browser that comes back.
func (o *order) visit() {
	if a := o.attempt(); a != nil {
		res, err := o.c.web.Get(o.hub() + "/return/" + a.ID)
		if err == nil {
			_ = res.Body.Close()
		}
	}
}

// press submits a form to a page of the stand-in. What it answers is true:
// nothing comes between a payer and the provider. A page of Stripe's goes on only
// after the hub took the callback, so it may take a while.
func (o *order) press(stand, path string, form url.Values) (status int, to string) {
	res, err := o.c.payers.PostForm(o.c.stands[stand].BaseURL+path, form)
	if err != nil {
		o.fail("the stand-in's page %s: %v", path, err)
		return http.StatusBadGateway, ""
	}
	_ = res.Body.Close()
	return res.StatusCode, res.Header.Get("Location")
}

// confirmationToken mints one as Apple's sheet and Stripe's library do.
func (c *campaign) confirmationToken(method string) string {
	form := strings.NewReader(url.Values{"payment_method": {method}}.Encode())
	req, err := http.NewRequestWithContext(c.ctx, http.MethodPost, c.stands["stripe"].BaseURL+"/v1/test_helpers/confirmation_tokens", form)
	if err != nil {
		return ""
	}
	req.Header.Set("Authorization", "Bearer "+c.house.StripeSecretKey)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := c.web.Do(req)
	if err != nil {
		return ""
	}
	defer res.Body.Close()
	var token struct{ ID string }
	_ = json.NewDecoder(res.Body).Decode(&token)
	return token.ID
}
