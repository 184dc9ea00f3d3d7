package providers

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/sdk"
	"github.com/superpayhub/superpay/sdk/plugin"
)

func TestEveryMethodReachesThePlugin(t *testing.T) {
	_, p, _ := startUp(t, Options{})
	ctx, money := t.Context(), sdk.Money{Amount: 1050, Currency: "USD", Exponent: 2}
	of := sdk.PaymentRequest{AttemptID: "att_1", Amount: money}
	payment := func(kind string) func(*sdk.Payment, error) {
		return func(got *sdk.Payment, err error) {
			t.Helper()
			require.NoError(t, err)
			require.Equal(t, &sdk.Payment{
				AttemptID: "att_1", Refs: []sdk.Ref{{Kind: kind, Value: "pay_1"}}, Mode: sdk.Test, Status: sdk.Succeeded, Amount: money,
			}, got)
		}
	}
	payment("create")(p.CreateCheckout(ctx, sdk.CheckoutRequest{AttemptID: "att_1", Amount: money}))
	payment("get")(p.GetPayment(ctx, of))
	payment("confirm")(p.Confirm(ctx, sdk.ConfirmRequest{PaymentRequest: of}))
	payment("capture")(p.Capture(ctx, sdk.CaptureRequest{PaymentRequest: of, Capture: money}))
	payment("cancel")(p.Cancel(ctx, sdk.CancelRequest{PaymentRequest: of}))

	refund, err := p.Refund(ctx, sdk.RefundRequest{PaymentRequest: of, RefundID: "ref_1", Refund: money})
	require.NoError(t, err)
	require.Equal(t, &sdk.Refund{ID: "re_1", RefundID: "ref_1", Amount: money, Status: sdk.MovementSucceeded}, refund)
	refund, err = p.GetRefund(ctx, sdk.GetRefundRequest{PaymentRequest: of, RefundID: "ref_1", ProviderID: "re_2"})
	require.NoError(t, err)
	require.Equal(t, "re_2", refund.ID)

	page, err := p.List(ctx, sdk.ListRequest{Cursor: "a"})
	require.NoError(t, err)
	require.Equal(t, "a+", page.Next)

	body := bytes.Repeat([]byte{0xff}, 7<<20) // above gRPC's own limit of 4 MB
	result, err := p.HandleCallback(ctx, sdk.CallbackRequest{Headers: []sdk.Header{{Name: "Event", Value: "evt_1"}}, Body: body})
	require.NoError(t, err)
	require.Equal(t, "evt_1", result.EventID)
	require.True(t, bytes.Equal(body, result.Ack.Body))
}

func TestStateAndSettingsOfAProviderThatIsUp(t *testing.T) {
	r, p, _ := startUp(t, Options{})
	s := p.State()
	require.Equal(t, []any{"1.2.3", sdk.Test, "acct_1", 0}, []any{s.Version, s.Mode, s.AccountID, s.Restarts})
	require.NotZero(t, s.Pid)
	require.True(t, p.Up())
	require.Equal(t, "testplugin", p.Description().Name)
	require.Equal(t, map[string]string{"publishable_key": "pk_1", "region": "eu"}, p.PublicSettings())
	require.Equal(t, []*Provider{p}, r.All())
}

func TestOutcomesKeepTheirClass(t *testing.T) {
	registry := prometheus.NewRegistry()
	_, p, _ := startUp(t, Options{Registerer: registry})
	for _, outcome := range []string{"rejected", "not_sent", "mismatch", "not_found", "unknown"} {
		_, err := ask(t.Context(), p, outcome)
		require.Equal(t, outcome, outcomeOf(err), "%v", err)
		require.NotContains(t, err.Error(), secret)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := ask(ctx, p, "hang")
	require.Equal(t, "timeout", outcomeOf(err), "%v", err)

	families, err := registry.Gather()
	require.NoError(t, err)
	calls := map[string]uint64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				if f.GetName() == "superpay_provider_call_seconds" && l.GetName() == "outcome" {
					calls[l.GetValue()] += m.GetHistogram().GetSampleCount()
				}
			}
		}
	}
	require.Equal(t, map[string]uint64{"rejected": 1, "not_sent": 1, "mismatch": 1, "not_found": 1, "unknown": 1, "timeout": 1}, calls)
}

func TestCallTimeoutBoundsEveryCall(t *testing.T) {
	_, p, _ := startUp(t, Options{CallTimeout: 50 * time.Millisecond})
	began := time.Now()
	_, err := ask(t.Context(), p, "hang")
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.Less(t, time.Since(began), 10*time.Second)
}

