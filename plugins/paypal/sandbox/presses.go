package sandbox

import (
	"net/url"
	"strings"
)

func onCapture(s *Server, do func(*capture, url.Values) *apiError) press {
	return func(id string, form url.Values) (string, *apiError) {
		c, e := find[*capture](s, id)
		if e != nil {
			return "", e
		}
		return c.unit.order.ID, do(c, form)
	}
}

func (s *Server) onDispute(do func(*dispute) *apiError) press {
	return func(id string, _ url.Values) (string, *apiError) {
		d, e := find[*dispute](s, id)
		if e != nil {
			return "", e
		}
		return d.capture.unit.order.ID, do(d)
	}
}

func (s *Server) onRefund(to string) press {
	return func(id string, _ url.Values) (string, *apiError) {
		r, e := find[*refund](s, id)
		if e != nil {
			return "", e
		}
		return r.unit.order.ID, s.settleRefund(r, to)
	}
}

func (s *Server) onAuthorization(do func(*authorization, url.Values) *apiError) press {
	return func(id string, form url.Values) (string, *apiError) {
		a, e := find[*authorization](s, id)
		if e != nil {
			return "", e
		}
		return a.unit.order.ID, do(a, form)
	}
}

// amountOf reads the form's amount; nothing means otherwise.
func amountOf(form url.Values, otherwise money) (money, *apiError) {
	typed := strings.TrimSpace(form.Get("amount"))
	if typed == "" {
		return otherwise, nil
	}
	return wireMoney{otherwise.Currency, typed}.positive("amount")
}

func (s *Server) pressRefund(c *capture, form url.Values) *apiError {
	amount, e := amountOf(form, c.Amount.of(c.left()))
	if e == nil {
		_, e = s.refund(c, amount, refundRequest{})
	}
	return e
}

// reversals are the reasons for a reversal that the dashboard offers, by how its
// form names them.
var reversals = map[string]string{
	"": "CHARGEBACK", "CHARGEBACK": "CHARGEBACK", "BUYER_COMPLAINT": "BUYER_COMPLAINT", "none": "",
}

func (s *Server) pressReverse(c *capture, form url.Values) *apiError {
	reason, known := reversals[form.Get("reason")]
	if !known {
		return malformed("INVALID_PARAMETER_VALUE", "reason", form.Get("reason"))
	}
	amount, e := amountOf(form, c.Amount.of(c.left()))
	if e == nil {
		e = s.reverse(c, amount, reason)
	}
	return e
}

func (s *Server) pressDispute(c *capture, form url.Values) *apiError {
	amount, e := amountOf(form, c.Amount.of(c.left()))
	if e == nil {
		e = s.openDispute(c, amount, form.Get("kind") == "inquiry")
	}
	return e
}

func (s *Server) pressCapture(a *authorization, form url.Values) *apiError {
	amount, e := amountOf(form, a.Amount.of(a.Amount.Minor-a.taken()))
	if e == nil {
		_, e = s.captureOf(a, amount, "", form.Get("rest") != "held")
	}
	return e
}

func (s *Server) pressReauthorize(a *authorization, form url.Values) *apiError {
	last := a.unit.current()
	amount, e := amountOf(form, last.Amount.of(last.Amount.Minor-last.taken()))
	if e == nil {
		_, e = s.reauthorizeFor(a, amount)
	}
	return e
}

func (s *Server) pressExpire(id string, _ url.Values) (string, *apiError) {
	o, e := find[*order](s, id)
	if e == nil {
		e = s.expire(o)
	}
	return id, e
}
