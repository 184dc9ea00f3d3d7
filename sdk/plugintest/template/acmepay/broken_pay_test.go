package main

import (
	"context"
	"time"

	"github.com/superpayhub/superpay/sdk"
)

// courses are broken in the ways in which a payment goes.
var courses = map[string]variant{
	"another mode": {rule: "pays", breaks: func(b *broken) {
		b.reads(func(p *sdk.Payment) {
			p.Mode = sdk.Live
		})
	}},
	"takes no expiry": {rule: "pays", breaks: func(b *broken) {
		b.create = func(ctx context.Context, r sdk.CheckoutRequest) (*sdk.Payment, error) {
			if !r.ExpiresAt.IsZero() {
				return nil, no
			}
			return b.Provider.CreateCheckout(ctx, r)
		}
	}},
	"demands a description": {rule: "optional_fields", breaks: func(b *broken) {
		b.create = func(ctx context.Context, r sdk.CheckoutRequest) (*sdk.Payment, error) {
			if r.Description == "" {
				return nil, no
			}
			return b.Provider.CreateCheckout(ctx, r)
		}
	}},
	"has no room for much": {rule: "optional_fields", breaks: func(b *broken) {
		b.create = func(ctx context.Context, r sdk.CheckoutRequest) (*sdk.Payment, error) {
			if len(r.Metadata) > 10 {
				return nil, no
			}
			return b.Provider.CreateCheckout(ctx, r)
		}
	}},
	"money in is negative": {rule: "balance_lines", breaks: func(b *broken) {
		b.reads(func(p *sdk.Payment) {
			for i, c := range p.Captures.Items {
				c.Amount.Amount = -c.Amount.Amount
				p.Captures.Items[i].Lines = []sdk.Line{{ID: "line_" + c.ID, Kind: sdk.LineCapture, Gross: c.Amount}}
			}
		})
	}},
	"lines without names": {rule: "balance_lines", breaks: func(b *broken) {
		b.reads(func(p *sdk.Payment) {
			for i, c := range p.Captures.Items {
				p.Captures.Items[i].Lines = []sdk.Line{{Kind: sdk.LineCapture, Gross: c.Amount}}
			}
		})
	}},
	"a decline is an error": {rule: "declines", breaks: func(b *broken) {
		b.get = func(ctx context.Context, r sdk.PaymentRequest) (*sdk.Payment, error) {
			p, err := b.Provider.GetPayment(ctx, r)
			if err == nil && p.Failure != nil {
				return nil, sdk.Rejected(*p.Failure)
			}
			return p, err
		}
	}},
	"nothing to do for the payer": {rule: "acts", breaks: func(b *broken) {
		b.create = func(ctx context.Context, r sdk.CheckoutRequest) (*sdk.Payment, error) {
			p, err := b.Provider.CreateCheckout(ctx, r)
			if err == nil && p.NextAction != nil {
				p.NextAction.Type = ""
			}
			return p, err
		}
	}},
	"paid when it is open": {rule: "open_is_not_paid", breaks: func(b *broken) {
		b.reads(func(p *sdk.Payment) {
			if p.Status == sdk.RequiresAction && p.Failure == nil {
				p.Status = sdk.Succeeded
			}
		})
	}},
	"paid is what was asked for": {rule: "other_money", breaks: func(b *broken) {
		b.reads(func(p *sdk.Payment) {
			if c := p.Captures.Items; len(c) > 0 && c[0].Amount.Currency == p.Amount.Currency && c[0].Amount.Amount == p.Amount.Amount-100 {
				c[0].Amount = p.Amount
			}
		})
	}},
	"paid is in the currency that was asked for": {rule: "other_money", breaks: func(b *broken) {
		b.reads(func(p *sdk.Payment) {
			for i := range p.Captures.Items {
				p.Captures.Items[i].Amount.Currency = p.Amount.Currency
			}
		})
	}},
	"pending is paid": {rule: "pending_is_not_paid", breaks: func(b *broken) {
		b.reads(func(p *sdk.Payment) {
			if p.Status == sdk.Pending {
				p.Status = sdk.Succeeded
				p.Captures.Items = []sdk.Capture{{ID: "cap_" + p.Refs[0].Value, Status: sdk.MovementSucceeded, Amount: p.Amount}}
			}
		})
	}},
	"pending is authorised": {rule: "pending_is_not_paid", breaks: func(b *broken) {
		b.reads(func(p *sdk.Payment) {
			if p.Status == sdk.Pending {
				p.Authorized, p.Capturable = p.Amount, p.Amount
			}
		})
	}},
	"pending is for the payer to do": {rule: "pending_is_not_paid", breaks: func(b *broken) {
		b.reads(func(p *sdk.Payment) {
			if p.Status == sdk.Pending {
				p.Status = sdk.RequiresAction
			}
		})
	}},
	"pending never fails": {rule: "pending_is_not_paid", breaks: func(b *broken) {
		b.reads(func(p *sdk.Payment) {
			if p.Status == sdk.Canceled && p.Failure != nil {
				p.Status, p.Failure = sdk.Pending, nil
			}
		})
	}},
	"expired is paid": {rule: "expired_is_not_paid", breaks: func(b *broken) {
		b.reads(func(p *sdk.Payment) {
			if over(p) {
				p.Status = sdk.Succeeded
			}
		})
	}},
	"expired is pending": {rule: "expired_is_not_paid", breaks: func(b *broken) {
		b.reads(func(p *sdk.Payment) {
			if over(p) {
				p.Status = sdk.Pending
			}
		})
	}},
	"never expires": {rule: "expired_is_not_paid", breaks: func(b *broken) {
		b.reads(func(p *sdk.Payment) {
			if over(p) {
				p.Status = sdk.RequiresAction
			}
		})
	}},
	"cannot wait": {rule: "capture_manual", breaks: func(b *broken) {
		b.create = func(ctx context.Context, r sdk.CheckoutRequest) (*sdk.Payment, error) {
			r.CaptureMode = sdk.CaptureAutomatic
			return b.Provider.CreateCheckout(ctx, r)
		}
	}},
	"says that it canceled": {rule: "cancel_open", breaks: func(b *broken) {
		b.cancel = func(ctx context.Context, r sdk.CancelRequest) (*sdk.Payment, error) {
			p, err := b.GetPayment(ctx, r.PaymentRequest)
			if err == nil {
				p.Status = sdk.Canceled
			}
			return p, err
		}
	}},
	"too late is an error": {rule: "cancel_too_late", breaks: func(b *broken) {
		b.cancel = func(ctx context.Context, r sdk.CancelRequest) (*sdk.Payment, error) {
			p, err := b.Provider.Cancel(ctx, r)
			if err == nil && p.Status == sdk.Succeeded {
				return nil, no
			}
			return p, err
		}
	}},
	"another expiry": {rule: "expiry", breaks: func(b *broken) {
		b.create = func(ctx context.Context, r sdk.CheckoutRequest) (*sdk.Payment, error) {
			if !r.ExpiresAt.IsZero() {
				r.ExpiresAt = r.ExpiresAt.Add(time.Hour)
			}
			return b.Provider.CreateCheckout(ctx, r)
		}
	}},
}

// over reports whether the payment's time was over before anybody paid.
func over(p *sdk.Payment) bool { return p.Status == sdk.Canceled && p.ExpiresAt.Before(time.Now()) }
