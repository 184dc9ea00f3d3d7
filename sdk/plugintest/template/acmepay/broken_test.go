package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/superpayhub/superpay/sdk"
	"github.com/superpayhub/superpay/sdk/once"
	"github.com/superpayhub/superpay/sdk/plugin"
	"github.com/superpayhub/superpay/sdk/plugintest"
)

// breakEnv names the variant that the plugin process is to be.
const breakEnv = "EXAM_BREAK"

func init() {
	if v, ok := variants[os.Getenv(breakEnv)]; ok {
		plugintest.ServeIfStarted(func() {
			b := &broken{Provider: New()}
			v.breaks(b)
			plugin.Serve(b)
		})
	}
}

// broken is the good plugin with some methods replaced.
type broken struct {
	*Provider
	calls atomic.Int64

	describe  func(*sdk.Description)
	configure func(context.Context, sdk.Settings) (sdk.Account, error)
	transport func(http.RoundTripper) http.RoundTripper
	create    func(context.Context, sdk.CheckoutRequest) (*sdk.Payment, error)
	get       func(context.Context, sdk.PaymentRequest) (*sdk.Payment, error)
	cancel    func(context.Context, sdk.CancelRequest) (*sdk.Payment, error)
	refund    func(context.Context, sdk.RefundRequest) (*sdk.Refund, error)
	list      func(context.Context, sdk.ListRequest) (*sdk.ListPage, error)
	callback  func(context.Context, sdk.CallbackRequest) (*sdk.CallbackResult, error)
}

func (b *broken) Describe() sdk.Description {
	d := b.Provider.Describe()
	if b.describe != nil {
		b.describe(&d)
	}
	return d
}

func (b *broken) Configure(ctx context.Context, s sdk.Settings) (a sdk.Account, err error) {
	if b.configure != nil {
		a, err = b.configure(ctx, s)
	} else {
		a, err = b.Provider.Configure(ctx, s)
	}
	if err == nil && b.transport != nil {
		b.client.http.Transport = b.transport(b.client.http.Transport)
	}
	return a, err
}

func (b *broken) CreateCheckout(ctx context.Context, r sdk.CheckoutRequest) (*sdk.Payment, error) {
	if b.create != nil {
		return b.create(ctx, r)
	}
	return b.Provider.CreateCheckout(ctx, r)
}

func (b *broken) GetPayment(ctx context.Context, r sdk.PaymentRequest) (*sdk.Payment, error) {
	if b.get != nil {
		return b.get(ctx, r)
	}
	return b.Provider.GetPayment(ctx, r)
}

func (b *broken) Cancel(ctx context.Context, r sdk.CancelRequest) (*sdk.Payment, error) {
	if b.cancel != nil {
		return b.cancel(ctx, r)
	}
	return b.Provider.Cancel(ctx, r)
}

func (b *broken) Refund(ctx context.Context, r sdk.RefundRequest) (*sdk.Refund, error) {
	if b.refund != nil {
		return b.refund(ctx, r)
	}
	return b.Provider.Refund(ctx, r)
}

func (b *broken) List(ctx context.Context, r sdk.ListRequest) (*sdk.ListPage, error) {
	if b.list != nil {
		return b.list(ctx, r)
	}
	return b.Provider.List(ctx, r)
}

