package main

import (
	"net/http"
	"strconv"
	"strings"
)

// The buttons of an order. Each form carries its own key, so that a double
// click, a reload or a second try asks the hub for the same thing once.

func (s *shop) refund(w http.ResponseWriter, r *http.Request, o *order) {
	form := r.PostForm
	amount, err := parseMoney(form.Get("amount"), o.Exponent)
	if err == nil && amount == 0 {
		err = errAmount
	}
	reason := strings.TrimSpace(form.Get("reason"))
	if err != nil || len(reason) > maxText {
		text := "That reason is too long."
		if err != nil {
			text = sentence(err.Error()) + "."
		}
		s.message(w, r, http.StatusUnprocessableEntity, message{Title: "That refund cannot be made", Text: text, Order: o.ID})
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
	s.act(w, r, o, "refund", "refunds", body, &refund{})
}

func (s *shop) capture(w http.ResponseWriter, r *http.Request, o *order) {
	s.act(w, r, o, "capture", "capture", struct{}{}, &order{})
}

func (s *shop) cancel(w http.ResponseWriter, r *http.Request, o *order) {
	s.act(w, r, o, "cancel", "cancel", struct{}{}, &order{})
}

// act asks the hub for one thing. Whether it is done yet is for the order's
// page to say, which reads it.
func (s *shop) act(w http.ResponseWriter, r *http.Request, o *order, verb, path string, body, into any) {
	key := "shop-" + verb + "-" + r.PostForm.Get("key")
	if _, err := s.hub.post(r.Context(), "/v1/orders/"+o.ID+"/"+path, key, body, into); err != nil {
		what := map[string]string{
			"refund": "The refund was not made", "capture": "The money was not taken", "cancel": "The order was not canceled",
		}[verb]
		s.failed(w, r, err, failedAs{What: what, Order: o.ID, Retry: s.again(r)})
		return
	}
	http.Redirect(w, r, s.base+"/order/"+o.ID+"?done="+verb, http.StatusSeeOther)
}

// payAgain starts another attempt on the same order.
func (s *shop) payAgain(w http.ResponseWriter, r *http.Request, o *order) {
	pay, err := readPayment(r.PostForm)
	if err != nil {
		s.message(w, r, http.StatusUnprocessableEntity, message{Title: "Please choose again", Text: err.Error(), Order: o.ID})
		return
	}
	var after order
	key := "shop-pay-" + r.PostForm.Get("key")
	status, err := s.hub.post(r.Context(), "/v1/orders/"+o.ID+"/checkouts", key, pay.checkout(), &after)
	if err == nil && (after.ID != o.ID || !after.sane()) {
		err = &problem{Title: "The hub answered about another order", Code: "bad_answer"}
	}
	if err != nil {
		s.failed(w, r, err, failedAs{What: "Your payment could not be started", Order: o.ID, Retry: s.again(r)})
		return
	}
	s.proceed(w, r, &after, status)
}
