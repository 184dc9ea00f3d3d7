package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/superpayhub/superpay/sdk"
)

// descriptions are broken in what they say of themselves, and which settings they take.
var descriptions = map[string]variant{
	"a version by the clock": {rule: "describe_constant", breaks: func(b *broken) {
		b.describe = func(d *sdk.Description) { d.Version = fmt.Sprint(time.Now().UnixNano()) }
	}},
	"a flow without a title": {rule: "describe_well_formed", breaks: func(b *broken) {
		b.describe = func(d *sdk.Description) { d.Flows[0].Title = "" }
	}},
	"a range of two currencies": {rule: "describe_well_formed", breaks: func(b *broken) {
		b.describe = func(d *sdk.Description) {
			d.Flows[0].Amounts = []sdk.Range{{Least: sdk.Money{Amount: 50, Currency: "USD", Exponent: 2}, Most: sdk.Money{Amount: 10, Currency: "EUR"}}}
		}
	}},
	"a capability without a method": {rule: "describe_capabilities", breaks: func(b *broken) {
		b.describe = func(d *sdk.Description) { d.Flows[0].Capabilities = append(d.Flows[0].Capabilities, sdk.CanConfirm) }
	}},
	"a method without a capability": {rule: "describe_capabilities", breaks: func(b *broken) {
		b.describe = func(d *sdk.Description) { d.Flows[0].Capabilities = []sdk.Capability{sdk.CanCapture, sdk.CanCancel} }
	}},
	"a flow that is not examined": {rule: "exam_complete", breaks: func(b *broken) {
		b.describe = func(d *sdk.Description) {
			d.Flows = append(d.Flows, sdk.Flow{Name: "other", Title: "Other", CaptureModes: []sdk.CaptureMode{sdk.CaptureAutomatic}})
		}
	}},
	"starts without its secret": {rule: "settings_required", breaks: func(b *broken) {
		b.configure = func(ctx context.Context, s sdk.Settings) (sdk.Account, error) {
			if s["signing_secret"] == "" {
				s["signing_secret"] = "sign_default0000"
			}
			return b.Provider.Configure(ctx, s)
		}
	}},
	"does not say which setting": {rule: "settings_required", also: []string{"settings_wrong"}, why: "both ask for the field, of what is missing and of what is wrong", breaks: func(b *broken) {
		b.configure = func(ctx context.Context, s sdk.Settings) (sdk.Account, error) {
			a, err := b.Provider.Configure(ctx, s)
			if err != nil {
				err = errors.New("a setting is wrong")
			}
			return a, err
		}
	}},
	"blames another setting": {rule: "settings_wrong", breaks: func(b *broken) {
		b.configure = func(ctx context.Context, s sdk.Settings) (sdk.Account, error) {
			a, err := b.Provider.Configure(ctx, s)
			var e *sdk.SettingsError
			if errors.As(err, &e) && strings.TrimSpace(s[e.Field]) != "" {
				err = wrong("account", e.Reason)
			}
			return a, err
		}
	}},
	"asks the provider when configured": {rule: "settings_offline", breaks: func(b *broken) {
		b.configure = func(ctx context.Context, s sdk.Settings) (sdk.Account, error) {
			a, err := b.Provider.Configure(ctx, s)
			if err == nil {
				err = b.client.get(ctx, "/v1/payments", &list{})
			}
			return a, err
		}
	}},
	"a live key is a test key": {rule: "live_key", breaks: func(b *broken) {
		b.configure = func(ctx context.Context, s sdk.Settings) (sdk.Account, error) {
			a, err := b.Provider.Configure(ctx, s)
			a.Mode = sdk.Test
			return a, err
		}
	}},
}
