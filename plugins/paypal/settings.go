package main

import (
	"crypto/x509"
	"net"
	"net/url"
	"regexp"
	"strings"

	"github.com/superpayhub/superpay/sdk"
)

// PayPal's addresses. The library's constants are the older names of the same.
const (
	liveURL = "https://api-m.paypal.com"
	testURL = "https://api-m.sandbox.paypal.com"
)

// settings are the checked values of a configured provider.
type settings struct {
	clientID     string
	clientSecret string
	webhookID    string
	merchantID   string
	apiURL       string
	mode         sdk.Mode
	askPayPal    bool           // what cannot be checked offline
	certRoots    *x509.CertPool // nil: the system's
	certHost     string         // of a stand-in
}

// How callbacks are checked.
const (
	checkAuto    = "auto"
	checkOffline = "offline"
)

var settingsFields = []sdk.Field{
	{
		Name: "mode", Title: "Mode", Required: true, Options: []string{string(sdk.Live), string(sdk.Test)},
		Help: "live for real money, test for PayPal's sandbox. A PayPal client id does not tell which of the two it is of.",
	},
	{
		Name: "client_id", Title: "Client id", Required: true, Public: true,
		Help: "Of the REST app. The browser needs it to load PayPal's buttons.",
	},
	{Name: "client_secret", Title: "Client secret", Required: true, Secret: true, Help: "Of the REST app."},
	{
		Name: "webhook_id", Title: "Webhook id", Required: true, FromConnect: true,
		Help: "PayPal's id of the webhook that calls this hub; every signature covers it. Left empty, connecting makes the webhook, with the events that it needs.",
	},
	{
		Name: "merchant_id", Title: "Merchant id", Public: true,
		Help: "Of the account that is paid. Without it the flow client is refused: nothing else proves that a payment made in the browser went to this account.",
	},
	{
		Name: "api_url", Title: "API address",
		Help: "Leave empty, but for a stand-in. Plain http only for loopback and test mode.",
	},
	{
		Name: "callback_check", Title: "Check of callbacks", Default: checkAuto, Options: []string{checkAuto, checkOffline},
		Help: "auto: by PayPal's certificate, and where that cannot be had, by asking PayPal. offline: never ask.",
	},
	{
		Name: "callback_certs", Title: "Root of a stand-in", MaxLen: 20_000,
		Help: "Test mode only: PEM certificates that are trusted to sign callbacks, instead of the system's.",
	},
	{
		Name: "callback_cert_host", Title: "Certificates of a stand-in",
		Help: "Test mode only: host or host:port from which certificates may come too. Plain http only for loopback.",
	},
}

var (
	credentialForm = regexp.MustCompile(`^[A-Za-z0-9_.-]{4,200}$`)
	// The webhook simulator signs with the literal WEBHOOK_ID; anybody can make
	// it do so, thus that is no webhook's id.
	webhookForm  = regexp.MustCompile(`^[A-Za-z0-9]{1,50}$`)
	merchantForm = regexp.MustCompile(`^[2-9A-HJ-NP-Z]{13}$`)
)

// parseSettings checks all settings. Errors name the field, never the value.
func parseSettings(in sdk.Settings) (settings, error) {
	s, err := parseConnectSettings(in)
	if err == nil && s.webhookID == "" {
		err = wrong("webhook_id", webhookWanted)
	}
	return s, err
}

const webhookWanted = "must be the id that PayPal shows beside the webhook: letters and digits"

// parseConnectSettings checks all settings as Connect has them: the webhook's id
// may be missing, for Connect finds it out.
func parseConnectSettings(in sdk.Settings) (settings, error) {
	get := func(name string) string { return strings.TrimSpace(in[name]) }
	s := settings{
		clientID: get("client_id"), clientSecret: get("client_secret"), webhookID: get("webhook_id"),
		merchantID: get("merchant_id"), apiURL: strings.TrimRight(get("api_url"), "/"), mode: sdk.Mode(get("mode")),
		certHost: get("callback_cert_host"),
	}
	switch {
	case s.mode != sdk.Live && s.mode != sdk.Test:
		return s, wrong("mode", "must be live or test")
	case !credentialForm.MatchString(s.clientID):
		return s, wrong("client_id", "must be the client id of a PayPal REST app")
	case !credentialForm.MatchString(s.clientSecret):
		return s, wrong("client_secret", "must be the secret of a PayPal REST app")
	case s.webhookID != "" && !webhookForm.MatchString(s.webhookID):
		return s, wrong("webhook_id", webhookWanted)
	case s.merchantID != "" && !merchantForm.MatchString(s.merchantID):
		return s, wrong("merchant_id", "must be PayPal's 13 letters and digits (as 7DVPP5Q2RZJQY), not an e-mail address")
	}
	switch get("callback_check") {
	case "", checkAuto:
		s.askPayPal = true
	case checkOffline:
	default:
		return s, wrong("callback_check", "must be auto or offline")
	}
	if err := s.standIn(get("callback_certs")); err != nil {
		return s, err
	}
	if s.apiURL == "" {
		s.apiURL = map[sdk.Mode]string{sdk.Live: liveURL, sdk.Test: testURL}[s.mode]
	}
	return s, checkURL(s.apiURL, s.mode)
}

// standIn checks what only a stand-in needs. Whoever could set it in live mode
// could sign callbacks.
func (s *settings) standIn(roots string) error {
	if roots != "" {
		if s.mode != sdk.Test {
			return wrong("callback_certs", "is only for test mode")
		}
		s.certRoots = x509.NewCertPool()
		if !s.certRoots.AppendCertsFromPEM([]byte(roots)) {
			return wrong("callback_certs", "must be certificates in PEM")
		}
	}
	if s.certHost == "" {
		return nil
	}
	if s.mode != sdk.Test {
		return wrong("callback_cert_host", "is only for test mode")
	}
	if u, err := url.Parse("https://" + s.certHost); err != nil || u.Host != s.certHost || u.Hostname() == "" {
		return wrong("callback_cert_host", "must be a host, or host:port")
	}
	return nil
}

// checkURL keeps the client secret from travelling in the clear, and from the
// other mode's server.
func checkURL(raw string, mode sdk.Mode) error {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return wrong("api_url", "must be a plain address such as "+liveURL)
	}
	switch {
	case u.Scheme == "http" && mode == sdk.Test && isLoopback(u.Hostname()):
		return nil
	case u.Scheme == "http":
		return wrong("api_url", "plain http is only for loopback, in test mode")
	case u.Scheme != "https":
		return wrong("api_url", "must be https")
	}
	sandbox, paypal := strings.HasSuffix(u.Hostname(), ".sandbox.paypal.com"), strings.HasSuffix(u.Hostname(), ".paypal.com")
	if paypal && sandbox != (mode == sdk.Test) {
		return wrong("api_url", "is of another mode")
	}
	return nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func wrong(field, reason string) error { return &sdk.SettingsError{Field: field, Reason: reason} }
