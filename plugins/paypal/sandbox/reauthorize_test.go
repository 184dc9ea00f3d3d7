package sandbox_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const day = 24 * time.Hour

// later moves the time on, and takes a token that is good then.
func (s *stand) later(d time.Duration) {
	s.t.Helper()
	s.clock.advance(d)
	s.login()
}

func TestReauthorize_RenewsTheHonorPeriodUnderANewID(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	a := s.authorized("gone_after_honor")
	first := "/v2/payments/authorizations/" + a.ID
	require.Equal(t, "REAUTHORIZATION_TOO_SOON", s.ask("POST", first+"/reauthorize", "").issue())
	s.later(3*day + time.Minute)
	require.Equal(t, "DECLINED", s.ask("POST", first+"/capture", "").Status, "nobody promises the money any more")
	require.Equal(t, "AUTH_CURRENCY_MISMATCH", s.ask("POST", first+"/reauthorize", money("1", "EUR")).issue())
	require.Equal(t, "AUTHORIZATION_AMOUNT_EXCEEDED", s.ask("POST", first+"/reauthorize", money("11.51", "USD")).issue())
	made := s.ask("POST", first+"/reauthorize", money("11.50", "USD"), "PayPal-Request-Id", "again")
	require.Equal(t, http.StatusCreated, made.status, made.raw)
	require.Equal(t, "CREATED", made.Status)
	require.Equal(t, "11.50", made.Amount.Value)
	require.NotEqual(t, a.ID, made.ID)
	require.Equal(t, a.ExpirationTime, made.ExpirationTime, "the 29 days go on")
	require.Equal(t, made.ID, s.ask("POST", first+"/reauthorize", "", "PayPal-Request-Id", "again").ID)
	s.eventAbout("PAYMENT.AUTHORIZATION.CREATED", made.ID)

	second := "/v2/payments/authorizations/" + made.ID
	require.Equal(t, "REAUTHORIZATION_TOO_SOON", s.ask("POST", first+"/reauthorize", "").issue(), "it has an honor period of its own")
	require.Equal(t, "REAUTHORIZATION_NOT_SUPPORTED", s.ask("POST", second+"/reauthorize", "").issue())
	require.Equal(t, "CANNOT_BE_VOIDED", s.ask("POST", second+"/void", "").issue())
	require.Equal(t, "TRANSACTION_REFUSED", s.ask("POST", first+"/capture", "").issue())
	require.Equal(t, "CREATED", s.ask("GET", first, "").Status)
	require.Equal(t, "COMPLETED", s.ask("POST", second+"/capture", money("11.50", "USD")).Status)
	for _, path := range []string{first, second} {
		require.Equal(t, "CAPTURED", s.ask("GET", path, "").Status)
	}
	require.Equal(t, "AUTHORIZATION_ALREADY_CAPTURED", s.ask("POST", first+"/reauthorize", "").issue())
}

func TestReauthorize_EndsWithTheFirstAuthorization(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	first := "/v2/payments/authorizations/" + s.authorized("approve").ID
	s.later(27 * day)
	second := "/v2/payments/authorizations/" + s.ask("POST", first+"/reauthorize", "").ID
	s.later(2*day + time.Minute)
	for _, path := range []string{first, second} {
		require.Equal(t, "VOIDED", s.ask("GET", path, "").Status)
		require.Equal(t, "AUTHORIZATION_EXPIRED", s.ask("POST", path+"/capture", "").issue())
	}
	require.Equal(t, "AUTHORIZATION_EXPIRED", s.ask("POST", first+"/reauthorize", "").issue())

	first = "/v2/payments/authorizations/" + s.authorized("approve").ID
	s.later(4 * day)
	again := s.ask("POST", first+"/reauthorize", "")
	s.later(4 * day)
	third := s.ask("POST", first+"/reauthorize", "")
	require.Equal(t, http.StatusCreated, third.status, "as often as an honor period is over: %s", third.raw)
	require.Equal(t, http.StatusNoContent, s.ask("POST", first+"/void", "", "Prefer", "return=minimal").status)
	for _, id := range []string{again.ID, third.ID} {
		require.Equal(t, "AUTHORIZATION_VOIDED", s.ask("POST", "/v2/payments/authorizations/"+id+"/capture", "").issue())
	}
	require.Equal(t, "AUTHORIZATION_VOIDED", s.ask("POST", first+"/reauthorize", "").issue())
	require.Empty(t, s.server.Books().Captures)
}

// What was captured counts towards the most that may be held anew.
func TestReauthorize_AfterACaptureInPart(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	first := "/v2/payments/authorizations/" + s.authorized("approve").ID
	require.Equal(t, "COMPLETED", s.ask("POST", first+"/capture", money("3", "USD")).Status)
	s.later(4 * day)
	require.Equal(t, "AUTHORIZATION_AMOUNT_EXCEEDED", s.ask("POST", first+"/reauthorize", money("8.51", "USD")).issue())
	rest := s.ask("POST", first+"/reauthorize", "")
	require.Equal(t, "7.00", rest.Amount.Value)
	path := "/v2/payments/authorizations/" + rest.ID
	require.Equal(t, "MAX_CAPTURE_AMOUNT_EXCEEDED", s.ask("POST", path+"/capture", money("7.01", "USD")).issue())
	require.Equal(t, "COMPLETED", s.ask("POST", path+"/capture", "").Status)
}

func TestReauthorize_ByMuchIsLimitedInDollarsOnly(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	dollars := "/v2/payments/authorizations/" + s.held("1000", "USD", "approve").ID
	euros := "/v2/payments/authorizations/" + s.held("1000", "EUR", "approve").ID
	pressed := s.held("1000", "USD", "approve").ID
	s.later(4 * day)
	require.Equal(t, "AUTHORIZATION_AMOUNT_EXCEEDED", s.ask("POST", dollars+"/reauthorize", money("1075.01", "USD")).issue())
	require.Equal(t, "1075.00", s.ask("POST", dollars+"/reauthorize", money("1075", "USD")).Amount.Value)
	require.Equal(t, "AUTHORIZATION_AMOUNT_EXCEEDED", s.ask("POST", euros+"/reauthorize", money("1150.01", "EUR")).issue())
	require.Equal(t, "1150.00", s.ask("POST", euros+"/reauthorize", money("1150", "EUR")).Amount.Value)
	s.press("authorizations/"+pressed+"/reauthorize", "amount", "1050")
}
