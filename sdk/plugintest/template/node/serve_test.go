package node

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc/status"

	"github.com/superpayhub/superpay/sdk"
	"github.com/superpayhub/superpay/sdk/plugin"
	pb "github.com/superpayhub/superpay/sdk/plugin/pluginv1"
)

const secret = "token 0001/abc"

// output is what a process writes to standard error.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

// line waits for a line of the log with that message.
func (o *output) line(t *testing.T, message string) map[string]any {
	t.Helper()
	for range 100 {
		o.mu.Lock()
		text := o.text.String()
		o.mu.Unlock()
		for line := range strings.Lines(text) {
			var fields map[string]any
			if json.Unmarshal([]byte(line), &fields) == nil && fields["@message"] == message {
				return fields
			}
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("the log has no line %q: %s", message, o.text.String())
	return nil
}

// start runs a plugin as a hub does.
func start(t *testing.T, path string, env ...string) (*plugin.Client, *output) {
	t.Helper()
	log := &output{}
	cmd := exec.CommandContext(t.Context(), path)
	cmd.Env = append(env, plugin.LogLevelEnv+"=DEBUG")
	run := goplugin.NewClient(&goplugin.ClientConfig{
		HandshakeConfig: plugin.Handshake, VersionedPlugins: plugin.Map(), AllowedProtocols: []goplugin.Protocol{goplugin.ProtocolGRPC},
		Cmd: cmd, AutoMTLS: true, SkipHostEnv: true, Stderr: log, GRPCDialOptions: plugin.DialOptions(), Logger: hclog.NewNullLogger(),
	})
	t.Cleanup(run.Kill)
	protocol, err := run.Client()
	if err != nil {
		t.Fatal(err)
	}
	provider, err := protocol.Dispense(plugin.Name)
	if err != nil {
		t.Fatal(err)
	}
	return provider.(*plugin.Client), log
}

// probe is testdata/probe.js, configured.
func probe(t *testing.T) (*plugin.Client, *output) {
	t.Helper()
	client, log := start(t, script(t, "probe.js"))
	if _, err := client.Configure(t.Context(), sdk.Settings{"token": secret}); err != nil {
		t.Fatal(err)
	}
	return client, log
}

// TestServe_EveryOutcomeCrosses: by its kind, with its fields, without the secret.
func TestServe_EveryOutcomeCrosses(t *testing.T) {
	t.Parallel()
	client, log := probe(t)
	for flow, want := range map[string]error{
		"rejected":        sdk.Rejected(sdk.Failure{Code: sdk.FailureDeclined, ProviderCode: "no_1", Message: "No [secret]."}),
		"not_sent":        sdk.NotSent("not with [secret]"),
		"mismatch":        sdk.Mismatch("other than [secret]"),
		"not_found":       sdk.ErrNotFound,
		"settings":        &sdk.SettingsError{Field: "token", Reason: "not [secret]"},
		"plain":           errors.New("plugin call: HTTP 500 for [secret]"),
		"nothing":         errors.New("plugin call: the plugin returned neither a result nor an error"),
		"long":            errors.New("plugin call: \ufffd " + strings.Repeat("é", 510) + "..."),
		"fault":           nil,
		"not_well_formed": nil,
	} {
		_, err := client.CreateCheckout(plugin.Outgoing(t.Context(), "req_"+flow, "ord_1"), sdk.CheckoutRequest{Flow: flow})
		var rejected *sdk.RejectedError
		switch {
		case err == nil:
			t.Errorf("%s: no error", flow)
		case want == nil: // any text, and no outcome
			if fmt.Sprintf("%T", err) != "*errors.errorString" || errors.Is(err, sdk.ErrNotFound) {
				t.Errorf("%s: %T %v", flow, err, err)
			}
		case fmt.Sprintf("%T", err) != fmt.Sprintf("%T", want) || strings.TrimSuffix(err.Error(), "...") != strings.TrimSuffix(want.Error(), "..."):
			t.Errorf("%s: %T %q, want %T %q", flow, err, err, want, want)
		case errors.As(err, &rejected) != (flow == "rejected"):
			t.Errorf("%s: %v", flow, err)
		}
	}
	for _, flow := range []string{"rejected", "not_sent", "mismatch", "settings", "plain"} { // before the hub's side looks for secrets
		_, err := pb.NewProviderClient(client.Conn()).CreateCheckout(t.Context(), &pb.CheckoutRequest{Flow: flow})
		if sent := fmt.Sprint(err, status.Convert(err).Details()); !strings.Contains(sent, "[secret]") || strings.Contains(sent, secret) {
			t.Errorf("%s: the plugin sends %s", flow, sent)
		}
	}
	fault := log.line(t, "a fault of the plugin")
	if fault["@level"] != "error" || fault["request_id"] != "req_fault" || fault["order_id"] != "ord_1" {
		t.Errorf("%v", fault)
	}
	if _, err := client.Confirm(t.Context(), sdk.ConfirmRequest{}); !strings.Contains(fmt.Sprint(err), "not offered by this plugin") {
		t.Errorf("a method that is missing: %v", err)
	}
}

func TestServe_TheLogIsHclogsWithoutSecrets(t *testing.T) {
	t.Parallel()
	client, log := probe(t)
	if _, err := client.CreateCheckout(t.Context(), sdk.CheckoutRequest{Flow: "logs"}); err != nil {
		t.Fatal(err)
	}
	line := log.line(t, "asked")
	if line["@level"] != "debug" || line["token"] != "[secret]" || line["request_id"] != nil {
		t.Errorf("%v", line)
	}
	if at, err := time.Parse("2006-01-02T15:04:05.000000Z07:00", fmt.Sprint(line["@timestamp"])); err != nil || time.Since(at).Abs() > time.Minute {
		t.Errorf("%v, %v", line["@timestamp"], err)
	}
}

// TestServe_GivesUpWithTheHub: by its hanging up, and by its deadline.
func TestServe_GivesUpWithTheHub(t *testing.T) {
	t.Parallel()
	for what, limit := range map[string]func(context.Context) (context.Context, context.CancelFunc){
		"deadline": func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithTimeout(ctx, 300*time.Millisecond)
		},
		"hanging up": func(ctx context.Context) (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancel(ctx)
			time.AfterFunc(300*time.Millisecond, cancel)
			return ctx, cancel
		},
	} {
		client, log := probe(t)
		ctx, cancel := limit(t.Context())
		_, err := client.CreateCheckout(ctx, sdk.CheckoutRequest{Flow: "hangs"})
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", what, err)
		}
		log.line(t, "given up")
	}
}

