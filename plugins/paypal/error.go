package main

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"

	"github.com/superpayhub/superpay/sdk"
	"github.com/superpayhub/superpay/sdk/once"
)

// outcome is the one place where an error of a call becomes an outcome.
//
// PayPal answers a repeated PayPal-Request-Id with the latest status of what
// the first sending did, so a 400, 404 or 422 to a repeat says that the first
// did nothing either: Rejected. 401, 403 and 429 are answered in front of that
// memory: they prove only that this sending did nothing, so they are NotSent,
// which the hub reads as "still unknown" where an earlier one may have arrived.
// 409 says that a call is in progress: unknown, as is every 5xx and every
// broken answer. A 4xx that does not name its problem comes from something in
// between, and proves nothing.
func outcome(what string, err error) error {
	var p *problem
	var done *sdk.NotSentError
	switch {
	case errors.As(err, &p):
		return refusal(what, p)
	case errors.As(err, &done):
		return done
	}
	return fmt.Errorf("paypal: %s: %w", what, cause(err))
}

func refusal(what string, p *problem) error {
	switch {
	case p.status == http.StatusUnauthorized, p.status == http.StatusForbidden:
		return sdk.NotSent(fmt.Sprintf("PayPal refused the credentials (HTTP %d)%s", p.status, p.debug()))
	case p.status == http.StatusTooManyRequests:
		return sdk.NotSent("rate limited" + p.debug())
	case p.issue() == "DUPLICATE_REQUEST_ID":
		return sdk.Mismatch("PayPal: the request id was first used with another request" + p.debug())
	case p.isFinal():
		return sdk.Rejected(*failureOf(p))
	}
	return fmt.Errorf("paypal: %s: HTTP %d %s%s", what, p.status, scrub(p.issue()), p.debug())
}

// isFinal reports whether PayPal's endpoint itself said no.
// ORDER_COMPLETION_IN_PROGRESS: "PayPal is still in the process of capturing".
func (p *problem) isFinal() bool {
	switch p.status {
	case http.StatusBadRequest, http.StatusNotFound, http.StatusUnprocessableEntity:
		return p.Name != "" && p.issue() != "ORDER_COMPLETION_IN_PROGRESS"
	}
	return false
}

// issue is the most exact name of the problem.
func (p *problem) issue() string {
	for _, d := range p.Details {
		if d.Issue != "" {
			return d.Issue
		}
	}
	return p.Name
}

func (p *problem) debug() string {
	if p.DebugID == "" {
		return ""
	}
	return " (PayPal debug id " + scrub(p.DebugID) + ")"
}

func statusOf(err error) int {
	var p *problem
	if errors.As(err, &p) {
		return p.status
	}
	return 0
}

// isMissing reports whether PayPal answered that there is no such thing. Any
// other 404, of a proxy or a wrong address, proves nothing.
func isMissing(err error) bool {
	var p *problem
	return errors.As(err, &p) && p.status == http.StatusNotFound && (p.Name == "RESOURCE_NOT_FOUND" || p.issue() == "INVALID_RESOURCE_ID")
}

// isIssue reports whether PayPal refused for one of these reasons.
func isIssue(err error, issues ...string) bool {
	var p *problem
	return errors.As(err, &p) && p.isFinal() && slices.Contains(issues, p.issue())
}

func isRejected(err error) bool {
	var rejected *sdk.RejectedError
	return errors.As(err, &rejected)
}

// cause says why a call failed without quoting the answer, which may hold a
// token or the payer's data.
func cause(err error) error {
	if p := (*problem)(nil); errors.As(err, &p) {
		return fmt.Errorf("HTTP %d%s", p.status, p.debug())
	}
	return once.Cause(err)
}

// failureOf tells a refusal as data. PayPal's own texts are for developers, and
// some tell what a payer must not learn; ours are for people.
func failureOf(p *problem) *sdk.Failure {
	issue := p.issue()
	if hidden[issue] {
		issue = "TRANSACTION_REFUSED"
	}
	code, ok := failureCodes[issue]
	if !ok {
		code = sdk.FailureInvalidRequest
	}
	f := &sdk.Failure{Code: code, ProviderCode: scrub(issue), Message: failureTexts[code]}
	if code == sdk.FailureInvalidRequest {
		f.Message += p.debug()
	}
	return f
}

// hidden tell of suspicions, and of others' accounts.
var hidden = map[string]bool{
	"COMPLIANCE_VIOLATION": true, "PAYER_ACCOUNT_LOCKED_OR_CLOSED": true, "PAYER_ACCOUNT_RESTRICTED": true,
	"PAYEE_BLOCKED_TRANSACTION": true, "TRANSACTION_BLOCKED_BY_PAYEE": true, "DECLINED_DUE_TO_RELATED_TXN": true,
}

