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
	secretKey       string
	webhookSecrets  []string
	webhookEndpoint string
	publishableKey  string
	apiURL          string
	mode            sdk.Mode
}

var settingsFields = []sdk.Field{
	{
		Name: "secret_key", Title: "Secret key", Required: true, Secret: true,
		Help: "sk_test_..., sk_live_..., or a restricted key rk_... that may write Checkout Sessions, PaymentIntents, Charges, Refunds and Webhook Endpoints, and read Disputes and Balance transaction sources. Its prefix decides between test and live.",
	},
	{
		Name: "webhook_secret", Title: "Webhook signing secret", Required: true, Secret: true, Several: true, MaxLen: 2000,
		FromConnect: true,
		Help:        "Empty for an endpoint that `hub provider connect` makes; else whsec_... of the endpoint, or of `stripe listen`. Separate several by commas while one is rolled. An endpoint of another API version than " + stripe.APIVersion + " costs a read for each event.",
	},
	{
		Name: "webhook_endpoint", Title: "Webhook endpoint", FromConnect: true,
		Help: "The id we_... of the endpoint that `hub provider connect` keeps right.",
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

// minKey is the shortest rest of a key after its prefix. Stripe's are longer by
// far; what is shorter was cut, or is an example.
const minKey = 8

var (
	secretKeyPrefix      = regexp.MustCompile(`^[sr]k_(test|live)_`)
	publishableKeyPrefix = regexp.MustCompile(`^pk_(test|live)_`)
	webhookSecretPrefix  = regexp.MustCompile(`^whsec_`)
	keyRest              = regexp.MustCompile(`^[A-Za-z0-9_]*$`)
	webhookEndpointForm  = regexp.MustCompile(`^we_[A-Za-z0-9_]+$`)
	webhookSecretRest    = regexp.MustCompile(`^[A-Za-z0-9_+/=-]*$`)
)

// doubt says in words what is wrong with the form of a key, or nothing. An
// empty webhook secret would verify any signature that was made with an empty
// one, so a secret must be there and must not be guessable.
func doubt(value string, prefix, rest *regexp.Regexp, begins string) string {
	start := prefix.FindString(value)
	switch after := value[len(start):]; {
	case value == "":
		return "is missing"
	case start == "" && strings.HasPrefix(value, "pk_"):
		return "is a publishable key; this one must begin with " + begins
	case start == "" && secretKeyPrefix.MatchString(value):
		return "is a secret key; this one must begin with " + begins
	case start == "" && strings.HasPrefix(value, "whsec_"):
		return "is a webhook signing secret; this one must begin with " + begins
	case start == "":
		return "must begin with " + begins
	case strings.Contains(after, "..."):
		return "is an example or was shortened: put the whole key in"
	case !rest.MatchString(after):
		return "holds characters that are in no key (a space, a quote or a line break?)"
	case len(after) < minKey:
		return "is too short to be a whole key: copy it again"
	}
	return ""
}

// parseSettings checks all settings of a provider that is put to work. Errors name
// the field, never the value.
func parseSettings(in sdk.Settings) (settings, error) {
	s, err := readSettings(in)
	if err == nil && len(s.webhookSecrets) == 0 {
		err = wrong("webhook_secret", "is missing")
	}
	return s, err
}

// readSettings checks what there is, and leaves open what Connect finds out.
func readSettings(in sdk.Settings) (settings, error) {
	s := settings{
		secretKey:       strings.TrimSpace(in["secret_key"]),
		webhookEndpoint: strings.TrimSpace(in["webhook_endpoint"]),
		publishableKey:  strings.TrimSpace(in["publishable_key"]),
		apiURL:          strings.TrimSpace(in["api_url"]),
	}
	if why := doubt(s.secretKey, secretKeyPrefix, keyRest, "sk_test_, sk_live_, rk_test_ or rk_live_"); why != "" {
		return s, wrong("secret_key", why)
	}
	s.mode = sdk.Mode(secretKeyPrefix.FindStringSubmatch(s.secretKey)[1])

	var err error
	if s.webhookSecrets, err = readWebhookSecrets(in["webhook_secret"]); err != nil {
		return s, err
	}
	if s.webhookEndpoint != "" && !webhookEndpointForm.MatchString(s.webhookEndpoint) {
		return s, wrong("webhook_endpoint", "must be an endpoint's id, we_...: leave it to `hub provider connect`")
	}
	if s.publishableKey != "" {
		if why := doubt(s.publishableKey, publishableKeyPrefix, keyRest, "pk_test_ or pk_live_"); why != "" {
			return s, wrong("publishable_key", why)
		}
		if publishableKeyPrefix.FindStringSubmatch(s.publishableKey)[1] != string(s.mode) {
			return s, wrong("publishable_key", "is of another mode than the secret key")
		}
	}
	if s.apiURL == "" {
		s.apiURL = stripe.APIURL
	}
	return s, checkURL(s.apiURL, s.mode)
}

// readWebhookSecrets returns the secrets between the commas, none of an empty text.
func readWebhookSecrets(text string) ([]string, error) {
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	var secrets []string
	for secret := range strings.SplitSeq(text, ",") {
		secret = strings.TrimSpace(secret)
		if why := doubt(secret, webhookSecretPrefix, webhookSecretRest, "whsec_"); why != "" {
			if strings.Contains(text, ",") {
				why = "of those between the commas, one " + why
			}
			return nil, wrong("webhook_secret", why)
		}
		secrets = append(secrets, secret)
	}
	return secrets, nil
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
		if !isLoopback(u.Hostname()) {
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

// isLoopback reports whether a host is this machine.
func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
