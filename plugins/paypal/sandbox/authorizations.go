package sandbox

import "net/http"

func (s *Server) getAuthorization(c *call) (answer, *apiError) {
	a, e := find[*authorization](s, c.id)
	c.full = true
	return answer{status: http.StatusOK, obj: a}, e
}

// taken is what captures hold or may yet take of an authorization.
func (a *authorization) taken() int64 {
	return a.unit.takenIf(func(c *capture) bool { return c.Authorization == a.ID })
}

// taken is the same of all authorizations of a unit.
func (u *unit) taken() int64 {
	return u.takenIf(func(*capture) bool { return true })
}

func (u *unit) takenIf(counts func(*capture) bool) (sum int64) {
	for _, c := range u.Captures {
		if counts(c) && c.Status != declined {
			sum += c.Amount.Minor
		}
	}
	return sum
}

func (s *Server) captureAuthorization(c *call) (answer, *apiError) {
	var req struct {
		Amount         *wireMoney `json:"amount"`
		InvoiceID      string     `json:"invoice_id"`
		Final          bool       `json:"final_capture"`
		Note           string     `json:"note_to_payer"`
		SoftDescriptor string     `json:"soft_descriptor"`
	}
	if e := c.read(&req); e != nil {
		return answer{}, e
	}
	a, e := find[*authorization](s, c.id)
	if e != nil {
		return answer{}, e
	}
	amount := a.Amount // all of it, also when some was captured before
	if req.Amount != nil {
		if amount, e = req.Amount.positive("/amount"); e != nil {
			return answer{}, e
		}
	}
	if e := checkLength("/invoice_id", req.InvoiceID, 127); e != nil {
		return answer{}, e
	}
	made, e := s.captureOf(a, amount, req.InvoiceID, req.Final)
	if e != nil {
		return answer{}, e
	}
	return answer{status: http.StatusCreated, obj: made}, nil
}

// captureOf takes an amount of what was authorized. What a final capture leaves
// is released; without final the rest stays to be captured.
func (s *Server) captureOf(a *authorization, amount money, invoice string, final bool) (*capture, *apiError) {
	switch {
	case a.unit.Payee.MerchantID != s.opts.MerchantID:
		return nil, forbidden()
	case a.Status == captured:
		return nil, unprocessable("AUTHORIZATION_ALREADY_CAPTURED", "Authorization has previously been captured.")
	case a.Status == voided && !s.now().Before(a.Expires), a.Status == partiallyCaptured && !s.now().Before(a.Expires):
		return nil, unprocessable("AUTHORIZATION_EXPIRED", "An expired authorization cannot be captured.")
	case a.Status == voided:
		return nil, unprocessable("AUTHORIZATION_VOIDED", "A voided authorization cannot be captured or reauthorized.")
	case a != a.unit.current():
		// "Any subsequent capture should be performed on the new authorization ID." What
		// happens otherwise is not documented; the refusal keeps money from being taken twice.
		return nil, unprocessable("TRANSACTION_REFUSED", "PayPal's internal controls prevent authorization from being captured.")
	case amount.Currency != a.Amount.Currency:
		return nil, unprocessable("AUTH_CAPTURE_CURRENCY_MISMATCH", "Currency of capture must be the same as currency of authorization.")
	case amount.Minor > a.Amount.Minor-a.taken():
		return nil, unprocessable("MAX_CAPTURE_AMOUNT_EXCEEDED", "Capture amount exceeds allowable limit.").at("/amount/value", amount.value())
	case s.state.invoiceUsed(a.unit, invoice):
		return nil, unprocessable("DUPLICATE_INVOICE_ID", "Requested invoice_id has been previously captured.")
	}
	if invoice == "" {
		invoice = a.unit.InvoiceID
	}
	final = final || amount.Minor == a.Amount.Minor-a.taken()
	made := s.take(a.unit, amount, invoice, final, a.ID)
	if made.Status == declined {
		return made, nil // it can be tried again
	}
	status := partiallyCaptured
	if final {
		status = captured
	}
	s.setHeld(a.unit, status)
	return made, nil
}

func (s *Server) voidAuthorization(c *call) (answer, *apiError) {
	if e := c.read(&struct{}{}); e != nil {
		return answer{}, e
	}
	a, e := find[*authorization](s, c.id)
	if e == nil {
		e = s.void(a)
	}
	return answer{status: http.StatusOK, obj: a}, e
}

func (s *Server) void(a *authorization) *apiError {
	switch {
	case a.unit.Payee.MerchantID != s.opts.MerchantID:
		return forbidden()
	case a.Status == captured:
		return unprocessable("PREVIOUSLY_CAPTURED", "Authorization has been previously captured and hence cannot be voided.")
	case a.Status == voided:
		return unprocessable("PREVIOUSLY_VOIDED", "Authorization has been previously voided and hence cannot be voided again.")
	case a.Parent != "":
		return unprocessable("CANNOT_BE_VOIDED", "A reauthorization cannot be voided. Please void the original parent authorization.")
	}
	s.release(a.unit)
	return nil
}

// release gives what is still held back to the payer, and says so of every
// authorization.
func (s *Server) release(u *unit) {
	s.setHeld(u, voided)
	for _, a := range u.Authorizations {
		s.emit("PAYMENT.AUTHORIZATION.VOIDED", a)
	}
}
