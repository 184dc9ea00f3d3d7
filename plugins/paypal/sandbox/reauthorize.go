package sandbox

import (
	"net/http"
	"time"
)

const (
	honored      = 3 * 24 * time.Hour // "PayPal honors 100% of authorized funds for three days"
	mostIncrease = 75_00              // US dollars, of one reauthorization
)

// honoredUntil is when PayPal stops promising the money. It may still be captured
// until the authorization expires.
func (a *authorization) honoredUntil() time.Time {
	end := a.Created.Add(honored)
	if end.After(a.Expires) {
		return a.Expires
	}
	return end
}

// current returns the authorization that a unit's money is to be captured by: the
// latest reauthorization, or the first authorization if there is none.
func (u *unit) current() *authorization { return u.Authorizations[len(u.Authorizations)-1] }

// setHeld gives every authorization of the unit the same status, since all of them
// stand for one hold of the payer's money.
func (s *Server) setHeld(u *unit, status string) {
	for _, a := range u.Authorizations {
		a.Status, a.Updated = status, s.now()
	}
}

func (s *Server) reauthorize(c *call) (answer, *apiError) {
	var req struct {
		Amount *wireMoney `json:"amount"`
	}
	if e := c.read(&req); e != nil {
		return answer{}, e
	}
	a, e := find[*authorization](s, c.id)
	if e != nil {
		return answer{}, e
	}
	last := a.unit.current()
	amount := last.Amount.of(last.Amount.Minor - last.taken())
	if req.Amount != nil {
		if amount, e = req.Amount.positive("/amount"); e != nil {
			return answer{}, e
		}
	}
	made, e := s.reauthorizeFor(a, amount)
	if e != nil {
		return answer{}, e
	}
	return answer{status: http.StatusCreated, obj: made}, nil
}

// reauthorizeFor renews the honor period of an authorization under a new id. The
// first one stays as it is, because only by its id can the hold be released
// ("A reauthorization cannot be voided. Please void the original parent
// authorization."), and the end of the 29 days stays too.
func (s *Server) reauthorizeFor(first *authorization, amount money) (*authorization, *apiError) {
	if e := s.checkReauthorize(first, amount); e != nil {
		return nil, e
	}
	now := s.now()
	made := &authorization{
		ID: newID(), Status: created, Amount: amount, Expires: first.Expires, Created: now, Updated: now, Parent: first.ID,
	}
	s.state.addAuthorization(first.unit, made)
	s.emit("PAYMENT.AUTHORIZATION.CREATED", made)
	return made, nil
}

func (s *Server) checkReauthorize(a *authorization, amount money) *apiError {
	switch {
	case a.unit.Payee.MerchantID != s.opts.MerchantID:
		return forbidden()
	case a.Parent != "":
		return unprocessable("REAUTHORIZATION_NOT_SUPPORTED",
			"A reauthorize cannot be attempted on an authorization_id that is the result of a prior reauthorization.")
	case a.Status == captured:
		return unprocessable("AUTHORIZATION_ALREADY_CAPTURED", "Authorization has previously been captured.")
	case !s.now().Before(a.Expires):
		return unprocessable("AUTHORIZATION_EXPIRED", "An expired authorization cannot be reauthorized.")
	case a.Status == voided:
		return unprocessable("AUTHORIZATION_VOIDED", "A voided authorization cannot be captured or reauthorized.")
	case s.now().Before(a.unit.current().honoredUntil()):
		return unprocessable("REAUTHORIZATION_TOO_SOON",
			"A reauthorization is only allowed once from Day 4 to Day 29 since the date of the original authorization.")
	case amount.Currency != a.Amount.Currency:
		return unprocessable("AUTH_CURRENCY_MISMATCH",
			"The currency specified during reauthorization should be the same as the currency specified in the original authorization.")
	case amount.Minor > a.mostReauthorized()-a.unit.taken():
		return unprocessable("AUTHORIZATION_AMOUNT_EXCEEDED", "Authorization amount specified exceeded allowable limit.").
			at("/amount/value", amount.value())
	}
	return nil
}

// mostReauthorized is what the captures so far and a reauthorization may come to:
// "up to 115% of the original authorized amount, not to exceed an increase of $75
// USD". Other currencies are held to the percentage alone.
func (a *authorization) mostReauthorized() int64 {
	increase := a.Amount.Minor/100*15 + a.Amount.Minor%100*15/100
	if a.Amount.Currency == "USD" {
		increase = min(increase, mostIncrease)
	}
	return a.Amount.Minor + increase
}
