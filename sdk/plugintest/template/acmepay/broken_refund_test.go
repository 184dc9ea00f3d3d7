package main

import (
	"context"
	"errors"
	"sync"

	"github.com/superpayhub/superpay/sdk"
)

// contests are broken in refunds and disputes.
var contests = map[string]variant{
	"remembers what it read": {rule: "read_is_fresh", breaks: func(b *broken) {
		var known sync.Map
		b.get = func(ctx context.Context, r sdk.PaymentRequest) (*sdk.Payment, error) {
			if p, ok := known.Load(r.AttemptID); ok {
				return p.(*sdk.Payment), nil
			}
			p, err := b.Provider.GetPayment(ctx, r)
			if err == nil && p.Status == sdk.Succeeded {
				known.Store(r.AttemptID, p)
			}
			return p, err
		}
	}},
	"a read that is behind finds nothing": {rule: "read_is_fresh", breaks: func(b *broken) {
		var refunded sync.Map
		b.refund = func(ctx context.Context, r sdk.RefundRequest) (*sdk.Refund, error) {
			re, err := b.Provider.Refund(ctx, r)
			if err == nil {
				refunded.Store(r.AttemptID, true)
			}
			return re, err
		}
		b.get = func(ctx context.Context, r sdk.PaymentRequest) (*sdk.Payment, error) {
			p, err := b.Provider.GetPayment(ctx, r)
			if _, ok := refunded.Load(r.AttemptID); ok && err == nil && len(p.Refunds.Items) == 0 {
				return nil, sdk.ErrNotFound
			}
			return p, err
		}
	}},
	"no refund has our id": {rule: "refunds", breaks: func(b *broken) {
		b.refund = func(ctx context.Context, r sdk.RefundRequest) (*sdk.Refund, error) {
			re, err := b.Provider.Refund(ctx, r)
			if err == nil {
				re.RefundID = ""
			}
			return re, err
		}
	}},
	"one refund per capture": {rule: "refund_parts", breaks: func(b *broken) {
		b.refund = func(ctx context.Context, r sdk.RefundRequest) (*sdk.Refund, error) {
			r.Key = r.CaptureID
			return b.Provider.Refund(ctx, r)
		}
	}},
	"a refusal is a riddle": {rule: "refund_too_much", breaks: func(b *broken) {
		b.refund = func(ctx context.Context, r sdk.RefundRequest) (*sdk.Refund, error) {
			re, err := b.Provider.Refund(ctx, r)
			if isRejected(err) {
				return nil, errors.New("HTTP 422")
			}
			return re, err
		}
	}},
	"a refund is done when it is asked for": {rule: "refund_pending", breaks: func(b *broken) {
		b.refund = func(ctx context.Context, r sdk.RefundRequest) (*sdk.Refund, error) {
			re, err := b.Provider.Refund(ctx, r)
			if err == nil && re.Status == sdk.MovementPending {
				re.Status = sdk.MovementSucceeded
			}
			return re, err
		}
	}},
	"a pending refund reads as done": {rule: "refund_pending", breaks: func(b *broken) {
		b.reads(func(p *sdk.Payment) {
			for i := range p.Refunds.Items {
				if p.Refunds.Items[i].Status == sdk.MovementPending {
					p.Refunds.Items[i].Status = sdk.MovementSucceeded
				}
			}
		})
	}},
	"a pending refund is never done": {rule: "refund_pending", breaks: func(b *broken) {
		b.getRefund = func(ctx context.Context, r sdk.GetRefundRequest) (*sdk.Refund, error) {
			re, err := b.Provider.GetRefund(ctx, r)
			if err == nil && re.Status == sdk.MovementSucceeded {
				re.Status = sdk.MovementPending
			}
			return re, err
		}
	}},
	"a failed refund is an error": {rule: "refund_fails", breaks: func(b *broken) {
		b.refund = func(ctx context.Context, r sdk.RefundRequest) (*sdk.Refund, error) {
			re, err := b.Provider.Refund(ctx, r)
			if err == nil && re.Status == sdk.MovementFailed {
				return nil, errors.New("failed")
			}
			return re, err
		}
	}},
	"reads no disputes": {rule: "disputes_read", also: []string{"callback_expects"}, why: "its own facts expect a dispute", breaks: func(b *broken) {
		b.reads(func(p *sdk.Payment) {
			p.Disputes.Items = nil
		})
	}},
	"every dispute is open": {rule: "disputes_read", also: []string{"callback_expects"}, why: "its own facts expect a dispute that is over", breaks: func(b *broken) {
		b.reads(func(p *sdk.Payment) {
			for i := range p.Disputes.Items {
				p.Disputes.Items[i].Status = sdk.DisputeOpen
			}
		})
	}},
	"what was won is still gone": {rule: "disputes_read", breaks: func(b *broken) {
		b.reads(func(p *sdk.Payment) {
			for i := range p.Disputes.Items {
				p.Disputes.Items[i].FundsWithdrawn = true
			}
		})
	}},
	"of a lost dispute all is gone": {rule: "disputes_read", breaks: func(b *broken) {
		b.reads(func(p *sdk.Payment) {
			for i := range p.Disputes.Items {
				p.Disputes.Items[i].Withdrawn = sdk.Money{}
			}
		})
	}},
	"a lost dispute costs nothing": {rule: "disputes_read", breaks: func(b *broken) {
		b.reads(func(p *sdk.Payment) {
			for i, d := range p.Disputes.Items {
				p.Disputes.Items[i].FundsWithdrawn = d.FundsWithdrawn && d.Status != sdk.DisputeLost
			}
		})
	}},
}
