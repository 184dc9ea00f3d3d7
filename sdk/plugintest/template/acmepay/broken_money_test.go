package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/superpayhub/superpay/sdk"
)

// rest are broken in amounts, many calls at once, and secrets.
var rest = map[string]variant{
	"rounds": {rule: "money_exact", breaks: func(b *broken) {
		b.create = func(ctx context.Context, r sdk.CheckoutRequest) (*sdk.Payment, error) {
			r.Amount.Amount = r.Amount.Amount / 10 * 10
			return b.Provider.CreateCheckout(ctx, r)
		}
	}},
	"takes something for nothing": {rule: "money_positive", breaks: func(b *broken) {
		b.create = func(ctx context.Context, r sdk.CheckoutRequest) (*sdk.Payment, error) {
			r.Amount.Amount = max(r.Amount.Amount, 1)
			return b.Provider.CreateCheckout(ctx, r)
		}
	}},
	"remembers the last call": {rule: "concurrent_calls", breaks: func(b *broken) {
		b.create = func(ctx context.Context, r sdk.CheckoutRequest) (*sdk.Payment, error) {
			b.calls.Store(r.Amount.Amount)
			time.Sleep(20 * time.Millisecond)
			r.Amount.Amount = b.calls.Load()
			return b.Provider.CreateCheckout(ctx, r)
		}
	}},
	"one key, many calls": {rule: "concurrent_same_key", breaks: func(b *broken) {
		var open sync.Map
		b.create = func(ctx context.Context, r sdk.CheckoutRequest) (*sdk.Payment, error) {
			key := r.Key
			if _, busy := open.LoadOrStore(key, true); busy {
				r.Key = fmt.Sprint(key, "_", b.calls.Add(1))
			}
			time.Sleep(50 * time.Millisecond) // all are there
			defer open.Delete(key)
			return b.Provider.CreateCheckout(ctx, r)
		}
	}},
	"writes its key to the log": {rule: "secrets_stay", breaks: func(b *broken) {
		b.configure = func(ctx context.Context, s sdk.Settings) (sdk.Account, error) {
			fmt.Fprintln(os.Stderr, "configured with", s["api_key"])
			return b.Provider.Configure(ctx, s)
		}
	}},
	"quotes the end of a key": {rule: "secrets_stay", with: []string{"settings_wrong"}, breaks: func(b *broken) {
		b.configure = func(ctx context.Context, s sdk.Settings) (sdk.Account, error) {
			a, err := b.Provider.Configure(ctx, s)
			var e *sdk.SettingsError
			if key := s["api_key"]; errors.As(err, &e) && len(key) > 10 {
				return a, wrong(e.Field, "is wrong; the key ends in "+key[len(key)-10:])
			}
			return a, err
		}
	}},
}
