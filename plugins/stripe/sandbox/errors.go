package sandbox

import (
	"fmt"
	"net/http"
)

// apiError is Stripe's error object, with what the stand-in must know about it.
type apiError struct {
	Type          string `json:"type"`
	Code          string `json:"code,omitempty"`
	DeclineCode   string `json:"decline_code,omitempty"`
	Message       string `json:"message"`
	Param         string `json:"param,omitempty"`
	Charge        string `json:"charge,omitempty"`
	DocURL        string `json:"doc_url,omitempty"`
	PaymentIntent any    `json:"payment_intent,omitempty"`
	PaymentMethod any    `json:"payment_method,omitempty"`

	status int
	began  bool // execution began, so an idempotency key replays this answer
}

// invalid is a request that was refused before anything began: its
// idempotency key is not used up.
func invalid(code, param, format string, args ...any) *apiError {
	e := &apiError{
		Type: "invalid_request_error", Code: code, Param: param,
		Message: fmt.Sprintf(format, args...), status: http.StatusBadRequest,
	}
	if code != "" {
		e.DocURL = "https://stripe.com/docs/error-codes/" + dashed(code)
	}
	return e
}

// conflict is a well-formed request that the object's state forbids: work
// began, so the answer belongs to the key.
func conflict(code, format string, args ...any) *apiError {
	e := invalid(code, "", format, args...)
	e.began = true
	return e
}

func missing(object, param, id string) *apiError {
	e := invalid("resource_missing", param, "No such %s: '%s'", object, id)
	e.status = http.StatusNotFound
	return e
}

// unknownID is a missing object that a parameter names: 404 is for what the
// path names.
func unknownID(object, param, id string) *apiError {
	e := missing(object, param, id)
	e.status = http.StatusBadRequest
	return e
}

// declined is a card's refusal: an error with 402, and an answer all the same.
func declined(c testCard, charge string) *apiError {
	return &apiError{
		Type: "card_error", Code: c.code, DeclineCode: c.declineCode, Message: c.message, Charge: charge,
		DocURL: "https://stripe.com/docs/error-codes/" + dashed(c.code), status: http.StatusPaymentRequired, began: true,
	}
}

func dashed(code string) string {
	out := []byte(code)
	for i, c := range out {
		if c == '_' {
			out[i] = '-'
		}
	}
	return string(out)
}
