package main

import (
	"errors"
	"strings"
	"testing"

	"github.com/superpayhub/superpay/sdk"
)

func TestConfigure_NamesTheFieldNeverTheValue(t *testing.T) {
	const marker = "hunter2hunter2"
	for name, c := range map[string]struct {
		set   sdk.Settings
		field string
	}{
		"no key":               {sdk.Settings{"secret_key": ""}, "secret_key"},
		"publishable as key":   {sdk.Settings{"secret_key": "pk_test_" + marker}, "secret_key"},
		"only a prefix":        {sdk.Settings{"secret_key": "sk_test_"}, "secret_key"},
		"neither mode":         {sdk.Settings{"secret_key": "sk_" + marker}, "secret_key"},
		"line break":           {sdk.Settings{"secret_key": "sk_test_" + marker + "\nX: y"}, "secret_key"},
		"no webhook secret":    {sdk.Settings{"webhook_secret": ""}, "webhook_secret"},
		"only commas":          {sdk.Settings{"webhook_secret": " , "}, "webhook_secret"},
		"trivial":              {sdk.Settings{"webhook_secret": "whsec_"}, "webhook_secret"},
		"second one empty":     {sdk.Settings{"webhook_secret": "whsec_" + marker + ","}, "webhook_secret"},
		"no prefix":            {sdk.Settings{"webhook_secret": marker}, "webhook_secret"},
		"publishable is live":  {sdk.Settings{"publishable_key": "pk_live_" + marker}, "publishable_key"},
		"publishable is other": {sdk.Settings{"publishable_key": marker}, "publishable_key"},
		"http elsewhere":       {sdk.Settings{"api_url": "http://example.com/" + marker}, "api_url"},
		"http and live": {sdk.Settings{
			"secret_key": "sk_live_" + marker, "publishable_key": "", "api_url": "http://127.0.0.1:1",
		}, "api_url"},
		"userinfo":     {sdk.Settings{"api_url": "https://u:" + marker + "@example.com"}, "api_url"},
		"no scheme":    {sdk.Settings{"api_url": "localhost:1234"}, "api_url"},
		"other scheme": {sdk.Settings{"api_url": "ftp://localhost/"}, "api_url"},
	} {
		t.Run(name, func(t *testing.T) {
			s := testSettings("https://api.stripe.com")
			for k, v := range c.set {
				s[k] = v
			}
			_, err := New().Configure(t.Context(), s)
			var wrong *sdk.SettingsError
			if !errors.As(err, &wrong) || wrong.Field != c.field {
				t.Fatalf("got %v, want field %s", err, c.field)
			}
			if strings.Contains(err.Error(), marker) {
				t.Errorf("the error holds the value: %v", err)
			}
		})
	}
}

func TestConfigure_SaysWhatIsWrongWithAKey(t *testing.T) {
	for _, c := range []struct{ field, value, want string }{
		{"secret_key", "sk_live_xxx", "is too short to be a whole key"},
		{"secret_key", "sk_test_abc", "is too short to be a whole key"},
		{"secret_key", "sk_test_...", "is an example"},
		{"secret_key", "pk_test_0123456789", "is a publishable key"},
		{"secret_key", "whsec_0123456789", "is a webhook signing secret"},
		{"secret_key", "sk_test_01234 56789", "characters that are in no key"},
		{"secret_key", "0123456789", "must begin with sk_test_"},
		{"secret_key", " ", "is missing"},
		{"publishable_key", "rk_live_0123456789", "is a secret key"},
		{"webhook_secret", "whsec_abc", "is too short to be a whole key"},
		{"webhook_secret", "whsec_0123456789,", "of those between the commas, one is missing"},
	} {
		s := testSettings("https://api.stripe.com")
		s[c.field] = c.value
		_, err := New().Configure(t.Context(), s)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %q: %v", c.field, c.value, err)
		}
	}
}

func TestConfigure_ModeComesFromTheKey(t *testing.T) {
	for key, want := range map[string]sdk.Mode{
		"sk_test_0123456789": sdk.Test, "rk_test_0123456789": sdk.Test,
		"sk_live_0123456789": sdk.Live, "rk_live_0123456789": sdk.Live,
	} {
		account, err := New().Configure(t.Context(), sdk.Settings{"secret_key": key, "webhook_secret": testSecret})
		if err != nil || account.Mode != want {
			t.Errorf("%s: %v %v", key[:8], account, err)
		}
	}
}