func TestAnEndedContextSendsNothing(t *testing.T) {
	_, p, _ := startUp(t, Options{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := ask(ctx, p, "echo")
	requireNotSent(t, err, "was not asked")
}

func requireNotSent(t *testing.T, err error, text string) {
	t.Helper()
	var notSent *sdk.NotSentError
	require.ErrorAs(t, err, &notSent)
	require.Contains(t, notSent.Reason, text)
}

func TestPanicIsUnknownAndTheProcessLives(t *testing.T) {
	_, p, log := startUp(t, Options{})
	pid := p.State().Pid
	_, err := ask(t.Context(), p, "panic")
	require.Equal(t, "unknown", outcomeOf(err))
	require.NotContains(t, err.Error(), secret)
	_, err = ask(t.Context(), p, "echo")
	require.NoError(t, err)
	require.Equal(t, pid, p.State().Pid)
	eventually(t, time.Second, "the stack is logged", func() bool { return strings.Contains(log.String(), "testplugin/main.go") })
	require.Equal(t, 1, strings.Count(log.String(), `"msg":"panic"`))
}

func TestLogsAreJoinedWithoutSecrets(t *testing.T) {
	_, p, log := startUp(t, Options{})
	_, err := ask(WithIDs(t.Context(), "req_1", "ord_1"), p, "log")
	require.NoError(t, err)
	for _, line := range []string{
		`"level":"WARN","msg":"a warning","provider":"one"`, `"key":"[secret]"`, `"request_id":"req_1"`, `"order_id":"ord_1"`,
		`"msg":"to stderr [secret]"`, `"msg":"to stdout [secret]"`, `"msg":"provider call"`,
	} {
		eventually(t, time.Second, line, func() bool { return strings.Contains(log.String(), line) })
	}
	require.NotContains(t, log.String(), secret)
	require.NotContains(t, log.String(), "att_1", "a request's content is not logged")
	require.True(t, p.Up(), "a malformed line harms nobody")
}

func TestLinesAreCutAndLevelled(t *testing.T) {
	var out buffer
	l := &lines{log: slog.New(slog.NewTextHandler(&out, nil)), client: new(atomic.Pointer[plugin.Client])}
	_, err := l.Write([]byte("half "))
	require.NoError(t, err)
	_, err = l.Write([]byte("line\n" + strings.Repeat("x", 3*maxLine) + "\npanic: oh\n\tstack\n"))
	require.NoError(t, err)
	got := strings.Split(strings.TrimSpace(out.String()), "\n")
	require.Len(t, got, 4)
	require.Contains(t, got[0], `level=INFO msg="half line"`)
	require.Less(t, len(got[1]), maxLine+100)
	require.Contains(t, got[2], "level=ERROR")
	require.Contains(t, got[3], "level=ERROR")
}

func TestPluginSeesNothingOfTheHubsEnvironment(t *testing.T) {
	t.Setenv("DATABASE_URL", "postgres://hub:password@localhost")
	_, p, _ := startUp(t, Options{Env: []string{"HTTPS_PROXY=http://proxy"}})
	payment, err := ask(t.Context(), p, "environment")
	require.NoError(t, err)
	var names []string
	for _, pair := range strings.Split(string(payment.Opaque), "\x00") {
		name, _, _ := strings.Cut(pair, "=")
		names = append(names, name)
		if _, ok := os.LookupEnv(name); ok && name != "HTTPS_PROXY" {
			t.Errorf("the plugin sees %s", name)
		}
	}
	require.Contains(t, names, "HTTPS_PROXY")
	require.NotContains(t, string(payment.Opaque), secret)
}

// BenchmarkCall is a call that the plugin answers at once, over the socket as it
// is and without encryption; in turns, so that both meet the same machine.
func BenchmarkCall(b *testing.B) {
	const turn = 200 // calls
	r := sdk.CallbackRequest{Body: bytes.Repeat([]byte("x"), 1024)}
	var took [2][]time.Duration
	var ways [2]*Provider
	for i, plaintext := range []bool{false, true} {
		_, ways[i], _ = startUp(b, Options{plaintext: plaintext, Logger: slog.New(slog.DiscardHandler)})
	}
	for b.Loop() {
		for i, p := range ways {
			for range turn {
				began := time.Now()
				if _, err := p.HandleCallback(b.Context(), r); err != nil {
					b.Fatal(err)
				}
				took[i] = append(took[i], time.Since(began))
			}
		}
	}
	for i := range took {
		slices.Sort(took[i])
	}
	mtls, plain := took[0][len(took[0])/2], took[1][len(took[1])/2]
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(mtls.Microseconds()), "us/call")
	b.ReportMetric(float64(mtls)/float64(plain), "times-plaintext")
}
