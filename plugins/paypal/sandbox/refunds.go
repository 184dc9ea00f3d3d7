package sandbox

import (
	"net/http"
	"regexp"
	"slices"
	"time"
)

const refundableFor = 180 * 24 * time.Hour

func (s *Server) getCapture(c *call) (answer, *apiError) {
	found, e := find[*capture](s, c.id)
	c.full = true
	return answer{status: http.StatusOK, obj: found}, e
}

func (s *Server) getRefund(c *call) (answer, *apiError) {
	r, e := find[*refund](s, c.id)
	c.full = true
	return answer{status: http.StatusOK, obj: r}, e
}

type refundRequest struct {
	Amount    *wireMoney `json:"amount"`
	CustomID  string     `json:"custom_id"`
	InvoiceID string     `json:"invoice_id"`
	Note      string     `json:"note_to_payer"`
}

// refundCustomForm is the pattern of a refund object's custom_id (payments_payment_v2).
var refundCustomForm = regexp.MustCompile(`^[A-Za-z0-9\-_.,]*$`)

func (s *Server) refundCapture(c *call) (answer, *apiError) {
	var req refundRequest
	if e := c.read(&req); e != nil {
		return answer{}, e
	}
	for _, f := range []struct {
		name, value string
		most        int
	}{{"/custom_id", req.CustomID, 127}, {"/invoice_id", req.InvoiceID, 127}, {"/note_to_payer", req.Note, 255}} {
		if e := checkLength(f.name, f.value, f.most); e != nil {
			return answer{}, e
		}
	}
	if !refundCustomForm.MatchString(req.CustomID) {
		return answer{}, malformed("INVALID_PARAMETER_SYNTAX", "/custom_id", req.CustomID)
	}
	paid, e := find[*capture](s, c.id)
	if e != nil {
		return answer{}, e
	}
	amount := paid.Amount.of(paid.left())
	if req.Amount != nil {
		if amount, e = req.Amount.positive("/amount"); e != nil {
			return answer{}, e
		}
	}
	r, e := s.refund(paid, amount, req)
	if e != nil {
		return answer{}, e
	}
	return answer{status: http.StatusCreated, obj: r}, nil
}

// left is what can still be refunded.
func (c *capture) left() int64 {
	return c.Amount.Minor - c.refunded()
}

// refunded is what was given back, or is on its way.
func (c *capture) refunded() (sum int64) {
	for _, r := range c.refunds() {
		sum += r.Amount.Minor
	}
	return sum
}

// refunds are those of a capture that did not fail.
func (c *capture) refunds() []*refund {
	return slices.DeleteFunc(slices.Clone(c.unit.Refunds), func(r *refund) bool {
		return r.Capture != c.ID || r.Status == failed
	})
}

func (s *Server) refund(c *capture, amount money, req refundRequest) (*refund, *apiError) {
	if e := s.checkRefund(c, amount); e != nil {
		return nil, e
	}
	if s.state.refundInvoiceUsed(c.unit, req.InvoiceID) {
		return nil, unprocessable("DUPLICATE_INVOICE_ID", "Invoice ID was previously used to refund a capture.").at("/invoice_id", req.InvoiceID)
	}
	r := &refund{
		Amount: amount, CustomID: req.CustomID, InvoiceID: req.InvoiceID, Note: req.Note,
		Status: s.refunds.status(), Fee: amount.of(s.feeBack(c, amount.Minor)),
	}
	if r.CustomID == "" {
		r.CustomID = c.unit.CustomID
	}
	s.giveBack(c, r)
	s.emit(refundNews[r.Status], r)
	if r.Status == completed {
		s.dropDisputes(c)
	}
	return r, nil
}

func (s *Server) checkRefund(c *capture, amount money) *apiError {
	opened, lost := c.disputed()
	left := c.left()
	switch {
	case c.unit.Payee.MerchantID != s.opts.MerchantID:
		return forbidden()
	case c.Status == pending:
		return unprocessable("PENDING_CAPTURE", "Cannot initiate a refund as the capture is pending.")
	case c.Status == declined:
		return unprocessable("REFUND_NOT_ALLOWED", "Capture cannot be refunded.")
	case amount.Currency != c.Amount.Currency:
		return unprocessable("REFUND_CAPTURE_CURRENCY_MISMATCH", "Refund must be in the same currency as the capture.")
	case s.now().Sub(c.Created) > refundableFor:
		return unprocessable("REFUND_TIME_LIMIT_EXCEEDED", "You are over the time limit to perform a refund on this capture.")
	case lost || c.Reason == "CHARGEBACK":
		return unprocessable("REFUND_NOT_PERMITTED_DUE_TO_CHARGEBACK", "Refunds are not allowed due to a chargeback.")
	case opened && amount.Minor < left:
		return unprocessable("TRANSACTION_DISPUTED", "Partial refunds cannot be offered because there is an open case.")
	case s.off["over_refund"]:
		return nil
	case left == 0:
		return unprocessable("CAPTURE_FULLY_REFUNDED", "The capture has already been fully refunded.")
	case amount.Minor > left:
		return unprocessable("REFUND_AMOUNT_EXCEEDED", "The refund amount must be less than or equal to the capture amount "+
			"that has not yet been refunded.").at("/amount/value", amount.value())
	}
	return nil
}

func (s *Server) giveBack(c *capture, r *refund) {
	r.ID, r.Capture, r.Created, r.Updated = newID(), c.ID, s.now(), s.now()
	s.state.addRefund(c.unit, r)
	r.Total = r.Amount.of(c.refunded())
	s.setRefunded(c)
}

// setRefunded gives a capture the status that its refunds make.
func (s *Server) setRefunded(c *capture) {
	c.Updated, c.Status = s.now(), partiallyRefunded
	switch {
	case c.left() <= 0:
		c.Status = refunded
	case len(c.refunds()) == 0:
		c.Status = completed
	}
}

// reverse is PayPal taking money back that the payer asked for, at PayPal or at
// their bank. It looks like a refund that the merchant did not make. The reason is
// then told of the capture; "" tells none.
func (s *Server) reverse(c *capture, amount money, reason string) *apiError {
	switch {
	case c.left() <= 0 || c.Status == pending || c.Status == declined:
		return unprocessable("REFUND_NOT_ALLOWED", "There is nothing to reverse.")
	case amount.Minor > c.left():
		return unprocessable("REFUND_AMOUNT_EXCEEDED", "There is only "+c.Amount.of(c.left()).String()+" left to reverse.")
	}
	r := &refund{Amount: amount, CustomID: c.unit.CustomID, Reversal: true, Status: completed, Fee: amount.of(0)}
	s.giveBack(c, r)
	c.Reason = reason
	s.emit("PAYMENT.CAPTURE.REVERSED", r)
	s.dropDisputes(c)
	return nil
}
