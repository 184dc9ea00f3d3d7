// Testplugin is a provider that does on request what real ones do by accident.
// What it does is chosen by the flow of the checkout.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/superpayhub/superpay/sdk"
	"github.com/superpayhub/superpay/sdk/plugin"
)

func main() { plugin.Serve(&provider{}) }

type provider struct{ secret string }

func (p *provider) Describe() sdk.Description {
	return sdk.Description{
		Name: "testplugin", Title: "Test plugin", Version: "1.2.3",
		Settings: []sdk.Field{
			{Name: "secret_key", Required: true, Secret: true},
			{Name: "publishable_key", Public: true},
			{Name: "region", Public: true, Default: "eu", Options: []string{"eu", "us"}},
			{Name: "note", MaxLen: 100},
			{Name: "hang_in_configure"},
		},
		Flows: []sdk.Flow{{Name: "echo"}},
	}
}

func (p *provider) Configure(ctx context.Context, s sdk.Settings) (sdk.Account, error) {
	if s["hang_in_configure"] != "" {
		select {}
	}
	if s["secret_key"] == "" {
		return sdk.Account{}, &sdk.SettingsError{Field: "secret_key", Reason: "is missing"}
	}
	if key := s["publishable_key"]; key != "" && !strings.HasPrefix(key, "pk_") {
		return sdk.Account{}, &sdk.SettingsError{Field: "publishable_key", Reason: "must begin with pk_"}
	}
	p.secret = s["secret_key"]
	return sdk.Account{ID: "acct_1", Mode: sdk.Test}, nil
}

func (p *provider) CreateCheckout(ctx context.Context, r sdk.CheckoutRequest) (*sdk.Payment, error) {
	switch r.Flow {
	case "rejected":
		return nil, sdk.Rejected(sdk.Failure{Code: sdk.FailureDeclined, ProviderCode: "nope"})
	case "not_sent":
		return nil, sdk.NotSent("dial tcp: refused")
	case "mismatch":
		return nil, sdk.Mismatch("other amount")
	case "not_found":
		return nil, fmt.Errorf("asked: %w", sdk.ErrNotFound)
	case "unknown":
		return nil, errors.New("unexpected EOF with key " + p.secret)
	case "panic":
		panic("with key " + p.secret)
	case "exit":
		os.Exit(3)
	case "sleep":
		select {
		case <-time.After(300 * time.Millisecond):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	case "hang":
		<-ctx.Done()
		return nil, ctx.Err()
	case "log":
		plugin.Logger(ctx).Warn("a warning", "key", p.secret)
		fmt.Fprintln(os.Stderr, "to stderr", p.secret)
		fmt.Println("to stdout", p.secret)
		fmt.Println(`{"@message": 1, "@level": [], "@timestamp": {}}`)
	case "environment":
		return &sdk.Payment{Opaque: []byte(strings.Join(os.Environ(), "\x00"))}, nil
	case "child":
		child := exec.Command("sleep", "60")
		child.Stdout, child.Stderr = os.NewFile(1, ""), os.NewFile(2, "") // holds the hub's pipes open
		if err := child.Start(); err != nil {
			return nil, err
		}
		return &sdk.Payment{Opaque: fmt.Append(nil, child.Process.Pid)}, nil
	}
	return p.payment("create", r.AttemptID, r.Amount), nil
}

func (p *provider) payment(kind, attempt string, amount sdk.Money) *sdk.Payment {
	return &sdk.Payment{
		AttemptID: attempt, Refs: []sdk.Ref{{Kind: kind, Value: "pay_1"}}, Mode: sdk.Test, Status: sdk.Succeeded, Amount: amount,
	}
}

func (p *provider) GetPayment(_ context.Context, r sdk.PaymentRequest) (*sdk.Payment, error) {
	return p.payment("get", r.AttemptID, r.Amount), nil
}

func (p *provider) HandleCallback(_ context.Context, r sdk.CallbackRequest) (*sdk.CallbackResult, error) {
	return &sdk.CallbackResult{Verdict: sdk.Genuine, EventID: r.Get("event"), Ack: sdk.Ack{Body: r.Body}}, nil
}

func (p *provider) Confirm(_ context.Context, r sdk.ConfirmRequest) (*sdk.Payment, error) {
	return p.payment("confirm", r.AttemptID, r.Amount), nil
}

func (p *provider) Capture(_ context.Context, r sdk.CaptureRequest) (*sdk.Payment, error) {
	return p.payment("capture", r.AttemptID, r.Capture), nil
}

func (p *provider) Cancel(_ context.Context, r sdk.CancelRequest) (*sdk.Payment, error) {
	return p.payment("cancel", r.AttemptID, r.Amount), nil
}

func (p *provider) Refund(_ context.Context, r sdk.RefundRequest) (*sdk.Refund, error) {
	return &sdk.Refund{ID: "re_1", RefundID: r.RefundID, Amount: r.Refund, Status: sdk.MovementSucceeded}, nil
}

func (p *provider) GetRefund(_ context.Context, r sdk.GetRefundRequest) (*sdk.Refund, error) {
	return &sdk.Refund{ID: r.ProviderID, RefundID: r.RefundID, Amount: r.Amount, Status: sdk.MovementSucceeded}, nil
}

func (p *provider) List(_ context.Context, r sdk.ListRequest) (*sdk.ListPage, error) {
	return &sdk.ListPage{Payments: []sdk.Payment{*p.payment("list", "att_1", sdk.Money{})}, Next: r.Cursor + "+"}, nil
}
