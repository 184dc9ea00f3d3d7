package sandbox

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

const (
	waitingForSeller = "WAITING_FOR_SELLER_RESPONSE"
	underReview      = "UNDER_REVIEW"
	resolved         = "RESOLVED"
	buyerFavour      = "RESOLVED_BUYER_FAVOUR"
	sellerFavour     = "RESOLVED_SELLER_FAVOUR"
	withdrawn        = "CANCELED_BY_BUYER"
)

// disputed tells whether a case is open, and whether one was lost.
func (c *capture) disputed() (opened, lost bool) {
	for _, d := range c.Disputes {
		opened = opened || d.Status != resolved
		lost = lost || d.Outcome == buyerFavour
	}
	return opened, lost
}

// openDispute challenges an amount of what is left of a capture. An inquiry asks
// without taking the money; a chargeback takes it until it is won.
func (s *Server) openDispute(c *capture, amount money, inquiry bool) *apiError {
	opened, lost := c.disputed()
	if opened || lost || amount.Minor > c.left() || c.left() <= 0 || c.Status == pending || c.Status == declined {
		return unprocessable("NOT_DISPUTABLE", "The capture cannot be disputed.")
	}
	now := s.now()
	d := &dispute{
		ID: "PP-R-" + random(3) + "-" + strings.ToUpper(random(8)), Status: waitingForSeller, Stage: "CHARGEBACK",
		Amount: amount, Created: now, Updated: now,
	}
	if inquiry {
		d.Stage = "INQUIRY"
	}
	s.state.addDispute(c, d)
	s.emit("CUSTOMER.DISPUTE.CREATED", d)
	return nil
}

// respond hands in the merchant's evidence.
func (s *Server) respond(d *dispute) *apiError {
	if d.Status != waitingForSeller {
		return unprocessable("ACTION_NOT_ALLOWED_IN_CURRENT_DISPUTE_STATE", "The dispute is "+d.Status+".")
	}
	d.Status, d.Updated = underReview, s.now()
	s.emit("CUSTOMER.DISPUTE.UPDATED", d)
	return nil
}

// closeDispute ends one. No refund appears when it is lost: the dispute itself
// says that the money is gone.
func (s *Server) closeDispute(d *dispute, outcome string) *apiError {
	if d.Status == resolved {
		return unprocessable("ACTION_NOT_ALLOWED_IN_CURRENT_DISPUTE_STATE", "The dispute is resolved.")
	}
	d.Status, d.Outcome, d.Updated = resolved, outcome, s.now()
	s.emit("CUSTOMER.DISPUTE.RESOLVED", d)
	return nil
}

// dropDisputes ends the cases about money that is all back: the payer has
// nothing left to ask for, and must not be paid twice.
func (s *Server) dropDisputes(c *capture) {
	for _, d := range c.Disputes {
		if d.Status != resolved && c.left() <= 0 {
			must(s.closeDispute(d, withdrawn))
		}
	}
}

func (d *dispute) state() string {
	return map[string]string{
		waitingForSeller: "REQUIRED_ACTION", underReview: "UNDER_PAYPAL_REVIEW", resolved: "RESOLVED",
	}[d.Status]
}

func (d *dispute) brief(s *Server) fields {
	return fields{
		"dispute_id": d.ID, "create_time": stamp(d.Created), "update_time": stamp(d.Updated), "reason": "UNAUTHORISED",
		"status": d.Status, "dispute_state": d.state(), "dispute_amount": d.Amount, "dispute_life_cycle_stage": d.Stage,
		"dispute_channel": "INTERNAL", "links": []link{s.link("self", "GET", disputesPath+d.ID)},
	}
}

