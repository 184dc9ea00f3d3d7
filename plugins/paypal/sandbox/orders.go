package sandbox

import (
	"net/http"
	"time"
)

const (
	approvalWindow  = 3 * time.Hour       // to lead the payer there, and again for all the rest
	authorizedFor   = 29 * 24 * time.Hour // how long approved money waits for its capture
	maxDeclines     = 5
	payerID         = "JANE2SANDB2X2"
	payerEmail      = "jane@personal.example.com"
	merchantEmail   = "merchant@business.example.com"
	immediateReason = "The merchant takes no bank payments that are not immediate."
)

func (s *Server) createOrder(c *call) (answer, *apiError) {
	var req orderRequest
	if e := c.read(&req); e != nil {
		return answer{}, e
	}
	o, e := s.build(&req, c.r.Header.Get("PayPal-Request-Id"))
	if e != nil {
		return answer{}, e
	}
	s.state.addOrder(o)
	s.wakeAt(o.Deadline)
	return answer{status: http.StatusCreated, obj: o}, nil
}

func (s *Server) getOrder(c *call) (answer, *apiError) {
	o, e := find[*order](s, c.id)
	if e != nil {
		return answer{}, e
	}
	c.full = true
	return answer{status: http.StatusOK, obj: o}, nil
}

// completionRequest is the body of capture and authorize. The Go library sends
// an application_context along, which PayPal does not read.
type completionRequest struct {
	Source  *paymentSource `json:"payment_source"`
	Context *appContext    `json:"application_context"`
}

func (s *Server) captureOrder(c *call) (answer, *apiError) {
	return s.complete(c, s.capture)
}

func (s *Server) authorizeOrder(c *call) (answer, *apiError) {
	return s.complete(c, s.authorize)
}

func (s *Server) complete(c *call, do func(*order) *apiError) (answer, *apiError) {
	var req completionRequest
	if e := c.read(&req); e != nil {
		return answer{}, e
	}
	if req.Source != nil && req.Source.PayPal == nil {
		return answer{}, req.Source.refused()
	}
	o, e := find[*order](s, c.id)
	if e == nil {
		e = do(o)
	}
	return answer{status: http.StatusCreated, obj: o}, e
}

// ready checks that the payer's part is done and the money can be taken.
func (s *Server) ready(o *order, intent, already string) *apiError {
	switch {
	case o.Intent != intent:
		return unprocessable("ACTION_DOES_NOT_MATCH_INTENT", "The order was created with intent="+o.Intent+".")
	case o.Status == completed:
		return unprocessable(already, "The order was completed already; only once per order is allowed.")
	case o.Status == voided:
		return unprocessable("ORDER_EXPIRED", "The payer's approval has run out.")
	case o.Declines >= maxDeclines:
		return unprocessable("MAX_NUMBER_OF_PAYMENT_ATTEMPTS_EXCEEDED", "You have exceeded the maximum number of payment attempts.")
	case o.Status == payerActionRequired && o.Approved:
		return unprocessable("PAYER_ACTION_REQUIRED", "Instruct the buyer to return to PayPal.")
	case o.Status != approved:
		return unprocessable("ORDER_NOT_APPROVED", "Payer has not yet approved the Order for payment.")
	}
	for _, u := range o.Units {
		if s.state.invoiceUsed(u, u.InvoiceID) {
			return unprocessable("DUPLICATE_INVOICE_ID", "Invoice ids must be unique for each transaction.")
		}
	}
	if o.Funding == declinedOnce {
		return s.decline(o)
	}
	return nil
}

// decline refuses what the payer chose and sends them back to choose again.
func (s *Server) decline(o *order) *apiError {
	o.Declines++
	o.Funding, o.Status, o.Updated = "", created, s.now()
	if o.BySource {
		o.Status = payerActionRequired
	}
	e := unprocessable("INSTRUMENT_DECLINED", "The instrument presented was declined by the processor or bank.")
	e.Links = append(e.Links, link{s.approvalURL(o), "redirect", "GET"})
	return e
}

