package main

import (
	"net"
	"net/url"
	"regexp"
	"strings"

	stripe "github.com/stripe/stripe-go/v76"

	"github.com/superpayhub/superpay/sdk"
)

// settings are the checked values of a configured provider.
type settings struct {
	secretKey      string
	webhookSecrets []string
	publishableKey string
	apiURL         string
	mode           sdk.Mode
}

var settingsFields = []sdk.Field{
	{
		Name: "secret_key", Title: "Secret key", Required: true, Secret: true,
		Help: "sk_test_..., sk_live_..., or a restricted key rk_... that may write Checkout Sessions, PaymentIntents, Charges and Refunds and read Disputes and the Balance. Its prefix decides between test and live.",
	},
	{
		Name: "webhook_secret", Title: "Webhook signing secret", Required: true, Secret: true, MaxLen: 2000,
		Help: "whsec_... of the endpoint, or of `stripe listen`. Separate several by commas while one is rolled. Create the endpoint with API version " + stripe.APIVersion + ", else every event costs a read.",
	},
	{
		Name: "publishable_key", Title: "Publishable key", Public: true,
		Help: "pk_test_... or pk_live_..., for embedded checkout in the browser and for Apple Pay.",
	},
	{
		// Apple asks the merchant's own domain for it, so the hub serves it.
		Name: "apple_pay_domain_association", Title: "Apple Pay domain association", Public: true, MaxLen: 10_000,
		Help: "The text of the file that Apple looks for at /.well-known/apple-developer-merchantid-domain-association, for Apple Pay in browsers. Not needed in apps.",
	},
	{
		Name: "api_url", Title: "API address", Default: stripe.APIURL,
		Help: "Leave as it is, but for a stand-in. Plain http only for loopback and test mode.",
	},
}

var (
	secretKeyForm      = regexp.MustCompile(`^[sr]k_(test|live)_[A-Za-z0-9_]{8,}$`)
	publishableKeyForm = regexp.MustCompile(`^pk_(test|live)_[A-Za-z0-9_]{8,}$`)
	// An empty secret verifies any signature that was made with an empty
	// secret, so a secret must be there and must not be guessable.
	webhookSecretForm = regexp.MustCompile(`^whsec_[A-Za-z0-9_+/=-]{8,}$`)
)

// parseSettings checks all settings. Errors name the field, never the value.
func parseSettings(in sdk.Settings) (settings, error) {
	s := settings{
		secretKey:      strings.TrimSpace(in["secret_key"]),
		publishableKey: strings.TrimSpace(in["publishable_key"]),
		apiURL:         strings.TrimSpace(in["api_url"]),
	}
	key := secretKeyForm.FindStringSubmatch(s.secretKey)
	if key == nil {
		return s, wrong("secret_key", "must be a secret or restricted key: sk_test_..., sk_live_..., rk_test_... or rk_live_...")
	}
	s.mode = sdk.Mode(key[1])

	for secret := range strings.SplitSeq(in["webhook_secret"], ",") {
		secret = strings.TrimSpace(secret)
		if !webhookSecretForm.MatchString(secret) {
			return s, wrong("webhook_secret", "every secret must begin with whsec_ and be complete")
		}
		s.webhookSecrets = append(s.webhookSecrets, secret)
	}

	if s.publishableKey != "" {
		pub := publishableKeyForm.FindStringSubmatch(s.publishableKey)
		if pub == nil {
			return s, wrong("publishable_key", "must begin with pk_test_ or pk_live_")
		}
		if pub[1] != string(s.mode) {
			return s, wrong("publishable_key", "is of another mode than the secret key")
		}
	}
	if s.apiURL == "" {
		s.apiURL = stripe.APIURL
	}
	return s, checkURL(s.apiURL, s.mode)
}

// checkURL keeps the secret key from travelling in the clear.
func checkURL(raw string, mode sdk.Mode) error {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return wrong("api_url", "must be a plain address such as "+stripe.APIURL)
	}
	switch u.Scheme {
	case "https":
		return nil
	case "http":
		ip := net.ParseIP(u.Hostname())
		if u.Hostname() != "localhost" && (ip == nil || !ip.IsLoopback()) {
			return wrong("api_url", "plain http is only for loopback")
		}
		if mode != sdk.Test {
			return wrong("api_url", "plain http is only for test keys")
		}
		return nil
	}
	return wrong("api_url", "must be https")
}

func wrong(field, reason string) error { return &sdk.SettingsError{Field: field, Reason: reason} }