func (d *dispute) render(s *Server, _ bool) any {
	c := d.capture
	transaction := fields{
		"seller_transaction_id": c.ID, "create_time": stamp(c.Created), "gross_amount": c.Amount,
		"transaction_status": completed, "seller_protection_eligible": true,
		"buyer":  fields{"name": "Jane Sandbox"},
		"seller": fields{"email": c.unit.Payee.Email, "merchant_id": c.unit.Payee.MerchantID, "name": "Sandbox Store"},
	}
	put(transaction, "custom", c.unit.CustomID)
	put(transaction, "invoice_number", c.InvoiceID)
	out := d.brief(s)
	delete(out, "dispute_state") // only the list tells it
	out["disputed_transactions"] = []fields{transaction}
	if d.Status == waitingForSeller {
		out["seller_response_due_date"] = stamp(d.Created.AddDate(0, 0, 10))
	}
	if d.Outcome != "" {
		outcome := fields{"outcome_code": d.Outcome}
		if d.Outcome == buyerFavour {
			outcome["amount_refunded"] = d.Amount
		}
		out["dispute_outcome"] = outcome
	}
	if moves := d.movements(); len(moves) > 0 {
		out["money_movements"] = moves
	}
	return out
}

func (d *dispute) movements() (moves []fields) {
	move := func(kind, at string) fields {
		return fields{
			"affected_party": "SELLER", "amount": d.Amount, "initiated_time": at, "type": kind, "reason": "DISPUTE_SETTLEMENT",
		}
	}
	chargeback := d.Stage == "CHARGEBACK"
	if chargeback {
		moves = append(moves, move("DEBIT", stamp(d.Created)))
	}
	switch {
	case chargeback && d.Status == resolved && d.Outcome != buyerFavour:
		moves = append(moves, move("CREDIT", stamp(d.Updated)))
	case !chargeback && d.Outcome == buyerFavour:
		moves = append(moves, move("DEBIT", stamp(d.Updated)))
	}
	return moves
}

// permitted is a verb that only an app with the feature Disputes may use.
func (s *Server) permitted(do verb) verb {
	return func(c *call) (answer, *apiError) {
		if s.locked {
			return answer{}, forbidden()
		}
		return do(c)
	}
}

func (s *Server) getDispute(c *call) (answer, *apiError) {
	d, e := find[*dispute](s, c.id)
	return answer{status: http.StatusOK, obj: d}, e
}

// listDisputes is newest first. The token of the next page is a position, which
// new disputes shift, so a careful reader expects repeats.
func (s *Server) listDisputes(c *call) (answer, *apiError) {
	query := c.r.URL.Query()
	size, from := 10, 0
	for name, into := range map[string]*int{"page_size": &size, "next_page_token": &from} {
		if text := query.Get(name); text != "" {
			n, err := strconv.Atoi(text)
			if err != nil || n < 1 || name == "page_size" && n > 50 {
				return answer{}, malformed("INVALID_PARAMETER_VALUE", name, text).in("query")
			}
			*into = n
		}
	}
	transaction, states := query.Get("disputed_transaction_id"), query.Get("dispute_state")
	if transaction != "" && query.Get("start_time") != "" {
		return answer{}, malformed("INVALID_PARAMETER_VALUE", "start_time", "").in("query")
	}
	all := []*dispute{}
	for o := range s.orders() {
		for _, u := range o.Units {
			for _, paid := range u.Captures {
				if transaction == "" || paid.ID == transaction {
					all = append(all, paid.Disputes...)
				}
			}
		}
	}
	all = slices.DeleteFunc(all, func(d *dispute) bool {
		return states != "" && !slices.Contains(strings.Split(states, ","), d.state())
	})
	slices.SortStableFunc(all, func(a, b *dispute) int { return b.Created.Compare(a.Created) })
	items, links := []fields{}, []link{s.link("self", "GET", strings.TrimSuffix(disputesPath, "/")+"?"+query.Encode())}
	for _, d := range all[min(from, len(all)):min(from+size, len(all))] {
		items = append(items, d.brief(s))
	}
	if from+size < len(all) {
		next := url.Values{"page_size": {strconv.Itoa(size)}, "next_page_token": {strconv.Itoa(from + size)}}
		for _, name := range []string{"disputed_transaction_id", "dispute_state"} {
			if query.Get(name) != "" {
				next.Set(name, query.Get(name))
			}
		}
		links = append(links, s.link("next", "GET", strings.TrimSuffix(disputesPath, "/")+"?"+next.Encode()))
	}
	return answer{status: http.StatusOK, body: fields{"items": items, "links": links}}, nil
}
