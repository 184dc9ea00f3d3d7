package dev

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

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

// Info is what DATA_DIR/dev.json says of a running house.
type Info struct {
	Pid         int     `json:"pid"`
	BaseURL     string  `json:"base_url"`
	APIKey      string  `json:"api_key"`
	SandboxURL  string  `json:"sandbox_url"`
	ShopURL     string  `json:"shop_url"`
	DatabaseURL string  `json:"database_url"`
	Console     Console `json:"console"`
}

// Environment is what a hub of the house that runs on the data folder is
// configured with, for commands beside it: its database and its keys.
func Environment(dataDir, binDir string) ([]string, error) {
	path := filepath.Join(dataDir, "dev.json")
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("nothing runs on the data folder %s: start it with `hub dev` (make run), or set DATA_DIR to the folder of the one that runs", dataDir)
	}
	var where Info
	if err == nil {
		err = json.Unmarshal(text, &where)
	}
	if err != nil {
		return nil, fmt.Errorf("%s cannot be read: %w", path, err)
	}
	k, err := loadKeys(dataDir)
	if err != nil {
		return nil, err
	}
	base, err := url.Parse(where.BaseURL)
	if err != nil {
		return nil, fmt.Errorf("%s: base_url: %w", path, err)
	}
	h := &House{keys: k, DatabaseURL: where.DatabaseURL, SandboxURL: where.SandboxURL, PayPal: k.PayPal}
	h.options = Options{BinDir: binDir, DataDir: dataDir, BasePath: base.Path}
	vars := map[string]string{} // of two with one name, the last counts
	for _, pair := range h.hubEnvironment(where.BaseURL, where.DatabaseURL) {
		name, value, _ := strings.Cut(pair, "=")
		vars[name] = value
	}
	environ := make([]string, 0, len(vars))
	for name, value := range vars {
		environ = append(environ, name+"="+value)
	}
	return environ, nil
}

// Announce writes dev.json, which is gone again when the house is.
func (h *House) Announce() error {
	return writeJSON(h.infoFile(), Info{
		Pid: os.Getpid(), BaseURL: h.BaseURL(), APIKey: h.APIKey, SandboxURL: h.SandboxURL, ShopURL: h.ShopURL, DatabaseURL: h.DatabaseURL, Console: h.Console,
	})
}

func (h *House) infoFile() string { return filepath.Join(h.options.DataDir, "dev.json") }

func (h *House) withdraw() error {
	if err := os.Remove(h.infoFile()); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
