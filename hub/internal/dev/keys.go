package dev

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/superpayhub/superpay/hub/internal/access"
)

// keys are made once for a data folder: what is in its database can be read
// and called for again with the same ones only.
type keys struct {
	EncryptionKey        string `json:"encryption_key"`
	APIKey               string `json:"api_key"`
	StripeSecretKey      string `json:"stripe_secret_key"` // what the sandbox accepts
	StripePublishableKey string `json:"stripe_publishable_key"`
	StripeWebhookSecret  string `json:"stripe_webhook_secret"`
	PayPal               PayPal `json:"paypal"`
	ConsolePassword      string `json:"console_password"`
}

// loadKeys reads the folder's keys or makes them.
func loadKeys(dir string) (keys, error) {
	path := filepath.Join(dir, "keys.json")
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		raw := make([]byte, 32)
		_, _ = rand.Read(raw) // never fails
		k := keys{
			EncryptionKey:        base64.StdEncoding.EncodeToString(raw),
			APIKey:               access.NewKey(),
			StripeSecretKey:      "sk_test_" + rand.Text(),
			StripePublishableKey: "pk_test_" + rand.Text(),
			StripeWebhookSecret:  "whsec_" + rand.Text(),
			PayPal:               PayPal{rand.Text(), rand.Text(), "SANDB2XSELLER", rand.Text()[:17]},
			ConsolePassword:      access.NewPassword(),
		}
		return k, writeJSON(path, k)
	}
	if err != nil {
		return keys{}, err
	}
	var k keys
	if err := json.Unmarshal(text, &k); err != nil || k.EncryptionKey == "" || k.APIKey == "" {
		return k, fmt.Errorf("%s is damaged: restore it, or choose another data folder; what the database holds cannot be read without it", path)
	}
	if k.ConsolePassword == "" { // a folder from before there was a console
		k.ConsolePassword = access.NewPassword()
		return k, writeJSON(path, k)
	}
	return k, nil
}

// writeJSON replaces a file in one step, for us alone to read.
func writeJSON(path string, v any) error {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(path+".new", append(text, '\n'), 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}
