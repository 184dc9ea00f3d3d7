package main

import (
	"flag"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	paypal "github.com/superpayhub/superpay/plugins/paypal/sandbox"
)

// paypalKeys come by environment. The merchant and the webhook have ids that do
// when none are named; without a client id and secret there is no PayPal.
type paypalKeys struct{ clientID, secret, merchantID, webhookID string }

const (
	paypalMerchantID = "SANDB2XSELLER"
	paypalWebhookID  = "1SANDBXWEBHOOK001"
)

// paypalRules are how the PayPal sandbox behaves, for people who want to see
// the rarer cases by hand.
type paypalRules struct {
	noDisputes, platform, strict bool
	readLag                      time.Duration
	refunds                      paypal.RefundRules
}

func (r *paypalRules) register(flags *flag.FlagSet) {
	flags.BoolVar(&r.noDisputes, "paypal-no-disputes", false, "the REST app may not read disputes (403); may be changed later by PUT /paypal/_sandbox/permissions")
	flags.Func("paypal-refunds", "what becomes of refunds: `completed`, pending or failed; may be changed later by PUT /paypal/_sandbox/refunds", func(status string) error {
		r.refunds.Status = strings.ToUpper(status)
		return r.refunds.Check()
	})
	flags.BoolVar(&r.refunds.KeepFees, "paypal-keep-fees", false, "give no part of the fee back with a refund; may be changed later by PUT /paypal/_sandbox/refunds")
	flags.DurationVar(&r.readLag, "paypal-read-lag", 0, "how long reads of orders and payments answer as before a change, at most 2m")
	flags.BoolVar(&r.platform, "paypal-platform", false, "the merchant is a platform, which is also sent CHECKOUT.ORDER.COMPLETED")
	flags.BoolVar(&r.strict, "paypal-strict", false, "refuse requests with fields that PayPal does not know and would ignore")
}

func readPayPalKeys(env func(string) string) paypalKeys {
	or := func(name, otherwise string) string {
		if value := env(name); value != "" {
			return value
		}
		return otherwise
	}
	return paypalKeys{
		clientID: env("SANDBOX_PAYPAL_CLIENT_ID"), secret: env("SANDBOX_PAYPAL_SECRET"),
		merchantID: or("SANDBOX_PAYPAL_MERCHANT_ID", paypalMerchantID), webhookID: or("SANDBOX_PAYPAL_WEBHOOK_ID", paypalWebhookID),
	}
}

// wanted is true with half of the keys too, so that a forgotten half is an
// error and not a provider that is missing.
func (k paypalKeys) wanted() bool { return k.clientID != "" || k.secret != "" }

// openPayPal tells the root certificate of its callbacks in the first line on
// stdout and in the state folder, for the plugin's settings: no other program
// knows that root.
func openPayPal(o options, base string, logger *slog.Logger) (stand, error) {
	url := base + "/paypal"
	server, err := paypal.New(paypal.Options{
		ClientID: o.paypal.clientID, ClientSecret: o.paypal.secret, MerchantID: o.paypal.merchantID, WebhookID: o.paypal.webhookID,
		WebhookURL: o.paypalWebhookURL, PublicURL: url, StateFile: stateFile(o.stateDir, "paypal"),
		Logger: logger.With("stand-in", "paypal"), Disable: o.disable,
		NoDisputes: o.paypalRules.noDisputes, Refunds: o.paypalRules.refunds, ReadLag: o.paypalRules.readLag,
		Platform: o.paypalRules.platform, Strict: o.paypalRules.strict,
	})
	if err != nil {
		return stand{}, err
	}
	if o.stateDir != "" {
		err := os.MkdirAll(o.stateDir, 0o700)
		if err == nil {
			err = os.WriteFile(filepath.Join(o.stateDir, "paypal-ca.pem"), server.CA(), 0o600)
		}
		if err != nil {
			_ = server.Close()
			return stand{}, err
		}
	}
	return stand{
		Name: "paypal", Title: "PayPal", API: url, Dashboard: url + "/dashboard", handler: server, close: server.Close,
		says: map[string]string{"paypal_ca": string(server.CA())},
	}, nil
}
