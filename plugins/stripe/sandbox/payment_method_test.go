package sandbox_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/stripe/stripe-go/v76"
)

func TestPaymentMethod_ServesOnce(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	pm, err := s.api.PaymentMethods.New(&stripe.PaymentMethodParams{
		Type: stripe.String("card"), BillingDetails: &stripe.PaymentMethodBillingDetailsParams{Email: stripe.String("a@b.test")},
		Card: &stripe.PaymentMethodCardParams{Token: stripe.String(s.token("5555555555554444").ID)},
	})
	require.NoError(t, err)
	require.EqualValues(t, "mastercard", pm.Card.Brand)
	pi := s.newIntent(legacy(pm.ID))
	require.Equal(t, "a@b.test", s.getIntent(pi.ID).LatestCharge.BillingDetails.Email)
	_, err = s.api.PaymentIntents.New(legacy(pm.ID))
	require.Contains(t, stripeError(t, err).Msg, "previously used")
	got, err := s.api.PaymentMethods.Get(pm.ID, nil)
	require.NoError(t, err)
	require.Equal(t, "4444", got.Card.Last4)
	_, err = s.api.PaymentIntents.New(legacy("pm_none"))
	require.EqualValues(t, "resource_missing", stripeError(t, err).Code)

	number, err := s.api.PaymentMethods.New(&stripe.PaymentMethodParams{Type: stripe.String("card"), Card: &stripe.PaymentMethodCardParams{
		Number: stripe.String("4000000000000259"), ExpMonth: stripe.Int64(1), ExpYear: stripe.Int64(2034), CVC: stripe.String("1"),
	}})
	require.NoError(t, err)
	s.newIntent(legacy(number.ID))
	s.event("charge.dispute.created")
}
