package plugin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/superpayhub/superpay/sdk"
	pb "github.com/superpayhub/superpay/sdk/plugin/pluginv1"
)

// wire sends a message through bytes, as gRPC does.
func wire[M any, P interface {
	*M
	proto.Message
}](t *testing.T, m P) P {
	t.Helper()
	b, err := proto.Marshal(m)
	require.NoError(t, err)
	got := P(new(M))
	require.NoError(t, proto.Unmarshal(b, got))
	return got
}

func checkRoundTrip[A, M any, P interface {
	*M
	proto.Message
}](t *testing.T, to func(A) P, from func(P) A) {
	t.Helper()
	want := filled[A](t)
	if diff := cmp.Diff(want, from(wire[M, P](t, to(want)))); diff != "" {
		t.Errorf("%T lost something on the wire (-sent +received):\n%s", want, diff)
	}
}

func TestConversionLosesNothing(t *testing.T) {
	checkRoundTrip(t, toDescription, fromDescription)
	checkRoundTrip(t, toAccount, fromAccount)
	checkRoundTrip(t, toCheckoutRequest, fromCheckoutRequest)
	checkRoundTrip(t, toPaymentRequest, fromPaymentRequest)
	checkRoundTrip(t, toConfirmRequest, fromConfirmRequest)
	checkRoundTrip(t, toCaptureRequest, fromCaptureRequest)
	checkRoundTrip(t, toCancelRequest, fromCancelRequest)
	checkRoundTrip(t, toRefundRequest, fromRefundRequest)
	checkRoundTrip(t, toGetRefundRequest, fromGetRefundRequest)
	checkRoundTrip(t, toListRequest, fromListRequest)
	checkRoundTrip(t, toCallbackRequest, fromCallbackRequest)
	checkRoundTrip(t, toCallbackResult, fromCallbackResult)
	checkRoundTrip(t, toPayment, fromPayment)
	checkRoundTrip(t, toRefund, fromRefund)
	checkRoundTrip(t, toListPage, fromListPage)
}

func checkRecord[A any](t *testing.T) {
	t.Helper()
	want := filled[A](t)
	b, err := json.Marshal(want)
	require.NoError(t, err)
	var got A
	require.NoError(t, json.Unmarshal(b, &got))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%T lost something on record (-sent +repeated):\n%s", want, diff)
	}
}

// The hub sends a request as it made it, and repeats it as it recorded it.
func TestRequestOnRecordAsksTheSame(t *testing.T) {
	checkRecord[sdk.CheckoutRequest](t)
	checkRecord[sdk.ConfirmRequest](t)
	checkRecord[sdk.CaptureRequest](t)
	checkRecord[sdk.CancelRequest](t)
	checkRecord[sdk.RefundRequest](t)
}

func TestZeroSurvivesTheWire(t *testing.T) {
	require.Equal(t, &sdk.Payment{}, fromPayment(wire(t, toPayment(&sdk.Payment{}))))
	require.Equal(t, sdk.CheckoutRequest{}, fromCheckoutRequest(wire(t, toCheckoutRequest(sdk.CheckoutRequest{}))))
	require.True(t, fromTime(toTime(time.Time{})).IsZero())
}

func TestCallbackCarriesWhatIsNotUTF8(t *testing.T) {
	r := sdk.CallbackRequest{Query: "a=\xff", Headers: []sdk.Header{{Name: "X", Value: "\xfe"}}, Body: []byte{0xfd}}
	require.Equal(t, r, fromCallbackRequest(wire(t, toCallbackRequest(r))))
}

// bare implements only what every plugin must.
type bare struct {
	err error
}

func (b *bare) Describe() sdk.Description {
	return sdk.Description{Name: "bare", Settings: []sdk.Field{{Name: "key", Secret: true}, {Name: "shown"}}}
}

func (b *bare) Configure(context.Context, sdk.Settings) (sdk.Account, error) {
	return sdk.Account{ID: "acct", Mode: sdk.Test}, nil
}