func (b *broken) HandleCallback(ctx context.Context, r sdk.CallbackRequest) (*sdk.CallbackResult, error) {
	if b.callback != nil {
		return b.callback(ctx, r)
	}
	return b.Provider.HandleCallback(ctx, r)
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func isRejected(err error) bool { var e *sdk.RejectedError; return errors.As(err, &e) }
func isNotSent(err error) bool  { var e *sdk.NotSentError; return errors.As(err, &e) }
func isPlain(err error) bool {
	return err != nil && !isRejected(err) && !isNotSent(err) && !errors.Is(err, sdk.ErrNotFound)
}

var no = sdk.Rejected(sdk.Failure{Code: sdk.FailureDeclined, Message: "No."})

// variants each break at least the rules that they name.
var variants = map[string]struct {
	rules  []string
	breaks func(*broken)
}{
	"a version by the clock": {[]string{"describe_constant"}, func(b *broken) {
		b.describe = func(d *sdk.Description) { d.Version = fmt.Sprint(time.Now().UnixNano()) }
	}},
	"a flow without a title": {[]string{"describe_well_formed"}, func(b *broken) {
		b.describe = func(d *sdk.Description) { d.Flows[0].Title = "" }
	}},
	"a capability without a method": {[]string{"describe_capabilities"}, func(b *broken) {
		b.describe = func(d *sdk.Description) { d.Flows[0].Capabilities = append(d.Flows[0].Capabilities, sdk.CanConfirm) }
	}},
	"a method without a capability": {[]string{"describe_capabilities"}, func(b *broken) {
		b.describe = func(d *sdk.Description) { d.Flows[0].Capabilities = []sdk.Capability{sdk.CanCapture, sdk.CanCancel} }
	}},
	"a flow that is not examined": {[]string{"exam_complete"}, func(b *broken) {
		b.describe = func(d *sdk.Description) {
			d.Flows = append(d.Flows, sdk.Flow{Name: "other", Title: "Other", CaptureModes: []sdk.CaptureMode{sdk.CaptureAutomatic}})
		}
	}},
	"starts without its secret": {[]string{"settings_required"}, func(b *broken) {
		b.configure = func(ctx context.Context, s sdk.Settings) (sdk.Account, error) {
			if s["signing_secret"] == "" {
				s["signing_secret"] = "sign_default0000"
			}
			return b.Provider.Configure(ctx, s)
		}
	}},
	"does not say which setting": {[]string{"settings_wrong", "settings_required"}, func(b *broken) {
		b.configure = func(ctx context.Context, s sdk.Settings) (sdk.Account, error) {
			a, err := b.Provider.Configure(ctx, s)
			if err != nil {
				err = errors.New("a setting is wrong")
			}
			return a, err
		}
	}},
	"asks the provider when configured": {[]string{"settings_offline"}, func(b *broken) {
		b.configure = func(ctx context.Context, s sdk.Settings) (sdk.Account, error) {
			a, err := b.Provider.Configure(ctx, s)
			if err == nil {
				err = b.client.get(ctx, "/v1/payments", &list{})
			}
			return a, err
		}
	}},
	"another mode": {[]string{"pays"}, func(b *broken) {
		b.get = func(ctx context.Context, r sdk.PaymentRequest) (*sdk.Payment, error) {
			p, err := b.Provider.GetPayment(ctx, r)
			if err == nil {
				p.Mode = sdk.Live
			}
			return p, err
		}
	}},
	"a decline is an error": {[]string{"declines"}, func(b *broken) {
		b.get = func(ctx context.Context, r sdk.PaymentRequest) (*sdk.Payment, error) {
			p, err := b.Provider.GetPayment(ctx, r)
			if err == nil && p.Failure != nil {
				return nil, sdk.Rejected(*p.Failure)
			}
			return p, err
		}
	}},
	"nothing to do for the payer": {[]string{"acts"}, func(b *broken) {
		b.create = func(ctx context.Context, r sdk.CheckoutRequest) (*sdk.Payment, error) {
			p, err := b.Provider.CreateCheckout(ctx, r)
			if err == nil {
				p.Status = sdk.Pending
			}
			return p, err
		}
	}},
	"the name changes": {[]string{"refs_stay"}, func(b *broken) {
		b.get = func(ctx context.Context, r sdk.PaymentRequest) (*sdk.Payment, error) {
			p, err := b.Provider.GetPayment(ctx, r)
			if err == nil && len(p.Captures.Items) > 0 {
				p.Refs = slices.Insert(p.Refs, 0, sdk.Ref{Kind: "capture", Value: p.Captures.Items[0].ID})
			}
			return p, err
		}
		// The exam's hub hands refs back in the order in which it heard them.
	}},
	"a key of its own": {[]string{"repeat_same_effect", "repeat_same_bytes", "unknown_dropped_after", "concurrent_same_key"}, func(b *broken) {
		b.transport = func(next http.RoundTripper) http.RoundTripper {
			return roundTrip(func(r *http.Request) (*http.Response, error) {
				if r.Method == http.MethodPost {
					r.Header.Set("Idempotency-Key", fmt.Sprint(r.Header.Get("Idempotency-Key"), b.calls.Add(1), time.Now().UnixNano()))
				}
				return next.RoundTrip(r)
			})
		}
	}},
	"a clock in the request": {[]string{"repeat_same_bytes"}, func(b *broken) {
		b.create = func(ctx context.Context, r sdk.CheckoutRequest) (*sdk.Payment, error) {
			r.Metadata["sent_at"] = time.Now().String()
			return b.Provider.CreateCheckout(ctx, r)
		}
	}},
	"tries again by itself": {[]string{"repeat_never_alone"}, func(b *broken) {
		b.create = func(ctx context.Context, r sdk.CheckoutRequest) (*sdk.Payment, error) {
			p, err := b.Provider.CreateCheckout(ctx, r)
			if err != nil {
				return b.Provider.CreateCheckout(ctx, r)
			}
			return p, err
		}
	}},
	"what is slow was not sent": {[]string{"unknown_slow"}, func(b *broken) {
		b.refund = func(ctx context.Context, r sdk.RefundRequest) (*sdk.Refund, error) {
			hasty, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
			defer cancel()
			re, err := b.Provider.Refund(hasty, r)
			if errors.Is(err, context.DeadlineExceeded) {
				return nil, sdk.NotSent("timeout")
			}
			return re, err
		}
	}},
	"what is not known did not happen": {
		[]string{"unknown_cut", "unknown_html", "unknown_500", "unknown_dropped_before", "unknown_dropped_after"},
		func(b *broken) {
			b.create = func(ctx context.Context, r sdk.CheckoutRequest) (*sdk.Payment, error) {
				p, err := b.Provider.CreateCheckout(ctx, r)
				if isPlain(err) {
					return nil, no
				}
				return p, err
			}
		},
	},
	"nothing is a success": {[]string{"unknown_empty", "unknown_html"}, func(b *broken) {
		b.cancel = func(ctx context.Context, r sdk.CancelRequest) (*sdk.Payment, error) {
			p, err := b.Provider.Cancel(ctx, r)
			if errors.Is(err, once.ErrUnreadable) {
				return &sdk.Payment{Refs: r.Refs, Status: sdk.Canceled}, nil
			}
			return p, err
		}
	}},
	"what was not sent is final": {[]string{"refused_not_final", "no_connection"}, func(b *broken) {
		b.create = func(ctx context.Context, r sdk.CheckoutRequest) (*sdk.Payment, error) {
			p, err := b.Provider.CreateCheckout(ctx, r)
			if isNotSent(err) {
				return nil, no
			}
			return p, err
		}
	}},
	"does not let go": {[]string{"canceled_call"}, func(b *broken) {
		b.create = func(ctx context.Context, r sdk.CheckoutRequest) (*sdk.Payment, error) {
			return b.Provider.CreateCheckout(context.WithoutCancel(ctx), r)
		}
	}},
	"finds nothing": {[]string{"read_finds"}, func(b *broken) {
		b.get = func(ctx context.Context, r sdk.PaymentRequest) (*sdk.Payment, error) {
			if len(r.Refs) == 0 {
				return nil, sdk.ErrNotFound
			}
			return b.Provider.GetPayment(ctx, r)
		}
	}},
	"cannot say that there is none": {[]string{"read_not_found"}, func(b *broken) {
		b.get = func(ctx context.Context, r sdk.PaymentRequest) (*sdk.Payment, error) {
			p, err := b.Provider.GetPayment(ctx, r)
			if errors.Is(err, sdk.ErrNotFound) {
				return nil, errors.New("HTTP 404")
			}
			return p, err
		}
	}},
	"a failed read finds nothing": {[]string{"read_no_guess"}, func(b *broken) {
		b.get = func(ctx context.Context, r sdk.PaymentRequest) (*sdk.Payment, error) {
			p, err := b.Provider.GetPayment(ctx, r)
			if err != nil {
				return nil, sdk.ErrNotFound
			}
			return p, nil
		}
	}},
	"an empty list": {[]string{"list_knows"}, func(b *broken) {
		b.list = func(context.Context, sdk.ListRequest) (*sdk.ListPage, error) { return &sdk.ListPage{}, nil }
	}},
	"facts of nobody": {[]string{"callback_genuine"}, func(b *broken) {
		b.reading(func(f *sdk.Fact) { f.Payment.AttemptID, f.Payment.Refs = "", nil })
	}},
	"another id for the capture": {[]string{"callback_agrees"}, func(b *broken) {
		b.reading(func(f *sdk.Fact) {
			for i := range f.Payment.Captures.Items {
				f.Payment.Captures.Items[i].ID += ":event"
			}
		})
	}},
	"believes everybody": {[]string{"callback_forged", "callback_stale"}, func(b *broken) {
		b.callback = func(_ context.Context, r sdk.CallbackRequest) (*sdk.CallbackResult, error) {
			return &sdk.CallbackResult{Verdict: sdk.Genuine, EventID: "evt"}, nil
		}
	}},
	"the query says that it is paid": {[]string{"callback_forged"}, func(b *broken) {
		b.callback = func(ctx context.Context, r sdk.CallbackRequest) (*sdk.CallbackResult, error) {
			res, err := b.Provider.HandleCallback(ctx, r)
			if err == nil && strings.Contains(r.Query, "status=paid") {
				for i := range res.Facts {
					res.Facts[i].Payment.Status = sdk.Succeeded
				}
				res.Reason = "paid"
			}
			return res, err
		}
	}},
	"the query alone is enough": {[]string{"callback_forged"}, func(b *broken) {
		b.callback = func(ctx context.Context, r sdk.CallbackRequest) (*sdk.CallbackResult, error) {
			if strings.Contains(r.Query, "status=paid") {
				return &sdk.CallbackResult{Verdict: sdk.Genuine, Facts: []sdk.Fact{{Proven: true, Payment: sdk.Payment{Status: sdk.Succeeded}}}}, nil
			}
			return b.Provider.HandleCallback(ctx, r)
		}
	}},
	"a header says what it is": {[]string{"callback_forged"}, func(b *broken) {
		b.callback = func(ctx context.Context, r sdk.CallbackRequest) (*sdk.CallbackResult, error) {
			res, err := b.Provider.HandleCallback(ctx, r)
			if err == nil {
				res.Type = r.Get("Content-Type")
			}
			return res, err
		}
	}},
	"unsigned is genuine": {[]string{"callback_forged"}, func(b *broken) {
		b.callback = func(ctx context.Context, r sdk.CallbackRequest) (*sdk.CallbackResult, error) {
			if len(r.Headers) == 0 {
				return &sdk.CallbackResult{Verdict: sdk.Genuine}, nil
			}
			return b.Provider.HandleCallback(ctx, r)
		}
	}},
	"panics on what is no event": {[]string{"callback_malformed"}, func(b *broken) {
		b.callback = func(ctx context.Context, r sdk.CallbackRequest) (*sdk.CallbackResult, error) {
			if r.Body[0] != '{' {
				panic("no event")
			}
			return b.Provider.HandleCallback(ctx, r)
		}
	}},
	"one id for all events": {[]string{"callback_repeated"}, func(b *broken) {
		b.callback = func(ctx context.Context, r sdk.CallbackRequest) (*sdk.CallbackResult, error) {
			res, err := b.Provider.HandleCallback(ctx, r)
			if err == nil {
				res.EventID = "evt"
			}
			return res, err
		}
	}},
	"proves what nothing proves": {[]string{"callback_proof"}, func(b *broken) {
		b.describe = func(d *sdk.Description) { d.Proof = sdk.ProofNone }
	}},
	"does not say what proves a callback": {[]string{"callback_proof"}, func(b *broken) {
		b.describe = func(d *sdk.Description) { d.Proof = "" }
	}},
	"paid when it is open": {[]string{"open_is_not_paid"}, func(b *broken) {
		b.get = func(ctx context.Context, r sdk.PaymentRequest) (*sdk.Payment, error) {
			p, err := b.Provider.GetPayment(ctx, r)
			if err == nil && p.Status == sdk.RequiresAction {
				p.Status = sdk.Succeeded
			}
			return p, err
		}
	}},
	"knows only its own": {[]string{"another_process"}, func(b *broken) {
		var mine sync.Map
		b.create = func(ctx context.Context, r sdk.CheckoutRequest) (*sdk.Payment, error) {
			p, err := b.Provider.CreateCheckout(ctx, r)
			mine.Store(r.AttemptID, true)
			return p, err
		}
		b.get = func(ctx context.Context, r sdk.PaymentRequest) (*sdk.Payment, error) {
			if _, ok := mine.Load(r.AttemptID); !ok {
				return nil, sdk.ErrNotFound
			}
			return b.Provider.GetPayment(ctx, r)
		}
	}},
	"takes no expiry": {[]string{"pays"}, func(b *broken) {
		b.create = func(ctx context.Context, r sdk.CheckoutRequest) (*sdk.Payment, error) {
			if !r.ExpiresAt.IsZero() {
				return nil, no
			}
			return b.Provider.CreateCheckout(ctx, r)
		}
	}},
	"every hub's payment is its own": {[]string{"read_finds"}, func(b *broken) {
		b.get = func(ctx context.Context, r sdk.PaymentRequest) (*sdk.Payment, error) {
			asked := r
			asked.InstanceID = "hub_exam"
			p, err := b.Provider.GetPayment(ctx, asked)
			if err == nil {
				p.InstanceID = r.InstanceID
			}
			return p, err
		}
	}},
	"the first page only": {[]string{"list_knows"}, func(b *broken) {
		b.list = func(ctx context.Context, r sdk.ListRequest) (*sdk.ListPage, error) {
			page, err := b.Provider.List(ctx, r)
			if err == nil {
				page.Next = ""
			}
			return page, err
		}
	}},
	"answers with what was asked for": {[]string{"read_tells_theirs"}, func(b *broken) {
		b.get = func(ctx context.Context, r sdk.PaymentRequest) (*sdk.Payment, error) {
			p, err := b.Provider.GetPayment(ctx, r)
			if err == nil {
				p.Amount = r.Amount
				for i := range p.Captures.Items {
					p.Captures.Items[i].Amount = r.Amount
				}
			}
			return p, err
		}
	}},
	"no age": {[]string{"callback_stale"}, func(b *broken) {
		b.callback = func(ctx context.Context, r sdk.CallbackRequest) (*sdk.CallbackResult, error) {
			if unix, err := strconv.ParseInt(r.Get("Acmepay-Time"), 10, 64); err == nil {
				r.ReceivedAt = time.Unix(unix, 0)
			}
			return b.Provider.HandleCallback(ctx, r)
		}
	}},
	"another event each time": {[]string{"callback_repeated"}, func(b *broken) {
		b.callback = func(ctx context.Context, r sdk.CallbackRequest) (*sdk.CallbackResult, error) {
			res, err := b.Provider.HandleCallback(ctx, r)
			if err == nil {
				res.EventID = fmt.Sprint(b.calls.Add(1))
			}
			return res, err
		}
	}},
	"rounds": {[]string{"money_exact"}, func(b *broken) {
		b.create = func(ctx context.Context, r sdk.CheckoutRequest) (*sdk.Payment, error) {
			r.Amount.Amount = r.Amount.Amount / 10 * 10
			return b.Provider.CreateCheckout(ctx, r)
		}
	}},
	"takes something for nothing": {[]string{"money_positive"}, func(b *broken) {
		b.create = func(ctx context.Context, r sdk.CheckoutRequest) (*sdk.Payment, error) {
			r.Amount.Amount = max(r.Amount.Amount, 1)
			return b.Provider.CreateCheckout(ctx, r)
		}
	}},
	"cannot wait": {[]string{"capture_manual"}, func(b *broken) {
		b.create = func(ctx context.Context, r sdk.CheckoutRequest) (*sdk.Payment, error) {
			r.CaptureMode = sdk.CaptureAutomatic
			return b.Provider.CreateCheckout(ctx, r)
		}
	}},
	"says that it canceled": {[]string{"cancel_open", "cancel_too_late"}, func(b *broken) {
		b.cancel = func(ctx context.Context, r sdk.CancelRequest) (*sdk.Payment, error) {
			p, err := b.GetPayment(ctx, r.PaymentRequest)
			if err == nil {
				p.Status = sdk.Canceled
			}
			return p, err
		}
	}},
	"too late is an error": {[]string{"cancel_too_late"}, func(b *broken) {
		b.cancel = func(ctx context.Context, r sdk.CancelRequest) (*sdk.Payment, error) {
			p, err := b.Provider.Cancel(ctx, r)
			if err == nil && p.Status == sdk.Succeeded {
				return nil, no
			}
			return p, err
		}
	}},
	"another expiry": {[]string{"expiry"}, func(b *broken) {
		b.create = func(ctx context.Context, r sdk.CheckoutRequest) (*sdk.Payment, error) {
			if !r.ExpiresAt.IsZero() {
				r.ExpiresAt = r.ExpiresAt.Add(time.Hour)
			}
			return b.Provider.CreateCheckout(ctx, r)
		}
	}},
	"one refund per capture": {[]string{"refund_parts"}, func(b *broken) {
		b.refund = func(ctx context.Context, r sdk.RefundRequest) (*sdk.Refund, error) {
			r.Key, r.RefundID = r.CaptureID, r.CaptureID
			return b.Provider.Refund(ctx, r)
		}
	}},
	"a refusal is a riddle": {[]string{"refund_too_much"}, func(b *broken) {
		b.refund = func(ctx context.Context, r sdk.RefundRequest) (*sdk.Refund, error) {
			re, err := b.Provider.Refund(ctx, r)
			if isRejected(err) {
				return nil, errors.New("HTTP 422")
			}
			return re, err
		}
	}},
	"a failed refund is an error": {[]string{"refund_fails"}, func(b *broken) {
		b.refund = func(ctx context.Context, r sdk.RefundRequest) (*sdk.Refund, error) {
			re, err := b.Provider.Refund(ctx, r)
			if err == nil && re.Status == sdk.MovementFailed {
				return nil, errors.New("failed")
			}
			return re, err
		}
	}},
	"remembers the last call": {[]string{"concurrent_calls"}, func(b *broken) {
		b.create = func(ctx context.Context, r sdk.CheckoutRequest) (*sdk.Payment, error) {
			b.calls.Store(r.Amount.Amount)
			time.Sleep(20 * time.Millisecond)
			r.Amount.Amount = b.calls.Load()
			return b.Provider.CreateCheckout(ctx, r)
		}
	}},
	"writes its key to the log": {[]string{"secrets_stay"}, func(b *broken) {
		b.configure = func(ctx context.Context, s sdk.Settings) (sdk.Account, error) {
			fmt.Fprintln(os.Stderr, "configured with", s["api_key"])
			return b.Provider.Configure(ctx, s)
		}
	}},
	"quotes the end of a key": {[]string{"settings_wrong", "secrets_stay"}, func(b *broken) {
		b.configure = func(ctx context.Context, s sdk.Settings) (sdk.Account, error) {
			a, err := b.Provider.Configure(ctx, s)
			if key := s["api_key"]; err != nil && len(key) > 10 {
				return a, fmt.Errorf("key ...%s: %w", key[len(key)-10:], errors.New("is wrong"))
			}
			return a, err
		}
	}},
}

// unsigned is no broken plugin: its provider signs nothing, and posts an id.
const unsigned = "unsigned"

func init() {
	if os.Getenv(breakEnv) == unsigned {
		plugintest.ServeIfStarted(func() {
			b := &broken{Provider: New()}
			b.describe = func(d *sdk.Description) { d.Proof = sdk.ProofNone }
			b.callback = func(_ context.Context, r sdk.CallbackRequest) (*sdk.CallbackResult, error) {
				var event struct{ Payment struct{ ID string } }
				if err := json.Unmarshal(r.Body, &event); err != nil || event.Payment.ID == "" {
					return &sdk.CallbackResult{Verdict: sdk.Forged, Reason: "it names no payment"}, nil
				}
				return &sdk.CallbackResult{Verdict: sdk.Genuine, Facts: []sdk.Fact{{
					Payment: sdk.Payment{Refs: []sdk.Ref{{Kind: kindPayment, Value: event.Payment.ID}}},
				}}}, nil
			}
			plugin.Serve(b)
		})
	}
}

// TestExam_OfUnsignedCallbacks: a plugin whose provider signs nothing passes as any
// other: it proves nothing, and says so.
func TestExam_OfUnsignedCallbacks(t *testing.T) {
	plugintest.Run(t, plugintest.Options{Sandbox: stand, Env: []string{breakEnv + "=" + unsigned}})
}

// lame plugins are broken in a way that every rule would notice.
var lame = map[string]func(*broken){
	"hangs": func(b *broken) {
		b.create = func(ctx context.Context, _ sdk.CheckoutRequest) (*sdk.Payment, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}
	},
	"cannot be paid": func(b *broken) {
		b.create = func(context.Context, sdk.CheckoutRequest) (*sdk.Payment, error) {
			return nil, errors.New("nothing works")
		}
	},
}

func init() {
	if breaks, ok := lame[os.Getenv(breakEnv)]; ok {
		plugintest.ServeIfStarted(func() {
			b := &broken{Provider: New()}
			breaks(b)
			plugin.Serve(b)
		})
	}
}

// TestExam_OneCauseOneFinding: of a flow in which nobody can pay nothing more is asked,
// and a plugin that hangs is given up in time.
func TestExam_OneCauseOneFinding(t *testing.T) {
	for name := range lame {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			began, report := time.Now(), plugintest.NewReport(t.Context(), nil)
			report.Run("exam", func(r *plugintest.Report) {
				plugintest.Run(r, plugintest.Options{Sandbox: stand, Env: []string{breakEnv + "=" + name}, Budget: 10 * time.Second})
			})
			var failed []string
			for _, rule := range report.Parts[0].Parts {
				if rule.Failed() {
					failed = append(failed, rule.Name)
				}
			}
			if len(failed) != 1 || failed[0] != "exam/pays" || time.Since(began) > 30*time.Second {
				t.Errorf("failed, after %s: %q", time.Since(began), failed)
			}
			if over := len(report.Parts[0].Findings) > 0; over != (name == "hangs") {
				t.Errorf("findings: %q", report.Parts[0].Findings)
			}
		})
	}
}

