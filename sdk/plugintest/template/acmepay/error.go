package main

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/superpayhub/superpay/sdk"
	"github.com/superpayhub/superpay/sdk/once"
)

// refusal is an answer that is no success.
type refusal struct {
	status int
	Error  struct {
		Code string `json:"code"`
	} `json:"error"`
}

// outcome is the one place where an answer that is no success becomes an
// outcome of the contract. What is not proven stays unknown.
func (r refusal) outcome() error {
	switch {
	case r.Error.Code == "key_reused":
		return sdk.Mismatch("Acmepay: the key was first used with another request")
	case r.status == http.StatusUnauthorized, r.status == http.StatusForbidden, r.status == http.StatusTooManyRequests:
		// Looked at before the key is: it says nothing of an earlier sending.
		return sdk.NotSent(fmt.Sprintf("refused (HTTP %d)", r.status))
	case r.status == http.StatusNotFound && r.Error.Code == "not_found":
		return sdk.ErrNotFound
	case r.status == http.StatusUnprocessableEntity && r.Error.Code != "":
		return sdk.Rejected(failure(r.Error.Code))
	}
	return fmt.Errorf("acmepay: HTTP %d", r.status)
}

// failures maps Acmepay's codes to ours, with a text of our own: the provider's
// may quote what it was sent.
var failures = map[string]sdk.Failure{
	"declined":        {Code: sdk.FailureDeclined, Message: "The payment was declined."},
	"low_funds":       {Code: sdk.FailureInsufficientFunds, Message: "There is too little money for the payment."},
	"too_much":        {Code: sdk.FailureRefundExceedsBalance, Message: "That is more than is left."},
	"wrong_state":     {Code: sdk.FailureState, Message: "The payment is not in a state that allows this."},
	"account_closed":  {Code: sdk.FailureDeclined, Message: "The money could not be given back: the account is closed."},
	"amount_rejected": {Code: sdk.FailureAmount, Message: "Acmepay does not take this amount."},
}

func failure(code string) sdk.Failure {
	f, known := failures[code]
	if !known {
		f = sdk.Failure{Code: sdk.FailureInvalidRequest, Message: "Acmepay refused the request."}
	}
	f.ProviderCode = code
	return f
}

// callError says why no answer came. Only a connection that was never made
// proves that nothing was sent.
func callError(err error) error {
	var early *sdk.NotSentError
	if errors.As(err, &early) {
		return early
	}
	return fmt.Errorf("acmepay: %w", once.Cause(err))
}
