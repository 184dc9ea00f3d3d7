package main

import (
	"context"
	"errors"
	"net/http"
	"os"
	"sync/atomic"

	"github.com/superpayhub/superpay/sdk"
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
	capture   func(context.Context, sdk.CaptureRequest) (*sdk.Payment, error)
	cancel    func(context.Context, sdk.CancelRequest) (*sdk.Payment, error)
	refund    func(context.Context, sdk.RefundRequest) (*sdk.Refund, error)
	getRefund func(context.Context, sdk.GetRefundRequest) (*sdk.Refund, error)
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

func (b *broken) Capture(ctx context.Context, r sdk.CaptureRequest) (*sdk.Payment, error) {
	if b.capture != nil {
		return b.capture(ctx, r)
	}
	return b.Provider.Capture(ctx, r)
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

func (b *broken) GetRefund(ctx context.Context, r sdk.GetRefundRequest) (*sdk.Refund, error) {
	if b.getRefund != nil {
		return b.getRefund(ctx, r)
	}
	return b.Provider.GetRefund(ctx, r)
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

// reads changes what every read of a payment says.
func (b *broken) reads(change func(*sdk.Payment)) {
	b.get = func(ctx context.Context, r sdk.PaymentRequest) (*sdk.Payment, error) {
		p, err := b.Provider.GetPayment(ctx, r)
		if err == nil {
			change(p)
		}
		return p, err
	}
}

// results changes how every callback is read.
func (b *broken) results(change func(*sdk.CallbackResult)) {
	b.callback = func(ctx context.Context, r sdk.CallbackRequest) (*sdk.CallbackResult, error) {
		res, err := b.Provider.HandleCallback(ctx, r)
		if err == nil {
			change(res)
		}
		return res, err
	}
}

// reading changes the facts of every callback.
func (b *broken) reading(change func(*sdk.Fact)) {
	b.results(func(res *sdk.CallbackResult) {
		for i := range res.Facts {
			change(&res.Facts[i])
		}
	})
}

// answers changes what the provider answers.
func (b *broken) answers(change func(*http.Request, *http.Response, error) (*http.Response, error)) {
	b.transport = func(next http.RoundTripper) http.RoundTripper {
		return roundTrip(func(r *http.Request) (*http.Response, error) {
			res, err := next.RoundTrip(r)
			return change(r, res, err)
		})
	}
}

func isMismatch(err error) bool { var e *sdk.MismatchError; return errors.As(err, &e) }
func isRejected(err error) bool { var e *sdk.RejectedError; return errors.As(err, &e) }
func isNotSent(err error) bool  { var e *sdk.NotSentError; return errors.As(err, &e) }
func isPlain(err error) bool {
	return err != nil && !isRejected(err) && !isNotSent(err) && !isMismatch(err) && !errors.Is(err, sdk.ErrNotFound)
}

var no = sdk.Rejected(sdk.Failure{Code: sdk.FailureDeclined, Message: "No."})
