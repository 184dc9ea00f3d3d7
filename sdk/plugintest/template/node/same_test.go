package node

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/superpayhub/superpay/sdk"
	"github.com/superpayhub/superpay/sdk/plugin"
	"github.com/superpayhub/superpay/sdk/plugintest/template/acmepay/sandbox"
)

// acmepay runs the sandbox, and returns the settings that lead a plugin to it.
func acmepay(t *testing.T, webhookURL string) sdk.Settings {
	t.Helper()
	settings := sdk.Settings{"api_key": "key_test_examapikey0001", "signing_secret": "sign_examsigning0002"}
	server := httptest.NewUnstartedServer(nil)
	settings["api_url"] = "http://" + server.Listener.Addr().String()
	handler, end, err := sandbox.New(sandbox.Options{
		APIKey: settings["api_key"], SigningSecret: settings["signing_secret"], PublicURL: settings["api_url"], WebhookURL: webhookURL,
	})
	if err != nil {
		t.Fatal(err)
	}
	server.Config.Handler = handler
	server.Start()
	t.Cleanup(func() { server.Close(); _ = end() })
	return settings
}

// inGo starts the template's plugin in Go.
func inGo(t *testing.T) *plugin.Client {
	t.Helper()
	path := filepath.Join(t.TempDir(), "acmepay")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", path, "../acmepay").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	client, _ := start(t, path)
	return client
}

// receiver keeps the callbacks that a sandbox sends.
func receiver(t *testing.T) (address string, calls chan sdk.CallbackRequest) {
	t.Helper()
	calls = make(chan sdk.CallbackRequest, 100)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		call := sdk.CallbackRequest{ReceivedAt: time.Now().UTC(), Method: r.Method, Path: r.URL.Path, Body: body}
		for name, values := range r.Header {
			call.Headers = append(call.Headers, sdk.Header{Name: name, Value: values[0]})
		}
		calls <- call
	}))
	t.Cleanup(server.Close)
	return server.URL, calls
}

// checkout makes a payment, and pays it with a card of the sandbox.
func checkout(t *testing.T, client *plugin.Client, site, attempt, card string) *sdk.Payment {
	t.Helper()
	p, err := client.CreateCheckout(t.Context(), sdk.CheckoutRequest{
		AttemptID: attempt, InstanceID: "hub_1", Key: "op_" + attempt, KeyHash: "hash_" + attempt, Flow: "hosted_page",
		Amount: sdk.Money{Amount: 2500, Currency: "EUR", Exponent: 2}, URLs: sdk.URLs{Return: site, Cancel: site},
	})
	if err != nil {
		t.Fatal(err)
	}
	press(t, p.NextAction.URL, url.Values{"card": {card}})
	return p
}

// stays does not follow the sandbox to the shop, which is not there.
var stays = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

// press sends a form, as a button of the sandbox does.
func press(t *testing.T, address string, form url.Values) {
	t.Helper()
	answer, err := stays.PostForm(address, form) //nolint:noctx // the sandbox's
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	if answer.StatusCode >= http.StatusBadRequest {
		t.Fatalf("%s: HTTP %d", address, answer.StatusCode)
	}
}