// TestServe_ManyAndLarge: calls do not wait for each other, and a message has 8 MiB.
func TestServe_ManyAndLarge(t *testing.T) {
	t.Parallel()
	client, _ := probe(t)
	began := time.Now()
	var all sync.WaitGroup
	for range 200 {
		all.Go(func() {
			if _, err := client.HandleCallback(t.Context(), sdk.CallbackRequest{Query: "1"}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if took := time.Since(began); took > 10*time.Second { // one after the other they take 20
		t.Errorf("200 calls at once took %s", took)
	}
	const most = 8 << 20
	at := time.Unix(1_700_000_000, 123_456_789).UTC() // more than a double holds
	for size, fits := range map[int]bool{most - 1024: true, most + 1024: false} {
		got, err := client.HandleCallback(t.Context(), sdk.CallbackRequest{ReceivedAt: at, Query: fmt.Sprint(size)})
		if (err == nil) != fits || fits && (len(got.Ack.Body) != size || got.Type != fmt.Sprint(at.UnixNano())) {
			t.Errorf("an answer of %d bytes: %v", size, err)
		}
	}
	if _, err := client.HandleCallback(t.Context(), sdk.CallbackRequest{Query: "1", Body: make([]byte, most-1024)}); err != nil {
		t.Errorf("a request of nearly 8 MiB: %v", err)
	}
}

// TestBuild_HandsCertificatesOn: what the hub's operator trusts, the plugin trusts.
func TestBuild_HandsCertificatesOn(t *testing.T) {
	t.Parallel()
	acme := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) }))
	t.Cleanup(acme.Close)
	file := filepath.Join(t.TempDir(), "authorities.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: acme.Certificate().Raw})
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	settings := sdk.Settings{"api_key": "key_test_examapikey0001", "signing_secret": "sign_examsigning0002", "api_url": acme.URL}
	for env, want := range map[string]string{"SSL_CERT_FILE=" + file: "refused (HTTP 401)", "TZ=UTC": "the connection broke"} {
		client, _ := start(t, executable(t), env)
		if _, err := client.Configure(t.Context(), settings); err != nil {
			t.Fatal(err)
		}
		if _, err := client.List(t.Context(), sdk.ListRequest{Limit: 1}); !strings.Contains(fmt.Sprint(err), want) {
			t.Errorf("with %s: %v, want %s", env, err, want)
		}
	}
}
