package main

import (
	"context"
	"errors"
	"net/http"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/superpayhub/superpay/sdk"
	"github.com/superpayhub/superpay/sdk/plugin"
	"github.com/superpayhub/superpay/sdk/plugintest"
	"github.com/superpayhub/superpay/sdk/plugintest/template/acmepay/sandbox"
)

// returning is Acmepay with a page that takes no money itself: it leads the payer
// back with a result, and the payment is completed with that.
type returning struct {
	*Provider
	confirm confirm
}

type confirm func(*returning, context.Context, sdk.ConfirmRequest) (*sdk.Payment, error)

func (p *returning) Describe() sdk.Description {
	d := p.Provider.Describe()
	d.Flows = slices.Clone(d.Flows)
	d.Flows[0].Capabilities = append(slices.Clone(d.Flows[0].Capabilities), sdk.CanConfirm, sdk.TakesReturn)
	d.Repeats[sdk.OpConfirm] = d.Repeats[sdk.OpCreate]
	return d
}

func (p *returning) Confirm(ctx context.Context, r sdk.ConfirmRequest) (*sdk.Payment, error) {
	return p.confirm(p, ctx, r)
}

func (p *returning) complete(ctx context.Context, r sdk.ConfirmRequest) (*sdk.Payment, error) {
	id, err := p.named(r.PaymentRequest, r.Key)
	if err != nil {
		return nil, err
	}
	return p.ask(ctx, "/v1/payments/"+id+"/complete", r.Key, map[string]any{"result": r.Return.Value("result")})
}

const returns = "returns"

// returners are such plugins; all but the first are broken.
var returners = map[string]confirm{
	returns: (*returning).complete,
	"returns, believes the browser": func(p *returning, ctx context.Context, r sdk.ConfirmRequest) (*sdk.Payment, error) {
		got, err := p.complete(ctx, r)
		if err == nil && got.Status == sdk.RequiresAction && r.Return.Value("result") != "" {
			got.Status, got.NextAction = sdk.Succeeded, nil
			got.Captures.Items = []sdk.Capture{{ID: "cap_" + r.AttemptID, Status: sdk.MovementSucceeded, Amount: r.Amount}}
		}
		return got, err
	},
	"returns, needs no return": func(p *returning, ctx context.Context, r sdk.ConfirmRequest) (*sdk.Payment, error) {
		if r.Return == nil {
			return &sdk.Payment{Refs: r.Refs, Mode: sdk.Test, Status: sdk.Pending}, nil
		}
		return p.complete(ctx, r)
	},
	"returns, gives up": func(p *returning, ctx context.Context, r sdk.ConfirmRequest) (*sdk.Payment, error) {
		got, err := p.complete(ctx, r)
		if err == nil && got.Status == sdk.RequiresAction {
			got.Status, got.NextAction = sdk.Failed, nil
			got.Failure = &sdk.Failure{Code: sdk.FailureDeclined, Message: "No."}
		}
		return got, err
	},
	"returns, does not know": func(p *returning, ctx context.Context, r sdk.ConfirmRequest) (*sdk.Payment, error) {
		got, err := p.complete(ctx, r)
		if err == nil && got.Status == sdk.RequiresAction {
			return nil, errors.New("the result is wrong")
		}
		return got, err
	},
}

func init() {
	if does, ok := returners[os.Getenv(breakEnv)]; ok {
		plugintest.ServeIfStarted(func() { plugin.Serve(&returning{New(), does}) })
	}
}

func standWithResults(publicURL string, s sdk.Settings) (http.Handler, func() error, error) {
	return sandbox.New(sandbox.Options{APIKey: s["api_key"], SigningSecret: s["signing_secret"], PublicURL: publicURL, Results: true})
}

// TestExam_OfAPayersReturn: a flow that needs what the payer brings back passes, and
// one that takes it on trust, or ends a payment by it, does not.
func TestExam_OfAPayersReturn(t *testing.T) {
	o := plugintest.Options{Exam: "testdata/exam_return.json", Sandbox: standWithResults, Env: []string{breakEnv + "=" + returns}}
	plugintest.Run(t, o)
	o.Only, o.Settle = []string{"payer_return"}, time.Second
	for name := range returners {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := o
			o.Env = []string{breakEnv + "=" + name}
			report := plugintest.NewReport(t.Context(), nil)
			report.Run("exam", func(r *plugintest.Report) { plugintest.Run(r, o) })
			exam := report.Parts[0]
			if len(exam.Findings) > 0 || len(exam.Parts) != 1 {
				t.Fatalf("the exam did not take place: %q, %d rules", exam.Findings, len(exam.Parts))
			}
			if exam.Parts[0].Failed() != (name != returns) {
				t.Errorf("%s", exam.Parts[0].Name)
			}
		})
	}
}
