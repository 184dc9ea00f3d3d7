package chaos

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// app is one of the apps that share the hubs, with its key and the receiver of
// its notifications.
type app struct {
	name, key string
	receiver  *receiver
}

// otherApp is the second app. The first one comes with the environment.
const otherApp = "market"

// openApps makes the second app and gives each a webhook endpoint.
func (c *campaign) openApps() error {
	out, err := c.command("app", "create", otherApp)
	if err != nil {
		return err
	}
	c.apps = []*app{{name: "shop", key: c.house.APIKey}, {name: otherApp, key: strings.TrimSpace(out)}}
	for i, a := range c.apps {
		a.receiver, err = openReceiver(c.Seed + uint64(i))
		if err != nil {
			return err
		}
		if err := c.addEndpoint(a); err != nil {
			return err
		}
	}
	return nil
}

func (c *campaign) addEndpoint(a *app) error {
	got, err := c.call(c.ctx, a, c.house.BaseURL(), http.MethodPost, "/v1/webhook_endpoints", "", map[string]any{"url": a.receiver.url})
	if err != nil {
		return err
	}
	var endpoint struct{ Secret string }
	if err := json.Unmarshal([]byte(got.raw), &endpoint); err != nil || endpoint.Secret == "" {
		return fmt.Errorf("add a webhook endpoint: status %d: %.200s", got.status, got.raw)
	}
	return a.receiver.expect(endpoint.Secret)
}

// closeApps ends the receivers.
func (c *campaign) closeApps() {
	for _, a := range c.apps {
		if a.receiver != nil {
			a.receiver.close()
		}
	}
}

// stranger is an app that the order does not belong to.
func (o *order) stranger() *app {
	i := slices.Index(o.c.apps, o.app)
	return o.c.apps[(i+1)%len(o.c.apps)]
}

// peek reads the order as another app. It must get the answer of an id that
// does not exist.
func (o *order) peek() {
	if o.last.ID == "" {
		return
	}
	ctx, cancel := context.WithTimeout(o.c.ctx, 5*time.Second)
	defer cancel()
	got, err := o.c.call(ctx, o.stranger(), o.hub(), http.MethodGet, "/v1/orders/"+o.last.ID, "", nil)
	if err == nil && got.status != http.StatusNotFound && got.status != http.StatusServiceUnavailable {
		o.fail("another app's read was answered %d: %.200s", got.status, got.raw)
	}
}

// command runs a command of the hub as an operator does, beside the hubs, and
// returns what it printed. An error names the exit code and the last line.
func (c *campaign) command(args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(c.ctx, time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(c.BinDir, "hub"), args...)
	cmd.Env = append(c.house.Environment(), "HUB_LOG__LEVEL=error")
	out, err := cmd.Output()
	var ended *exec.ExitError
	if errors.As(err, &ended) {
		err = fmt.Errorf("hub %s: %w: %s", strings.Join(args, " "), err, lastLine(ended.Stderr))
	}
	return string(out), err
}

func lastLine(text []byte) string {
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return lines[len(lines)-1]
}

// fingerprint is the digest of an order as one version of it shows it. Two
// renderings of one version must have the same fingerprint.
type fingerprint [sha256.Size]byte

// shown decodes an order's JSON and returns its content without what may differ
// between an answer and a notification, and without the version itself.
func shown(raw []byte) map[string]any {
	var order map[string]any
	if json.Unmarshal(raw, &order) != nil {
		return nil
	}
	delete(order, "next_action")
	attempts, _ := order["attempts"].([]any)
	for _, a := range attempts {
		if attempt, ok := a.(map[string]any); ok {
			delete(attempt, "next_action")
		}
	}
	delete(order, "version")
	delete(order, "updated_at")
	return order
}

func fingerprintOf(order map[string]any) fingerprint {
	text, _ := json.Marshal(order) // plain data: cannot fail
	return sha256.Sum256(text)
}

// differences names the fields in which two renderings of an order differ.
func differences(a, b map[string]any) string {
	var names []string
	for name := range a {
		one, _ := json.Marshal(a[name])
		other, _ := json.Marshal(b[name])
		if string(one) != string(other) {
			names = append(names, fmt.Sprintf("%s %.200s and %.200s", name, one, cmp.Or(string(other), "nothing")))
		}
	}
	slices.Sort(names)
	return strings.Join(names, "; ")
}