// capture takes the money of an approved order. The order is then complete
// whatever became of the money.
func (s *Server) capture(o *order) *apiError {
	if e := s.ready(o, "CAPTURE", "ORDER_ALREADY_CAPTURED"); e != nil {
		return e
	}
	o.Status, o.Updated = completed, s.now()
	for _, u := range o.Units {
		s.take(u, u.Amount, u.InvoiceID, true, "")
	}
	s.tellCompleted(o)
	return nil
}

// tellCompleted is of orders whose intent was carried out.
func (s *Server) tellCompleted(o *order) {
	if s.opts.Platform {
		s.emit("CHECKOUT.ORDER.COMPLETED", o)
	}
}

// pendingReasons are why a capture waits, by what the payer chose to pay with
// (status_details.reason of a capture in PayPal's Payments v2).
var pendingReasons = map[funding]string{
	eCheck: "ECHECK", reviewed: "PENDING_REVIEW", byHand: "RECEIVING_PREFERENCE_MANDATES_MANUAL_ACTION", unconfirmed: "UNILATERAL",
}

// take makes a capture, as good as what the payer chose to pay with.
func (s *Server) take(u *unit, amount money, invoice string, final bool, authorization string) *capture {
	now := s.now()
	c := &capture{
		ID: newID(), Status: completed, Amount: amount, Final: final, InvoiceID: invoice, Authorization: authorization,
		Created: now, Updated: now,
	}
	if reason, waits := pendingReasons[u.order.Funding]; waits {
		c.Status, c.Reason = pending, reason
	} else if u.order.Funding == badCapture || u.order.Funding == gone && authorization != "" && !now.Before(u.current().honoredUntil()) {
		c.Status = declined
	}
	s.state.addCapture(u, c)
	s.emit(captureNews[c.Status], c)
	return c
}

func (s *Server) authorize(o *order) *apiError {
	if e := s.ready(o, "AUTHORIZE", "ORDER_ALREADY_AUTHORIZED"); e != nil {
		return e
	}
	now := s.now()
	o.Status, o.Updated = completed, now
	for _, u := range o.Units {
		a := &authorization{
			ID: newID(), Status: created, Amount: u.Amount, Expires: now.Add(authorizedFor), Created: now, Updated: now,
		}
		s.state.addAuthorization(u, a)
		s.wakeAt(a.Expires)
		s.emit("PAYMENT.AUTHORIZATION.CREATED", a)
	}
	s.tellCompleted(o)
	return nil
}

// approve is the payer's consent. No money moves.
func (s *Server) approve(o *order, with funding) *apiError {
	switch {
	case o.Status != created && o.Status != payerActionRequired:
		return unprocessable("ORDER_ALREADY_APPROVED", "There is nothing left to approve.")
	case with == eCheck && o.Immediate:
		return unprocessable("PAYER_CANNOT_PAY", immediateReason)
	}
	o.Status, o.Funding, o.Approved, o.Updated = approved, with, true, s.now()
	s.visit(o)
	s.emit("CHECKOUT.ORDER.APPROVED", o)
	return nil
}

// visit opens the second window: the payer has come.
func (s *Server) visit(o *order) {
	if !o.Visited {
		o.Visited, o.Deadline = true, s.now().Add(approvalWindow)
	}
}

// expire ends an order nobody completed. One never approved PayPal forgets; of
// one that was it says that the approval is void.
func (s *Server) expire(o *order) *apiError {
	if o.Gone || o.Status == completed || o.Status == voided {
		return unprocessable("ORDER_ALREADY_COMPLETED", "The order cannot expire.")
	}
	if o.Status != approved {
		o.Gone = true
		s.file.Touch()
		return nil
	}
	o.Status, o.Updated = voided, s.now()
	s.emit("CHECKOUT.PAYMENT-APPROVAL.REVERSED", o)
	return nil
}

// settle ends a pending capture.
func (s *Server) settle(c *capture, to string) *apiError {
	if c.Status != pending {
		return unprocessable("NOT_PENDING", "The capture is "+c.Status+".")
	}
	c.Status, c.Reason, c.Updated = to, "", s.now()
	s.emit(captureNews[to], c)
	return nil
}