func (b *bare) CreateCheckout(context.Context, sdk.CheckoutRequest) (*sdk.Payment, error) {
	return nil, b.err
}

func (b *bare) GetPayment(context.Context, sdk.PaymentRequest) (*sdk.Payment, error) {
	return nil, nil
}

func (b *bare) HandleCallback(context.Context, sdk.CallbackRequest) (*sdk.CallbackResult, error) {
	panic("boom with sk_test_secret inside")
}

func connect(t *testing.T, p sdk.Provider) *Client {
	t.Helper()
	client, end, err := Loopback(t.Context(), p)
	require.NoError(t, err)
	t.Cleanup(end)
	_, err = client.Configure(t.Context(), sdk.Settings{"key": "sk_test_secret", "shown": "in the open"})
	require.NoError(t, err)
	return client
}

func TestErrorsKeepTheirClass(t *testing.T) {
	failure := sdk.Failure{Code: sdk.FailureDeclined, ProviderCode: "card_declined", Message: "no"}
	for name, sent := range map[string]error{
		"rejected":         sdk.Rejected(failure),
		"not sent":         sdk.NotSent("dial: refused"),
		"mismatch":         sdk.Mismatch("other amount"),
		"settings":         &sdk.SettingsError{Field: "key", Reason: "is empty"},
		"wrapped rejected": fmt.Errorf("charge: %w", sdk.Rejected(failure)),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := connect(t, &bare{err: sent}).CreateCheckout(t.Context(), sdk.CheckoutRequest{})
			want := sent
			if inner := errors.Unwrap(sent); inner != nil {
				want = inner
			}
			require.Equal(t, want, err)
		})
	}
	_, err := connect(t, &bare{err: fmt.Errorf("read: %w", sdk.ErrNotFound)}).CreateCheckout(t.Context(), sdk.CheckoutRequest{})
	require.ErrorIs(t, err, sdk.ErrNotFound)
}

// requireUnknown checks that an error claims nothing.
func requireUnknown(t *testing.T, err error) {
	t.Helper()
	require.Error(t, err)
	outcome, _ := outcomeOf(err)
	require.Equal(t, pb.Outcome_UNKNOWN, outcome.Kind, "%v", err)
	require.NotContains(t, err.Error(), "sk_test_secret")
}

func TestAnythingElseIsUnknown(t *testing.T) {
	for name, sent := range map[string]error{
		"plain":      errors.New(`Post "https://x/?key=sk_test_secret": EOF`),
		"deadline":   context.DeadlineExceeded,
		"long":       errors.New(strings.Repeat("long ", 10_000)),
		"not UTF-8":  errors.New("\xff\xfe"),
		"empty text": errors.New(""),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := connect(t, &bare{err: sent}).CreateCheckout(t.Context(), sdk.CheckoutRequest{})
			requireUnknown(t, err)
			require.Less(t, len(err.Error()), 2*maxErrorText)
		})
	}
}

func TestNeitherResultNorErrorIsUnknown(t *testing.T) {
	_, err := connect(t, &bare{}).GetPayment(t.Context(), sdk.PaymentRequest{})
	requireUnknown(t, err)
}

func TestPanicIsUnknownAndTheServerLives(t *testing.T) {
	client := connect(t, &bare{err: sdk.NotSent("later")})
	_, err := client.HandleCallback(t.Context(), sdk.CallbackRequest{})
	requireUnknown(t, err)
	require.ErrorContains(t, err, "panicked")
	_, err = client.CreateCheckout(t.Context(), sdk.CheckoutRequest{})
	require.Equal(t, sdk.NotSent("later"), err)
}

