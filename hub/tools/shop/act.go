package main

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
)

// The buttons of an order. Each form carries its own key, so that a double
// click, a reload or a second try asks the hub for the same thing once.

// refundForm is what was typed, shown again with what is wrong about it.
type refundForm struct {
	Key, Amount, Reason, Problem string
}

func (s *shop) refund(w http.ResponseWriter, r *http.Request, o *order) {
	form := r.PostForm
	typed := refundForm{Key: form.Get("key"), Amount: clip(form.Get("amount")), Reason: clip(form.Get("reason"))}
	amount, err := parseMoney(form.Get("amount"), o.Exponent)
	if err == nil && amount == 0 {
		err = errNothing
	}
	reason := strings.TrimSpace(form.Get("reason"))
	if err == nil && len(reason) > maxText {
		err = errors.New("that reason is too long")
	}
	if err != nil {
		typed.Problem = sentence(err.Error()) + "."
		s.orderPage(w, r, o, http.StatusUnprocessableEntity, &typed)
		return
	}
	body := struct {
		Amount   int64  `json:"amount"`
		Reason   string `json:"reason,omitempty"`
		Expected *int64 `json:"expected_refundable,omitempty"`
	}{Amount: amount, Reason: reason}
	// What the page showed as refundable: a page from before another refund
	// must not give the money back twice.
	if seen, err := strconv.ParseInt(form.Get("refundable"), 10, 64); err == nil {
		body.Expected = &seen
	}
	if err := s.act(w, r, o, "refund", "refunds", body, &refund{}); err != nil {
		p := problemOf(err)
		if p.passing() || p.Status != http.StatusConflict && p.Status != http.StatusUnprocessableEntity {
			s.failed(w, r, err, failedAs{What: "The refund was not made", Order: o.ID, Retry: s.again(r)})
			return
		}
		s.logProblem(r, err)
		// Another amount is another request.
		typed.Key, typed.Problem = newKey(), "The refund was not made: "+p.words()
		if p.RequestID != "" {
			typed.Problem += " (" + p.RequestID + ")"
		}
		if now, err := s.hub.order(r.Context(), o.ID); err == nil {
			o = now
		}
		s.orderPage(w, r, o, p.Status, &typed)
	}
}

func (s *shop) capture(w http.ResponseWriter, r *http.Request, o *order) {
	if err := s.act(w, r, o, "capture", "capture", struct{}{}, &order{}); err != nil {
		s.failed(w, r, err, failedAs{What: "The money was not taken", Order: o.ID, Retry: s.again(r)})
	}
}

func (s *shop) cancel(w http.ResponseWriter, r *http.Request, o *order) {
	if err := s.act(w, r, o, "cancel", "cancel", struct{}{}, &order{}); err != nil {
		s.failed(w, r, err, failedAs{What: "The order was not canceled", Order: o.ID, Retry: s.again(r)})
	}
}

// act asks the hub for one thing. Whether it is done yet is for the order's
// page to say, which reads it.
func (s *shop) act(w http.ResponseWriter, r *http.Request, o *order, verb, path string, body, into any) error {
	key := "shop-" + verb + "-" + r.PostForm.Get("key")
	if _, err := s.hub.post(r.Context(), "/v1/orders/"+o.ID+"/"+path, key, body, into); err != nil {
		return err
	}
	http.Redirect(w, r, s.base+"/order/"+o.ID+"?done="+verb, http.StatusSeeOther)
	return nil
}

// payAgain starts another attempt on the same order.
func (s *shop) payAgain(w http.ResponseWriter, r *http.Request, o *order) {
	pay, err := readPayment(r.PostForm)
	var sl *sale
	if err == nil {
		sl, err = s.sellAgain(r, pay, o)
	}
	if wrong := mistake(""); errors.As(err, &wrong) {
		s.message(w, r, http.StatusUnprocessableEntity, message{Title: "Please choose again", Text: string(wrong), Order: o.ID})
		return
	}
	if err != nil {
		s.failed(w, r, err, failedAs{What: "Your payment could not be started", Order: o.ID, Retry: s.again(r)})
		return
	}
	s.begin(w, r, sl)
}

func (s *shop) sellAgain(r *http.Request, pay payment, o *order) (*sale, error) {
	sum, err := digest([]any{o.ID, r.PostForm.Get("key"), pay})
	if err != nil {
		return nil, err
	}
	if sl := s.book.find(sum[:32]); sl != nil {
		return sl, nil
	}
	chosen, err := s.choose(r.Context(), pay, o.Currency)
	if err != nil {
		return nil, err
	}
	c := pay.checkout(chosen)
	c.Reference, c.Amount, c.Currency = o.Reference, o.Amount, o.Currency
	return s.book.open(newSale(r, sale{
		handle: sum[:32], path: "/v1/orders/" + o.ID + "/checkouts", key: "shop-pay-" + sum[32:], ask: c, pays: o.ID, way: chosen,
	})), nil
}
