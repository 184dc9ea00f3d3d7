package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"github.com/superpayhub/superpay/sdk"
)

func pluginInstallCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "install PATH",
		Short: "Put a built plugin into the plugin folder, under its own name",
		Long: `Put a built plugin into the plugin folder, under its own name.

It is started for a moment first, and asked what it is: what is no plugin, or of
another version of the contract, is refused and nothing changes. It takes the place
of an earlier one in one step. A hub that runs goes over to it (plugins.replaced).`,
		Example: "  hub plugin install ./acme",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			h, err := load(c.ErrOrStderr())
			if err != nil {
				return err
			}
			return h.installPlugin(c.Context(), args[0], c.OutOrStdout())
		},
	}
}

func (h *hub) installPlugin(ctx context.Context, path string, out io.Writer) error {
	path, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	description, err := h.describePlugin(ctx, path)
	if err != nil {
		return fmt.Errorf("%s was not installed: %w", path, err)
	}
	to := filepath.Join(h.config.PluginsDir, description.Name)
	if runtime.GOOS == "windows" {
		to += ".exe"
	}
	done := "installed"
	if old, err := os.Stat(to); err == nil {
		done = "replaced"
		if source, err := os.Stat(path); err == nil && os.SameFile(old, source) {
			return fmt.Errorf("%s is in the plugin folder already", path)
		}
	}
	if err := copyExecutable(path, to); err != nil {
		return fmt.Errorf("%s was not installed: %w", path, err)
	}
	fmt.Fprintf(out, "%s %s %s as %s\n\n", done, description.Name, description.Version, to)
	fmt.Fprintf(out, "Set a provider up with it in the console, or by the hub's environment or file:\n\n    HUB_PROVIDERS__%s__PLUGIN=%s\n", strings.ToUpper(description.Name), description.Name)
	for _, f := range description.Settings {
		if f.Required {
			fmt.Fprintf(out, "    HUB_PROVIDERS__%s__SETTINGS__%s=...    # %s\n", strings.ToUpper(description.Name), strings.ToUpper(f.Name), f.Title)
		}
	}
	return nil
}

// describePlugin starts a plugin where it lies, and asks what it is.
func (h *hub) describePlugin(ctx context.Context, path string) (sdk.Description, error) {
	if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
		return sdk.Description{}, errors.Join(errors.New("it is no file"), err)
	}
	registry, err := h.registry(filepath.Dir(path), slog.New(slog.DiscardHandler), nil)
	if err != nil {
		return sdk.Description{}, err
	}
	return registry.Describe(ctx, strings.TrimSuffix(filepath.Base(path), ".exe"))
}

// copyExecutable copies a file beside its place and renames it: whoever looks sees
// the old one or the new one, whole.
func copyExecutable(from, to string) error {
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil { //nolint:gosec // programs, which the hub's user has to read
		return err
	}
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	part, err := os.CreateTemp(filepath.Dir(to), ".installing-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(part.Name()) }() // it is gone if all went well
	_, err = io.Copy(part, in)
	err = errors.Join(err, part.Sync(), part.Close())
	if err == nil {
		err = os.Chmod(part.Name(), 0o755) //nolint:gosec // likewise
	}
	if err == nil {
		err = os.Rename(part.Name(), to)
	}
	return err
}
