package main

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"

	stripe "github.com/stripe/stripe-go/v76"

	"github.com/superpayhub/superpay/sdk"
	"github.com/superpayhub/superpay/sdk/once"
)

// outcome is the one place where an error of a call becomes an outcome.
//
// Stripe keeps the first answer of an idempotency key, errors included, and
// gives it again to a repeat; what fails validation is not kept, but the same
// bytes fail it again. So a 400, 402 or 404 to a repeat still speaks for the
// first sending, and is a Rejected. 401, 403 and 429 are answered in front of
// that memory: they prove only that this sending did nothing, so they are
// NotSent, which the hub reads as "still unknown" where an earlier sending may
// have arrived. 409 and lock_timeout say that something is going on: unknown,
// as is every 5xx (Stripe: treat as indeterminate) and every broken answer.
//
// The library's own texts are never passed on: stripe.Error prints the whole
// object with its client_secret.
func outcome(what string, err error) error {
	var se *stripe.Error
	if errors.As(err, &se) {
		return refusal(what, se)
	}
	var early *sdk.NotSentError
	if errors.As(err, &early) {
		return early
	}
	return fmt.Errorf("stripe: %s: %w", what, once.Cause(err))
}

func refusal(what string, se *stripe.Error) error {
	switch status := se.HTTPStatusCode; {
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		// The message of a 401 holds part of the key.
		return sdk.NotSent(fmt.Sprintf("credentials refused (HTTP %d)", status))
	case status == http.StatusTooManyRequests && se.Code != stripe.ErrorCodeLockTimeout:
		return sdk.NotSent("rate limited")
	case status == http.StatusBadRequest && se.Type == stripe.ErrorTypeIdempotency:
		return sdk.Mismatch("Stripe: the key was first used with other parameters" + requestID(se))
	case isFinal(se):
		return sdk.Rejected(*failureOf(se))
	default:
		return fmt.Errorf("stripe: %s: HTTP %d %s%s", what, status, scrub(string(se.Code)), requestID(se))
	}
}

// isFinal reports whether Stripe's endpoint itself said no. An answer that
// carries Stripe-Should-Retry: true is not final by Stripe's own word.
func isFinal(se *stripe.Error) bool {
	if se.LastResponse != nil && se.LastResponse.Header.Get("Stripe-Should-Retry") == "true" {
		return false
	}
	switch se.HTTPStatusCode {
	case http.StatusBadRequest, http.StatusPaymentRequired, http.StatusNotFound:
		return se.Type == stripe.ErrorTypeCard || se.Type == stripe.ErrorTypeInvalidRequest
	}
	return false
}

// isMissing reports whether Stripe answered that there is no such object. Any
// other 404, of a proxy or a wrong address, proves nothing.
func isMissing(err error) bool {
	var se *stripe.Error
	return errors.As(err, &se) && se.HTTPStatusCode == http.StatusNotFound && se.Code == stripe.ErrorCodeResourceMissing
}

// isForbidden reports whether Stripe refused what the key may not do.
func isForbidden(err error) bool {
	var se *stripe.Error
	return errors.As(err, &se) && se.HTTPStatusCode == http.StatusForbidden
}

// isAbout reports whether Stripe refused that parameter.
func isAbout(err error, param string) bool {
	var se *stripe.Error
	return errors.As(err, &se) && se.HTTPStatusCode == http.StatusBadRequest && se.Param == param
}

// declined returns a card's decline, nil for any other end. Stripe answers one
// with HTTP 402 and what was made nevertheless: a failed charge's id, or the
// PaymentIntent.
func declined(err error) *stripe.Error {
	var se *stripe.Error
	if errors.As(err, &se) && se.HTTPStatusCode == http.StatusPaymentRequired && se.Type == stripe.ErrorTypeCard && isFinal(se) {
		return se
	}
	return nil
}

// badInput refuses an input before anything is sent. It names the input, never
// the value.
func badInput(name, reason string) error {
	return sdk.Rejected(sdk.Failure{Code: sdk.FailureInvalidRequest, Message: "input." + name + " " + reason})
}

func isRejected(err error) bool {
	var rejected *sdk.RejectedError
	return errors.As(err, &rejected)
}

func requestID(se *stripe.Error) string {
	if se.RequestID == "" {
		return ""
	}
	return " (" + scrub(se.RequestID) + ")"
}

// failureOf tells a refusal as data. A payer must not learn that a card is
// reported lost or stolen, or that fraud is suspected (docs.stripe.com/declines/codes:
// present these as a generic decline), so declines get texts of our own.
func failureOf(se *stripe.Error) *sdk.Failure {
	if se.Type == stripe.ErrorTypeCard || se.DeclineCode != "" {
		return decline(string(se.Code), string(se.DeclineCode))
	}
	f := &sdk.Failure{Code: sdk.FailureInvalidRequest, ProviderCode: scrub(string(se.Code)), Message: scrub(se.Msg)}
	if code, ok := failureCodes[string(se.Code)]; ok {
		f.Code = code
	} else if strings.HasSuffix(se.Param, "currency") {
		f.Code = sdk.FailureCurrency
	}
	return f
}