// reading changes the facts of every callback.
func (b *broken) reading(change func(*sdk.Fact)) {
	b.callback = func(ctx context.Context, r sdk.CallbackRequest) (*sdk.CallbackResult, error) {
		res, err := b.Provider.HandleCallback(ctx, r)
		if err == nil {
			for i := range res.Facts {
				change(&res.Facts[i])
			}
		}
		return res, err
	}
}

// TestExam_EveryRuleBites proves that a plugin that breaks a rule fails it.
func TestExam_EveryRuleBites(t *testing.T) {
	bitten := map[string]bool{"payer_return": true, "connect": true} // see TestExam_OfAPayersReturn, TestExam_OfConnect
	for _, rule := range []string{"healthy", "private", "keeps_signals", "shuts_down", "ends_with_hub"} {
		bitten["process_"+rule] = true // package plugin keeps them: see the plugin in Node
	}
	for name, v := range variants {
		for _, rule := range v.rules {
			bitten[rule] = true
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			report := plugintest.NewReport(t.Context(), nil)
			report.Run("exam", func(r *plugintest.Report) {
				plugintest.Run(r, plugintest.Options{Sandbox: stand, Env: []string{breakEnv + "=" + name}, Only: v.rules, Settle: time.Second})
			})
			exam := report.Parts[0]
			if len(exam.Findings) > 0 || len(exam.Parts) != len(v.rules) {
				t.Fatalf("the exam did not take place: %q, %d of %d rules", exam.Findings, len(exam.Parts), len(v.rules))
			}
			for _, rule := range exam.Parts {
				if !rule.Failed() {
					t.Errorf("%s does not notice", rule.Name)
				}
			}
		})
	}
	for _, rule := range plugintest.RuleNames() {
		if !bitten[rule] {
			t.Errorf("no variant breaks %s", rule)
		}
	}
}
