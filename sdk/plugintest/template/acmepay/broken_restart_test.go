package main

import (
	"context"
	"slices"
	"sync"

	"github.com/superpayhub/superpay/sdk"
)

// restarts are broken in what another process knows.
var restarts = map[string]variant{
	"knows only its own": {rule: "another_process", breaks: func(b *broken) {
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
	"captures only its own": {rule: "another_process", breaks: func(b *broken) {
		var mine sync.Map
		b.create = func(ctx context.Context, r sdk.CheckoutRequest) (*sdk.Payment, error) {
			mine.Store(r.AttemptID, true)
			return b.Provider.CreateCheckout(ctx, r)
		}
		b.capture = func(ctx context.Context, r sdk.CaptureRequest) (*sdk.Payment, error) {
			if _, ok := mine.Load(r.AttemptID); !ok {
				return nil, sdk.NotSent("the payment is not known")
			}
			return b.Provider.Capture(ctx, r)
		}
	}},
	"cancels only its own": {rule: "another_process", breaks: func(b *broken) {
		var mine sync.Map
		b.create = func(ctx context.Context, r sdk.CheckoutRequest) (*sdk.Payment, error) {
			mine.Store(r.AttemptID, true)
			return b.Provider.CreateCheckout(ctx, r)
		}
		b.cancel = func(ctx context.Context, r sdk.CancelRequest) (*sdk.Payment, error) {
			if _, ok := mine.Load(r.AttemptID); !ok {
				return nil, sdk.NotSent("the payment is not known")
			}
			return b.Provider.Cancel(ctx, r)
		}
	}},
	"refunds only what it read": {rule: "another_process", breaks: func(b *broken) {
		var seen sync.Map
		b.get = func(ctx context.Context, r sdk.PaymentRequest) (*sdk.Payment, error) {
			seen.Store(r.AttemptID, true)
			return b.Provider.GetPayment(ctx, r)
		}
		b.refund = func(ctx context.Context, r sdk.RefundRequest) (*sdk.Refund, error) {
			if _, ok := seen.Load(r.AttemptID); !ok {
				return nil, sdk.NotSent("the payment is not known")
			}
			return b.Provider.Refund(ctx, r)
		}
	}},
	"finds only its own refunds": {rule: "another_process", breaks: func(b *broken) {
		var mine sync.Map
		b.refund = func(ctx context.Context, r sdk.RefundRequest) (*sdk.Refund, error) {
			mine.Store(r.RefundID, true)
			return b.Provider.Refund(ctx, r)
		}
		b.getRefund = func(ctx context.Context, r sdk.GetRefundRequest) (*sdk.Refund, error) {
			if _, ok := mine.Load(r.RefundID); !ok && r.ProviderID == "" {
				return nil, sdk.ErrNotFound
			}
			return b.Provider.GetRefund(ctx, r)
		}
	}},
	"knows the callbacks of its own payments": {rule: "another_process", breaks: func(b *broken) {
		var mine sync.Map
		b.create = func(ctx context.Context, r sdk.CheckoutRequest) (*sdk.Payment, error) {
			mine.Store(r.AttemptID, true)
			return b.Provider.CreateCheckout(ctx, r)
		}
		b.results(func(res *sdk.CallbackResult) {
			res.Facts = slices.DeleteFunc(res.Facts, func(f sdk.Fact) bool {
				_, ok := mine.Load(f.Payment.AttemptID)
				return !ok
			})
		})
	}},
	"the name changes": {rule: "refs_stay", breaks: func(b *broken) {
		b.reads(func(p *sdk.Payment) {
			// The exam's hub hands refs back in the order in which it heard them.
			if len(p.Captures.Items) > 0 {
				p.Refs = slices.Insert(p.Refs, 0, sdk.Ref{Kind: "capture", Value: p.Captures.Items[0].ID})
			}
		})
	}},
}
