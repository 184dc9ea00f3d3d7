package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/superpayhub/superpay/hub/internal/devpg/filelock"
	"github.com/superpayhub/superpay/hub/internal/process"
	"github.com/superpayhub/superpay/hub/internal/providers"
	"github.com/superpayhub/superpay/sdk"
	"github.com/superpayhub/superpay/sdk/plugintest"
	"github.com/superpayhub/superpay/sdk/plugintest/standin"
)

// devSandbox is the plugin's sandbox while it runs; the zero value does not.
type devSandbox struct {
	url   string
	run   *process.Process
	began string // what it was started from and with
}

// ended tells, in time, that the sandbox ended by itself.
func (s devSandbox) ended() <-chan error {
	if s.run == nil {
		return nil
	}
	ended := make(chan error, 1)
	select {
	case <-s.run.Done():
		ended <- s.run.Err()
	default:
	}
	return ended
}

func (s devSandbox) stop() {
	if s.run != nil {
		s.run.Kill()
	}
}

// claim finds out the plugin's name and makes us the only one that develops it.
func (d *pluginDev) claim(ctx context.Context) (unlock func(), err error) {
	description, err := d.h.describePlugin(ctx, d.built("plugin"))
	if err != nil {
		return nil, fmt.Errorf("what was built in %s is no plugin: %w", d.source, err)
	}
	d.name = description.Name
	if !providers.ValidName(d.name) {
		return nil, fmt.Errorf("the plugin calls itself %q: Describe must return a Name of a-z, 0-9 and _, at most 31 characters, a letter first", d.name)
	}
	_, d.theirs = d.h.config.Providers[d.name]
	if err := os.MkdirAll(d.h.config.PluginDevDir, 0o755); err != nil { //nolint:gosec // programs, which the hub's user has to read
		return nil, err
	}
	lock, err := filelock.Open(filepath.Join(d.h.config.PluginDevDir, d.name+".lock"))
	if err != nil {
		return nil, err
	}
	if err := lock.TryExclusive(); err != nil {
		note := lock.Note()
		return nil, errors.Join(fmt.Errorf("process %s runs `hub plugin dev` for %s already: stop it first", note, d.name), lock.Close())
	}
	return func() { _ = lock.Close() }, lock.SetNote(fmt.Sprint(os.Getpid()))
}

// use has the hub use what was built, if that is another plugin or sandbox than
// before, and reports whether it is. A plugin that refuses its settings is not used.
func (d *pluginDev) use(ctx context.Context) (changed bool, err error) {
	was := d.sandbox.began
	settings, err := d.settings(ctx)
	if err != nil {
		return false, err
	}
	changed = d.sandbox.began != was
	program := d.built("plugin")
	if err := d.try(ctx, program, settings); err != nil {
		return changed, err
	}
	kept, err := d.kept(ctx)
	if err != nil {
		return changed, err
	}
	if now := checksum(program); !bytes.Equal(now, d.plugin) {
		if err := copyExecutable(program, d.installed()); err != nil {
			return changed, err
		}
		d.plugin, changed = now, true
	}
	if d.theirs {
		return changed, nil
	}
	d.used = true
	return changed, d.keep(ctx, kept, settings)
}

// try has the plugin say what it is and take its settings, before the hub sees it.
func (d *pluginDev) try(ctx context.Context, program string, settings sdk.Settings) error {
	registry, err := d.h.registry([]string{d.work}, slog.New(slog.DiscardHandler), nil)
	if err != nil {
		return err
	}
	plugin := strings.TrimSuffix(filepath.Base(program), ".exe")
	description, err := registry.Describe(ctx, plugin)
	if err != nil {
		return fmt.Errorf("the plugin does not start: %w", err)
	}
	if description.Name != d.name {
		return fmt.Errorf("the plugin calls itself %s now, and was %s: end this and start it again, so that the provider gets the new name", description.Name, d.name)
	}
	account, err := registry.Try(ctx, providers.Config{Name: d.name, Plugin: plugin, Settings: settings}, false)
	switch {
	case err != nil:
		return fmt.Errorf("the plugin refuses the settings of exam.json: %w", err)
	case account.Mode == sdk.Live:
		return errors.New("exam.json's settings are of a live account: `hub plugin dev` pays at a sandbox only")
	}
	return nil
}

// settings are exam.json's for the sandbox, which runs when it returns.
func (d *pluginDev) settings(ctx context.Context) (sdk.Settings, error) {
	if d.theirs {
		return sdk.Settings(d.h.config.Providers[d.name].Settings), nil
	}
	exam := filepath.Join(d.source, "exam.json")
	paper, err := plugintest.ReadPaper(exam)
	if err != nil {
		return nil, err
	}
	args, env, err := paper.Start()
	if err != nil {
		return nil, err
	}
	program := d.built("sandbox")
	sum := checksum(program)
	if sum == nil {
		return nil, fmt.Errorf("%s has no %s, the program of its sandbox: `hub plugin new NAME` writes one to begin with", d.source, sandboxSource)
	}
	began := fmt.Sprintf("%x %q %q", sum, args, env)
	if d.sandbox.began != began {
		if d.sandbox.run != nil {
			fmt.Fprintln(d.out, "The sandbox changed: it starts anew and forgets its payments.")
		}
		d.sandbox.stop()
		d.sandbox = devSandbox{}
		url, run, err := startSandbox(ctx, program, exam)
		if err != nil {
			return nil, err
		}
		d.sandbox = devSandbox{url: url, run: run, began: began}
	}
	if err := (standin.Client{BaseURL: d.sandbox.url}).SetWebhook(ctx, d.house.BaseURL+"/callback/"+d.name); err != nil {
		return nil, fmt.Errorf("the sandbox does not take the hub's address for callbacks (PUT %swebhook): %w", standin.DoorPrefix, err)
	}
	return paper.SettingsAt(ctx, d.sandbox.url)
}

// installed is where the hub finds the plugin.
func (d *pluginDev) installed() string {
	return filepath.Join(d.h.config.PluginDevDir, d.name+filepath.Ext(d.built("plugin")))
}

// withdraw takes the plugin away again: one that is installed, or built with the hub,
// counts from then on.
func (d *pluginDev) withdraw() error {
	if err := os.Remove(d.installed()); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// awaitUp waits until the hub says that the provider is up.
func (d *pluginDev) awaitUp(ctx context.Context) error {
	deadline := time.Now().Add(providerStart * 2)
	status, err := "", error(nil)
	for time.Now().Before(deadline) {
		if status, err = d.status(ctx); status == providers.StatusUp {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(sourceEvery):
		}
	}
	if err != nil {
		return fmt.Errorf("the hub at %s does not say what its providers are: does `hub dev` still run? %w", d.house.BaseURL, err)
	}
	return fmt.Errorf("the hub does not have provider %s up (%s): its page says why, %s/providers/%s", d.name, status, d.house.Console.URL, d.name)
}

// status is how the provider stands on the hub.
func (d *pluginDev) status(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, d.house.BaseURL+"/v1/providers", nil)
	if err != nil {
		return "", err
	}
	req.Header.Set("Authorization", "Bearer "+d.house.APIKey)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	var page struct {
		Data []struct{ Name, Status string }
	}
	if res.StatusCode != http.StatusOK {
		return "", fmt.Errorf("GET /v1/providers answers %s", res.Status)
	}
	if err := json.NewDecoder(res.Body).Decode(&page); err != nil {
		return "", err
	}
	for _, p := range page.Data {
		if p.Name == d.name {
			return p.Status, nil
		}
	}
	return "not there yet", nil
}
