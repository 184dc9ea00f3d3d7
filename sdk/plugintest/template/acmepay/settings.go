package main

import (
	"net"
	"net/url"
	"regexp"
	"strings"

	"github.com/superpayhub/superpay/sdk"
)

// settings are the checked values of a configured provider.
type settings struct {
	apiKey        string
	signingSecret string
	apiURL        string
	account       string
	mode          sdk.Mode
}

const defaultURL = "https://api.acmepay.example"

var settingsFields = []sdk.Field{
	{Name: "api_key", Title: "API key", Required: true, Secret: true, Help: "key_test_... or key_live_...; it decides between test and live."},
	{Name: "signing_secret", Title: "Signing secret", Required: true, Secret: true, Help: "sign_..., which signs callbacks."},
	{Name: "account", Title: "Account", Help: "Your account's id at Acmepay, for people."},
	{Name: "api_url", Title: "API address", Default: defaultURL, Help: "Leave as it is, but for a stand-in."},
}

var (
	apiKeyForm        = regexp.MustCompile(`^key_(test|live)_[A-Za-z0-9]{8,}$`)
	signingSecretForm = regexp.MustCompile(`^sign_[A-Za-z0-9]{8,}$`)
)

// parseSettings checks all settings. Errors name the field, never the value.
func parseSettings(in sdk.Settings) (settings, error) {
	s := settings{
		apiKey:        strings.TrimSpace(in["api_key"]),
		signingSecret: strings.TrimSpace(in["signing_secret"]),
		account:       strings.TrimSpace(in["account"]),
		apiURL:        strings.TrimRight(strings.TrimSpace(in["api_url"]), "/"),
	}
	key := apiKeyForm.FindStringSubmatch(s.apiKey)
	if key == nil {
		return s, wrong("api_key", "must be a whole key, key_test_... or key_live_...")
	}
	s.mode = sdk.Mode(key[1])
	// An empty secret would verify whatever was signed with an empty secret.
	if !signingSecretForm.MatchString(s.signingSecret) {
		return s, wrong("signing_secret", "must be a whole secret, sign_...")
	}
	if s.apiURL == "" {
		s.apiURL = defaultURL
	}
	return s, checkURL(s.apiURL, s.mode)
}

// checkURL keeps the key from travelling in the clear.
func checkURL(raw string, mode sdk.Mode) error {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" {
		return wrong("api_url", "must be a plain address, as "+defaultURL)
	}
	ip := net.ParseIP(u.Hostname())
	loopback := u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
	if u.Scheme != "https" && !(u.Scheme == "http" && loopback && mode == sdk.Test) {
		return wrong("api_url", "must be https; plain http is only for a stand-in on this machine, with a test key")
	}
	return nil
}

func wrong(field, reason string) error { return &sdk.SettingsError{Field: field, Reason: reason} }
