package main

import (
	"errors"
	"strings"
	"testing"

	"github.com/superpayhub/superpay/sdk"
)

func TestSettings_WhatIsWrongIsNamed(t *testing.T) {
	root := newCA(t).pem
	for _, c := range []struct{ field, value, live string }{
		{"mode", "", ""},
		{"mode", "sandbox", ""},
		{"client_id", "", ""},
		{"client_id", "a b c d", ""},
		{"client_secret", "", ""},
		{"client_secret", "very secret\nvalue", ""},
		{"webhook_id", "", ""},
		{"webhook_id", "WEBHOOK_ID", ""},
		{"merchant_id", "shop@example.com", ""},
		{"api_url", "http://api.example.com", ""},
		{"api_url", "ftp://127.0.0.1", ""},
		{"api_url", "https://api-m.paypal.com", ""},
		{"api_url", "https://api-m.sandbox.paypal.com", "live"},
		{"api_url", "http://127.0.0.1:1", "live"},
		{"api_url", "https://user:pw@x.example", ""},
		{"callback_check", "never", ""},
		{"callback_certs", "no pem", ""},
		{"callback_certs", root, "live"},
		{"callback_cert_host", "localhost:1", "live"},
		{"callback_cert_host", "http://localhost:1", ""},
		{"callback_cert_host", "a/b", ""},
	} {
		in := testSettings("")
		if c.live != "" {
			in["mode"] = c.live
		}
		in[c.field] = c.value
		_, err := New().Configure(t.Context(), in)
		var wrong *sdk.SettingsError
		if !errors.As(err, &wrong) || wrong.Field != c.field || c.value != "" && strings.Contains(wrong.Reason, c.value) && c.field == "client_secret" {
			t.Errorf("%s=%q: %v", c.field, c.value, err)
		}
	}
}

func TestSettings_DefaultsFollowTheMode(t *testing.T) {
	for mode, want := range map[string]string{"live": liveURL, "test": testURL} {
		in := testSettings("")
		in["mode"] = mode
		s, err := parseSettings(in)
		if err != nil || s.apiURL != want || !s.askPayPal {
			t.Errorf("%s: %+v %v", mode, s, err)
		}
	}
	account, err := New().Configure(t.Context(), testSettings("http://127.0.0.1:9/paypal/"))
	if err != nil || account != (sdk.Account{ID: testMerchant, Mode: sdk.Test}) {
		t.Errorf("%+v %v", account, err)
	}
}
