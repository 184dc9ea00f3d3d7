package config

import (
	"net/url"
	"strings"

	"github.com/superpayhub/superpay/hub/internal/telemetry"
)

// Secrets are the values that must not reach a log. Which of a provider's
// settings are secret only its plugin knows for sure; until it has said so
// (providers.Options.Hide), the names decide.
func (c *Config) Secrets() []string {
	secrets := list(c.EncryptionKey)
	if secret := c.Console.OIDC.ClientSecret; secret != "" {
		secrets = append(secrets, secret)
	}
	if u, err := url.Parse(c.Database.URL); err == nil {
		if password, ok := u.User.Password(); ok {
			secrets = append(secrets, password)
		}
	}
	for _, p := range c.Providers {
		for name, value := range p.Settings {
			if telemetry.SecretName(name) {
				secrets = append(secrets, list(value)...)
			}
		}
	}
	return secrets
}

// list is a value and, where several are joined by commas, each of them.
func list(value string) []string {
	values := []string{value}
	if strings.Contains(value, ",") {
		for part := range strings.SplitSeq(value, ",") {
			values = append(values, strings.TrimSpace(part))
		}
	}
	return values
}