// decline maps a code and, where a bank gave one, its decline code.
func decline(code, declineCode string) *sdk.Failure {
	if hiddenDeclines[declineCode] || hiddenDeclines[code] {
		code, declineCode = "", "generic_decline"
	}
	provider := code
	if declineCode != "" {
		provider = declineCode
	}
	ours, ok := failureCodes[declineCode]
	if !ok {
		ours, ok = failureCodes[code]
	}
	if !ok {
		ours = sdk.FailureDeclined
	}
	return &sdk.Failure{Code: ours, ProviderCode: scrub(provider), Message: declineTexts[ours]}
}

// hiddenDeclines accuse the payer, or warn a thief.
var hiddenDeclines = map[string]bool{
	"fraudulent": true, "lost_card": true, "stolen_card": true, "pickup_card": true,
	"restricted_card": true, "merchant_blacklist": true, "security_violation": true,
}

// failureCodes maps Stripe's error codes and decline codes to ours.
var failureCodes = map[string]string{
	"insufficient_funds":                         sdk.FailureInsufficientFunds,
	"expired_card":                               sdk.FailureExpiredCard,
	"incorrect_number":                           sdk.FailureIncorrectCard,
	"incorrect_cvc":                              sdk.FailureIncorrectCard,
	"incorrect_zip":                              sdk.FailureIncorrectCard,
	"invalid_cvc":                                sdk.FailureIncorrectCard,
	"invalid_number":                             sdk.FailureIncorrectCard,
	"invalid_expiry_month":                       sdk.FailureIncorrectCard,
	"invalid_expiry_year":                        sdk.FailureIncorrectCard,
	"authentication_required":                    sdk.FailureAuthentication,
	"payment_intent_authentication_failure":      sdk.FailureAuthentication,
	"processing_error":                           sdk.FailureProcessing,
	"issuer_not_available":                       sdk.FailureProcessing,
	"reenter_transaction":                        sdk.FailureProcessing,
	"try_again_later":                            sdk.FailureProcessing,
	"duplicate_transaction":                      sdk.FailureDuplicate,
	"currency_not_supported":                     sdk.FailureCurrency,
	"invalid_amount":                             sdk.FailureAmount,
	"amount_too_small":                           sdk.FailureAmount,
	"amount_too_large":                           sdk.FailureAmount,
	"parameter_invalid_integer":                  sdk.FailureAmount,
	"payment_intent_unexpected_state":            sdk.FailureState,
	"charge_already_captured":                    sdk.FailureState,
	"charge_disputed":                            sdk.FailureState,
	"refund_disputed_payment":                    sdk.FailureState,
	"capture_charge_authorization_expired":       sdk.FailureExpired,
	"charge_expired_for_capture":                 sdk.FailureExpired,
	"payment_intent_payment_attempt_expired":     sdk.FailureExpired,
	"charge_already_refunded":                    sdk.FailureRefundExceedsBalance,
	"balance_insufficient":                       sdk.FailureRefundExceedsBalance,
	"refund_exceeds_balance":                     sdk.FailureRefundExceedsBalance,
	"payment_intent_payment_attempt_failed":      sdk.FailureDeclined,
	"payment_method_provider_decline":            sdk.FailureDeclined,
	"payment_method_customer_decline":            sdk.FailureDeclined,
	"payment_method_provider_timeout":            sdk.FailureProcessing,
	"payment_intent_incompatible_payment_method": sdk.FailureState,
}

var declineTexts = map[string]string{
	sdk.FailureDeclined:          "The payment was declined.",
	sdk.FailureInsufficientFunds: "The payment method has insufficient funds.",
	sdk.FailureExpiredCard:       "The card has expired.",
	sdk.FailureIncorrectCard:     "The card's details are incorrect.",
	sdk.FailureAuthentication:    "The payment was not authenticated.",
	sdk.FailureProcessing:        "The payment could not be processed; trying again may help.",
	sdk.FailureDuplicate:         "The same payment was made a moment ago.",
	sdk.FailureCurrency:          "The payment method does not take this currency.",
	sdk.FailureAmount:            "The payment method does not take this amount.",
	sdk.FailureState:             "The payment is not in a state that allows this.",
	sdk.FailureExpired:           "The payment has expired.",
}

// secrets are the shapes of keys, client secrets, tokens and payment methods.
var secrets = regexp.MustCompile(`\b(?:sk|rk|whsec|tok|btok|ctoken|pm|src)_[^\s'",;]+|\b\w+_secret_[^\s'",;]+`)

const maxMessage = 500

// scrub cuts a text of Stripe's to size and takes out what looks like a secret:
// "No such token: 'tok_...'" quotes what it was sent.
func scrub(s string) string {
	s = secrets.ReplaceAllString(s, "[redacted]")
	return truncate(s, maxMessage)
}

// truncate cuts to that many characters, never inside one.
func truncate(s string, limit int) string {
	n := 0
	for i := range s {
		if n == limit {
			return s[:i]
		}
		n++
	}
	return s
}
