package main

import (
	"net/http"
	"net/url"
	"regexp"
)

// What a shop's page does with a provider's script (Stripe.js, Apple's sheet,
// PayPal's buttons) is done here by pages of the stand-in, to which the payer is
// sent. They come back to /order/{id}/back with what the script would report.

var (
	sessionIDs = regexp.MustCompile(`^cs_[A-Za-z0-9_]{1,250}$`)
	intentIDs  = regexp.MustCompile(`^pi_[A-Za-z0-9_]{1,250}$`)
	paypalIDs  = regexp.MustCompile(`^[A-Z0-9]{1,36}$`)
)

// clientPage is where the payer does what the provider's script would do next;
// "" if there is nothing of the kind. All in it comes from the hub.
func (s *shop) clientPage(o *order) string {
	if s.sandbox == "" || o.NextAction == nil || o.NextAction.Type != "client" {
		return ""
	}
	c, back := o.NextAction.Client, s.public+"/order/"+o.ID+"/back"
	switch {
	case intentIDs.MatchString(c["payment_intent"]): // the bank wants to ask the payer: 3-D Secure
		return s.sandbox + "/stripe/3ds/" + c["payment_intent"] + "?" + url.Values{"return": {back}}.Encode()
	case c["client_id"] != "" && c["custom_id"] != "": // the browser makes PayPal's order
		q := url.Values{"return": {back}}
		for _, name := range []string{"client_id", "amount", "currency", "custom_id", "reference_id", "merchant_id"} {
			q.Set(name, c[name])
		}
		return s.sandbox + "/paypal/client?" + q.Encode()
	}
	return ""
}

// frame is the provider's form inside our page: Stripe's embedded checkout.
func (s *shop) frame(o *order) string {
	if s.sandbox == "" || o.Status != "open" || o.NextAction == nil || o.NextAction.Type != "client" {
		return ""
	}
	if id := o.NextAction.Client["session_id"]; sessionIDs.MatchString(id) {
		return s.sandbox + "/stripe/embed/" + id
	}
	return ""
}

// comeFromClient tells the hub what the payer's client obtained. Whether it is
// true, the hub finds out: this address can be typed by anybody.
func (s *shop) comeFromClient(w http.ResponseWriter, r *http.Request, o *order) {
	here := s.base + "/order/" + o.ID
	if r.FormValue("canceled") == "1" {
		http.Redirect(w, r, here+"?from=cancelled", http.StatusSeeOther)
		return
	}
	_, err := r.Cookie(cookieName)
	n := len(o.Attempts) - 1
	if err != nil || n < 0 || !o.Attempts[n].waiting() {
		http.Redirect(w, r, here+"?from=return", http.StatusSeeOther)
		return
	}
	confirm := struct {
		AttemptID string            `json:"attempt_id"`
		Input     map[string]string `json:"input,omitempty"`
	}{AttemptID: o.Attempts[n].ID}
	again := &formPost{Action: here + "/back", Button: "Try again", Fields: []field{{"key", newKey()}}}
	if id := r.FormValue("order_id"); paypalIDs.MatchString(id) {
		confirm.Input = map[string]string{"order_id": id}
		again.Fields = append(again.Fields, field{"order_id", id})
	}
	sum, err := digest(confirm)
	if err != nil {
		s.failed(w, r, err, failedAs{What: "The payment could not be confirmed", Order: o.ID})
		return
	}
	var after order
	if _, err := s.hub.post(r.Context(), "/v1/orders/"+o.ID+"/confirm", s.book.confirmKey(sum), confirm, &after); err != nil {
		if p := problemOf(err); p.Status == http.StatusConflict && !p.passing() { // a callback was faster
			http.Redirect(w, r, here+"?from=return", http.StatusSeeOther)
			return
		}
		s.failed(w, r, err, failedAs{What: "The payment could not be confirmed", Order: o.ID, Retry: again})
		return
	}
	if n := len(after.Attempts) - 1; n >= 0 && after.Attempts[n].Status == "requires_action" {
		s.book.stillWaits(sum)
		http.Redirect(w, r, here, http.StatusSeeOther)
		return
	}
	http.Redirect(w, r, here+"?from=return", http.StatusSeeOther)
}

// waiting reports whether the attempt may wait for what the client obtained.
func (a attempt) waiting() bool {
	switch a.Status {
	case "created", "unknown", "requires_action", "requires_confirmation":
		return true
	}
	return false
}

// dashboard is where the stand-in shows a payment, with the way back.
func (s *shop) dashboard(o *order) string {
	if s.sandbox == "" {
		return ""
	}
	back := "?" + url.Values{"return": {s.public + "/order/" + o.ID}}.Encode()
	found := ""
	for _, a := range o.Attempts {
		at := map[string]string{}
		for _, r := range a.References {
			if givens.MatchString(r.Value) {
				at[r.Kind] = r.Value
			}
		}
		switch {
		case at["payment_intent"] != "":
			found = s.sandbox + "/stripe/dashboard/payments/" + at["payment_intent"] + back
		case at["charge"] != "":
			found = s.sandbox + "/stripe/dashboard/payments/" + at["charge"] + back
		case at["checkout_session"] != "":
			found = s.sandbox + "/stripe/dashboard" + back
		case at["order"] != "":
			found = s.sandbox + "/paypal/dashboard/orders/" + at["order"] + back
		}
	}
	return found
}
