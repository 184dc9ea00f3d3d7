package samples_test

import (
	"errors"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/stripe/stripe-go/v85"
)

// refused returns the library's error.
func refused(t *testing.T, err error) *stripe.Error {
	t.Helper()
	var problem *stripe.Error
	if !errors.As(err, &problem) {
		t.Fatalf("%v is not Stripe's error", err)
	}
	return problem
}

func TestErrors_CardDeclined(t *testing.T) {
	sc := client(t)
	params := intent("automatic")
	params.Confirm = stripe.Bool(true)
	params.PaymentMethod = stripe.String("pm_card_visa_chargeDeclinedInsufficientFunds")
	_, err := sc.V1PaymentIntents.Create(background(), params)
	problem := refused(t, err)
	equal(t, "type", problem.Type, stripe.ErrorTypeCard)
	equal(t, "code", problem.Code, stripe.ErrorCodeCardDeclined)
	equal(t, "decline code", problem.DeclineCode, stripe.DeclineCodeInsufficientFunds)
	equal(t, "status", problem.PaymentIntent.Status, stripe.PaymentIntentStatusRequiresPaymentMethod)
	var card *stripe.CardError
	equal(t, "a card error", errors.As(err, &card), true)
}

func TestErrors_BlockedByRadar(t *testing.T) {
	sc := client(t)
	params := intent("automatic")
	params.Confirm = stripe.Bool(true)
	params.PaymentMethod = stripe.String("pm_card_radarBlock")
	_, err := sc.V1PaymentIntents.Create(background(), params)
	charge := must(sc.V1Charges.Retrieve(background(), refused(t, err).ChargeID, nil))(t)
	equal(t, "outcome", charge.Outcome.Type, "blocked")
}

func TestErrors_InvalidRequest(t *testing.T) {
	sc := client(t)
	params := checkout()
	params.CustomerEmail = stripe.String("jenny@")
	_, err := sc.V1CheckoutSessions.Create(background(), params)
	problem := refused(t, err)
	equal(t, "type", problem.Type, stripe.ErrorTypeInvalidRequest)
	equal(t, "code", problem.Code, stripe.ErrorCodeEmailInvalid)
	_, err = sc.V1Refunds.Retrieve(background(), "re_none", nil)
	equal(t, "code", refused(t, err).Code, stripe.ErrorCodeResourceMissing)
}

func TestErrors_Authentication(t *testing.T) {
	sc := newClient(t, "sk_test_of_somebody_else", served)
	_, err := sc.V1Charges.Retrieve(background(), "ch_1", nil)
	equal(t, "status", refused(t, err).HTTPStatusCode, http.StatusUnauthorized)
}

func TestErrors_AnAccountThatIsNotConnected(t *testing.T) {
	sc := client(t)
	params := &stripe.ChargeRetrieveParams{}
	params.SetStripeAccount("acct_other")
	_, err := sc.V1Charges.Retrieve(background(), "ch_1", params)
	problem := refused(t, err)
	equal(t, "status", problem.HTTPStatusCode, http.StatusForbidden)
	equal(t, "code", problem.Code, stripe.ErrorCodeAccountInvalid)
}

// TestVersion_TheLibrarysOwnIsToldWhichIsServed: without the header, a client asks for
// the version that it was made for.
func TestVersion_TheLibrarysOwnIsToldWhichIsServed(t *testing.T) {
	sc := newClient(t, os.Getenv("SANDBOX_KEY"), "")
	_, err := sc.V1Charges.Retrieve(background(), "ch_1", nil)
	problem := refused(t, err)
	equal(t, "status", problem.HTTPStatusCode, http.StatusBadRequest)
	equal(t, "told", strings.Contains(problem.Msg, stripe.APIVersion) && strings.Contains(problem.Msg, served), true)
	equal(t, "served", problem.LastResponse.Header.Get("Stripe-Version"), served)
}

func TestIdempotency_ReplayAndConflict(t *testing.T) {
	sc := client(t)
	paid := charge(t, sc, "tok_visa", true)
	refund := func(amount int64) (*stripe.Refund, error) {
		params := &stripe.RefundCreateParams{Charge: &paid.ID, Amount: &amount}
		params.SetIdempotencyKey("refund-of-" + paid.ID)
		return sc.V1Refunds.Create(background(), params)
	}
	first := must(refund(100))(t)
	again := must(refund(100))(t)
	equal(t, "id", again.ID, first.ID)
	equal(t, "replayed", again.LastResponse.Header.Get("Idempotent-Replayed"), "true")
	_, err := refund(200)
	problem := refused(t, err)
	equal(t, "type", problem.Type, stripe.ErrorTypeIdempotency)
	equal(t, "told", strings.Contains(problem.Msg, "same parameters"), true)
}
