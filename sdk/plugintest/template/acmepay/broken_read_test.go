package main

import (
	"context"
	"errors"
	"net/url"

	"github.com/superpayhub/superpay/sdk"
	"github.com/superpayhub/superpay/sdk/once"
)

// misread are broken in what the provider is asked.
var misread = map[string]variant{
	"finds nothing": {rule: "read_finds", also: []string{"read_finds_among_many"}, why: "it searches nowhere", breaks: func(b *broken) {
		b.get = func(ctx context.Context, r sdk.PaymentRequest) (*sdk.Payment, error) {
			if len(r.Refs) == 0 {
				return nil, sdk.ErrNotFound
			}
			return b.Provider.GetPayment(ctx, r)
		}
	}},
	"every hub's payment is its own": {rule: "read_finds", breaks: func(b *broken) {
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
	"searches the first page": {rule: "read_finds_among_many", breaks: func(b *broken) {
		b.get = func(ctx context.Context, r sdk.PaymentRequest) (*sdk.Payment, error) {
			if len(r.Refs) > 0 {
				return b.Provider.GetPayment(ctx, r)
			}
			var found list
			query := url.Values{"metadata": {sdk.MetadataAttempt + ":" + r.AttemptID}}
			if err := b.client.get(ctx, "/v1/payments?"+query.Encode(), &found); err != nil {
				return nil, err
			}
			if found.Data == nil {
				return nil, once.ErrUnreadable
			}
			for _, got := range found.Data {
				if r.Finds(got.Metadata) {
					return got.read()
				}
			}
			return nil, sdk.ErrNotFound
		}
	}},
	"every payment is of who asks": {rule: "read_tells_whose", breaks: func(b *broken) {
		b.get = func(ctx context.Context, r sdk.PaymentRequest) (*sdk.Payment, error) {
			p, err := b.Provider.GetPayment(ctx, r)
			if err == nil {
				p.AttemptID, p.InstanceID = r.AttemptID, r.InstanceID
			}
			return p, err
		}
	}},
	"every refund is of who asks": {rule: "read_tells_whose", breaks: func(b *broken) {
		b.getRefund = func(ctx context.Context, r sdk.GetRefundRequest) (*sdk.Refund, error) {
			re, err := b.Provider.GetRefund(ctx, r)
			if err == nil {
				re.RefundID, re.InstanceID = r.RefundID, r.InstanceID
			}
			return re, err
		}
	}},
	"every event is of one hub": {rule: "read_tells_whose", breaks: func(b *broken) {
		b.reading(func(f *sdk.Fact) { f.Payment.InstanceID = "hub_exam" })
	}},
	"cannot say that there is none": {rule: "read_not_found", breaks: func(b *broken) {
		b.get = func(ctx context.Context, r sdk.PaymentRequest) (*sdk.Payment, error) {
			p, err := b.Provider.GetPayment(ctx, r)
			if errors.Is(err, sdk.ErrNotFound) {
				return nil, errors.New("HTTP 404")
			}
			return p, err
		}
	}},
	"a failed read finds nothing": {rule: "read_no_guess", breaks: func(b *broken) {
		b.get = func(ctx context.Context, r sdk.PaymentRequest) (*sdk.Payment, error) {
			p, err := b.Provider.GetPayment(ctx, r)
			if err != nil {
				return nil, sdk.ErrNotFound
			}
			return p, nil
		}
	}},
	"answers with what was asked for": {rule: "read_tells_theirs", breaks: func(b *broken) {
		b.get = func(ctx context.Context, r sdk.PaymentRequest) (*sdk.Payment, error) {
			p, err := b.Provider.GetPayment(ctx, r)
			if err == nil {
				p.Amount = r.Amount
			}
			return p, err
		}
	}},
	"an empty list": {rule: "list_knows", breaks: func(b *broken) {
		b.list = func(context.Context, sdk.ListRequest) (*sdk.ListPage, error) { return &sdk.ListPage{}, nil }
	}},
	"the first page only": {rule: "list_knows", breaks: func(b *broken) {
		b.list = func(ctx context.Context, r sdk.ListRequest) (*sdk.ListPage, error) {
			page, err := b.Provider.List(ctx, r)
			if err == nil {
				page.Next = ""
			}
			return page, err
		}
	}},
}