// TestPlugin_ReadsAsTheOneInGo: both plugins say the same of themselves, of each callback
// and of each payment. The exam lets an event expect nothing; the one in Go does not.
func TestPlugin_ReadsAsTheOneInGo(t *testing.T) {
	t.Parallel()
	ours, _ := start(t, executable(t))
	theirs := inGo(t)
	if diff := cmp.Diff(theirs.Describe(), ours.Describe()); diff != "" {
		t.Errorf("Describe (-Go +Node)\n%s", diff)
	}
	hook, calls := receiver(t)
	settings := acmepay(t, hook)
	for _, client := range []*plugin.Client{theirs, ours} {
		if _, err := client.Configure(t.Context(), settings); err != nil {
			t.Fatal(err)
		}
	}
	happens(t, ours, settings["api_url"])
	seen := map[string]bool{}
	for len(seen) < 6 { // types of events
		var call sdk.CallbackRequest
		select {
		case call = <-calls:
		case <-time.After(20 * time.Second):
			t.Fatalf("no more events than %v", seen)
		}
		want, err := theirs.HandleCallback(t.Context(), call)
		if err != nil {
			t.Fatal(err)
		}
		got, err := ours.HandleCallback(t.Context(), call)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: %v (-Go +Node)\n%s", want.Type, err, diff)
		}
		seen[want.Type] = true
	}
	for _, hash := range []string{"hash_late", "hash_slow", "hash_foreign"} {
		// Of another attempt, as after a restore: the answer names the one of the provider's metadata.
		r := sdk.PaymentRequest{AttemptID: "att_other", InstanceID: "hub_1", Flow: "hosted_page", FindKeyHash: hash}
		want, err := theirs.GetPayment(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		got, err := ours.GetPayment(t.Context(), r)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("GetPayment by %s: %v (-Go +Node)\n%s", hash, err, diff)
		}
	}
}

// happens makes payments at the sandbox, with events of every type: created, waiting, paid,
// disputed, dispute_closed and refunded.
func happens(t *testing.T, client *plugin.Client, site string) {
	t.Helper()
	late := checkout(t, client, site, "late", "late").Refs[0].Value
	press(t, site+"/dashboard/payments/"+late+"/arrive", nil)
	press(t, site+"/dashboard/payments/"+late+"/dispute", nil)
	disputed, err := client.GetPayment(t.Context(), sdk.PaymentRequest{AttemptID: "late", InstanceID: "hub_1", Flow: "hosted_page"})
	if err != nil {
		t.Fatal(err)
	}
	if len(disputed.Disputes.Items) != 1 {
		t.Fatalf("GetPayment lists the disputes %v, want one", disputed.Disputes.Items)
	}
	press(t, site+"/dashboard/disputes/"+disputed.Disputes.Items[0].ID+"/lose", url.Values{"back": {"10.00"}})

	checkout(t, client, site, "foreign", "foreign")
	checkout(t, client, site, "slow", "slow")
	of := sdk.PaymentRequest{AttemptID: "slow", InstanceID: "hub_1", Flow: "hosted_page"}
	slow, err := client.GetPayment(t.Context(), of)
	if err != nil {
		t.Fatal(err)
	}
	refund, err := client.Refund(t.Context(), sdk.RefundRequest{
		PaymentRequest: of, Key: "op_refund", RefundID: "ref_1", CaptureID: slow.Captures.Items[0].ID, Refund: sdk.Money{Amount: 1000, Currency: "EUR", Exponent: 2},
	})
	if err != nil {
		t.Fatal(err)
	}
	if refund.Status != sdk.MovementPending {
		t.Errorf("the refund is %s, want pending", refund.Status)
	}
	press(t, site+"/dashboard/refunds/"+refund.ID+"/arrive", nil)
}

// TestCreateCheckout_AnotherRequestUnderAKey: the provider's refusal proves that the first arrived.
func TestCreateCheckout_AnotherRequestUnderAKey(t *testing.T) {
	t.Parallel()
	client, _ := start(t, executable(t))
	if _, err := client.Configure(t.Context(), acmepay(t, "")); err != nil {
		t.Fatal(err)
	}
	r := sdk.CheckoutRequest{AttemptID: "att_1", InstanceID: "hub_1", Key: "op_1", Flow: "hosted_page", Amount: sdk.Money{Amount: 100, Currency: "EUR", Exponent: 2}}
	if _, err := client.CreateCheckout(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	r.Amount.Amount = 200
	_, err := client.CreateCheckout(t.Context(), r)
	if mismatch := new(sdk.MismatchError); !errors.As(err, &mismatch) {
		t.Errorf("%v", err)
	}
}