// failureCodes maps PayPal's issues (the 4xx lists of its API documents) to ours.
var failureCodes = map[string]string{
	"INSTRUMENT_DECLINED":                  sdk.FailureDeclined,
	"TRANSACTION_REFUSED":                  sdk.FailureDeclined,
	"PAYER_CANNOT_PAY":                     sdk.FailureDeclined,
	"TRANSACTION_LIMIT_EXCEEDED":           sdk.FailureDeclined,
	"DOMESTIC_TRANSACTION_REQUIRED":        sdk.FailureDeclined,
	"REDIRECT_PAYER_FOR_ALTERNATE_FUNDING": sdk.FailureDeclined,
	"TRANSACTION_RECEIVING_LIMIT_EXCEEDED": sdk.FailureDeclined,
	"PAYER_ACTION_REQUIRED":                sdk.FailureAuthentication,
	"DUPLICATE_INVOICE_ID":                 sdk.FailureDuplicate,
	"CURRENCY_NOT_SUPPORTED":               sdk.FailureCurrency,
	"INVALID_CURRENCY_CODE":                sdk.FailureCurrency,
	"CURRENCY_MISMATCH":                    sdk.FailureCurrency,
	"REFUND_CAPTURE_CURRENCY_MISMATCH":     sdk.FailureCurrency,
	"AUTH_CAPTURE_CURRENCY_MISMATCH":       sdk.FailureCurrency,
	"DECIMALS_NOT_SUPPORTED":               sdk.FailureAmount,
	"DECIMAL_PRECISION":                    sdk.FailureAmount,
	"CANNOT_BE_NEGATIVE":                   sdk.FailureAmount,
	"CANNOT_BE_ZERO_OR_NEGATIVE":           sdk.FailureAmount,
	"MAX_VALUE_EXCEEDED":                   sdk.FailureAmount,
	"REFUND_AMOUNT_TOO_LOW":                sdk.FailureAmount,
	"MAX_CAPTURE_AMOUNT_EXCEEDED":          sdk.FailureAmount,
	"ORDER_EXPIRED":                        sdk.FailureExpired,
	"AUTHORIZATION_EXPIRED":                sdk.FailureExpired,
	"REFUND_TIME_LIMIT_EXCEEDED":           sdk.FailureExpired,
	"INVALID_RESOURCE_ID":                  sdk.FailureExpired,
	"RESOURCE_NOT_FOUND":                   sdk.FailureExpired,

	"MAX_NUMBER_OF_PAYMENT_ATTEMPTS_EXCEEDED": sdk.FailureState,
	"ORDER_NOT_APPROVED":                      sdk.FailureState,
	"ORDER_ALREADY_CAPTURED":                  sdk.FailureState,
	"ORDER_ALREADY_AUTHORIZED":                sdk.FailureState,
	"ORDER_COMPLETED_OR_VOIDED":               sdk.FailureState,
	"ACTION_DOES_NOT_MATCH_INTENT":            sdk.FailureState,
	"AUTHORIZATION_ALREADY_CAPTURED":          sdk.FailureState,
	"AUTHORIZATION_VOIDED":                    sdk.FailureState,
	"PREVIOUSLY_CAPTURED":                     sdk.FailureState,
	"PREVIOUSLY_VOIDED":                       sdk.FailureState,
	"CANNOT_BE_VOIDED":                        sdk.FailureState,
	"PENDING_CAPTURE":                         sdk.FailureState,
	"TRANSACTION_DISPUTED":                    sdk.FailureState,
	"REFUND_NOT_ALLOWED":                      sdk.FailureState,
	"REFUND_IS_RESTRICTED":                    sdk.FailureState,
	"PARTIAL_REFUND_NOT_ALLOWED":              sdk.FailureState,
	"REFUND_NOT_PERMITTED_DUE_TO_CHARGEBACK":  sdk.FailureState,
	"MAX_NUMBER_OF_REFUNDS_EXCEEDED":          sdk.FailureState,

	"CAPTURE_FULLY_REFUNDED":           sdk.FailureRefundExceedsBalance,
	"REFUND_AMOUNT_EXCEEDED":           sdk.FailureRefundExceedsBalance,
	"REFUND_FAILED_INSUFFICIENT_FUNDS": sdk.FailureRefundExceedsBalance,
}

var failureTexts = map[string]string{
	sdk.FailureDeclined:             "The payment was declined; another way of paying may help.",
	sdk.FailureAuthentication:       "The payer has to return to PayPal.",
	sdk.FailureDuplicate:            "The same payment was made before.",
	sdk.FailureCurrency:             "PayPal does not take this currency here.",
	sdk.FailureAmount:               "PayPal does not take this amount.",
	sdk.FailureExpired:              "PayPal does not know this any more: its time was over.",
	sdk.FailureState:                "PayPal does not allow this in the present state.",
	sdk.FailureRefundExceedsBalance: "More than can be given back.",
	sdk.FailureInvalidRequest:       "PayPal refused the request.",
}

var notPlain = regexp.MustCompile(`[^A-Za-z0-9_.:-]+`)

// scrub leaves of a code or id of PayPal's what codes and ids are made of.
func scrub(s string) string {
	s = notPlain.ReplaceAllString(s, "")
	return s[:min(len(s), 100)]
}