func TestDeadlineIsUnknown(t *testing.T) {
	client := connect(t, &bare{})
	ctx, cancel := context.WithTimeout(t.Context(), 0)
	defer cancel()
	_, err := client.GetPayment(ctx, sdk.PaymentRequest{})
	requireUnknown(t, err)
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

func TestWhatAPluginLacksIsRejected(t *testing.T) {
	client, ctx := connect(t, &bare{}), t.Context()
	var errs [6]error
	_, errs[0] = client.Confirm(ctx, sdk.ConfirmRequest{})
	_, errs[1] = client.Capture(ctx, sdk.CaptureRequest{})
	_, errs[2] = client.Cancel(ctx, sdk.CancelRequest{})
	_, errs[3] = client.Refund(ctx, sdk.RefundRequest{})
	_, errs[4] = client.GetRefund(ctx, sdk.GetRefundRequest{})
	_, errs[5] = client.List(ctx, sdk.ListRequest{})
	for _, err := range errs {
		var rejected *sdk.RejectedError
		require.ErrorAs(t, err, &rejected)
		require.Equal(t, sdk.FailureState, rejected.Failure.Code)
	}
}

func TestSecretsAreScrubbedFromMarkedErrors(t *testing.T) {
	const secret = "sk_test_secret"
	for _, sent := range []error{
		sdk.Rejected(sdk.Failure{Code: "x", ProviderCode: secret, Message: "bad key " + secret}),
		sdk.NotSent("url " + secret), sdk.Mismatch(secret), &sdk.SettingsError{Field: "key", Reason: secret + " is no key"},
	} {
		_, err := connect(t, &bare{err: sent}).CreateCheckout(t.Context(), sdk.CheckoutRequest{})
		require.NotContains(t, err.Error(), secret)
		require.Contains(t, err.Error(), "[secret]")
	}
}

func TestScrubberFindsASecretHoweverItIsSpelled(t *testing.T) {
	const secret, pem = `p&ss "w/rd"+1`, "-----BEGIN-----\nabcdefghij\n-----END-----"
	fields := []sdk.Field{{Name: "password", Secret: true}, {Name: "key", Secret: true}, {Name: "short", Secret: true}, {Name: "open"}}
	s := NewScrubber(fields, sdk.Settings{"password": secret, "key": pem, "short": "abc", "open": "visible", "mistyped": "also_secret"})
	require.Equal(t, "[secret]", s.Text(secret))
	require.Equal(t, "https://x/?p=[secret]&q", s.Text("https://x/?p=p%26ss+%22w%2Frd%22%2B1&q"))
	require.Equal(t, `{"p":"[secret]"}`, s.Text(`{"p":"p&ss \"w/rd\"+1"}`))
	require.NotContains(t, s.Text(pem), "abcdefghij")
	require.Equal(t, "line [secret]", s.Text("line abcdefghij"))
	require.Equal(t, "[secret] visible abc", s.Text("also_secret visible abc"))
	require.Equal(t, "text", (*Scrubber)(nil).Text("text"))
}

func TestLoggerWritesScrubbedHclog(t *testing.T) {
	var out bytes.Buffer
	scrub := &atomic.Pointer[Scrubber]{}
	scrub.Store(NewScrubber(nil, sdk.Settings{"key": "sk_test_secret"}))
	newLogger(&out, slog.LevelInfo, scrub).Warn("key sk_test_secret", "n", 1)
	require.Regexp(t, `^\{"@timestamp":"[^"]+","@level":"warn","@message":"key \[secret\]","n":1\}\n$`, out.String())
}

func TestIDsThatAHeaderCannotCarryAreLeftOut(t *testing.T) {
	ctx := t.Context()
	require.Equal(t, ctx, Outgoing(ctx, "line\nbreak", strings.Repeat("x", maxID+1)))
	_, err := connect(t, &bare{err: sdk.NotSent("x")}).CreateCheckout(Outgoing(ctx, "\x00é", "ord_1"), sdk.CheckoutRequest{})
	require.Equal(t, sdk.NotSent("x"), err)
}

func TestIntroduceSaysWhatItIs(t *testing.T) {
	var out bytes.Buffer
	introduce(&out, (&bare{}).Describe())
	require.Contains(t, out.String(), "bare")
	require.Contains(t, out.String(), "optional, secret")
}
