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

	"github.com/superpayhub/superpay/hub/internal/providers"
	"github.com/superpayhub/superpay/sdk"
)

func pluginInstallCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "install PATH",
		Short: "Put a built plugin into a plugin folder, under its own name",
		Long: `Put a built plugin into a plugin folder, under its own name: into the first folder of
plugins.dir that it may write to. Without that setting this is a folder that no build
empties: /var/lib/superpay/plugins for root, else ~/.local/share/superpay/plugins;
with --dev it is "plugins" in the data folder of the running "hub dev".

The plugin is started for a moment first, and asked what it is: what is no plugin, or
of another version of the contract, is refused and nothing changes. It takes the place
of an earlier one in one step. A hub that runs goes over to it (plugins.replaced).`,
		Example: "  hub plugin install ./acme",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			h, err := loadPlugins(c.ErrOrStderr())
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
	folder, err := writableFolder(h.config.PluginDirs)
	if err != nil {
		return fmt.Errorf("%s was not installed: %w", path, err)
	}
	to := filepath.Join(folder, description.Name)
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
	fmt.Fprintf(out, "%s %s %s as %s\n", done, description.Name, description.Version, to)
	h.printHidden(out, description.Name, to)
	fmt.Fprintf(out, "\nSet a provider up with it in the console, or by the hub's environment or file:\n\n    HUB_PROVIDERS__%s__PLUGIN=%s\n", strings.ToUpper(description.Name), description.Name)
	for _, f := range description.Settings {
		if f.Required {
			fmt.Fprintf(out, "    HUB_PROVIDERS__%s__SETTINGS__%s=...    # %s\n", strings.ToUpper(description.Name), strings.ToUpper(f.Name), f.Title)
		}
	}
	return nil
}

// printHidden says which of several executables of one name is started.
func (h *hub) printHidden(out io.Writer, name, installed string) {
	all := providers.Find(h.config.PluginFolders(), name)
	if len(all) < 2 {
		return
	}
	if all[0] != installed {
		fmt.Fprintf(out, "It is not used yet: %s is in a folder that comes first. Remove that one.\n", all[0])
		return
	}
	for _, hidden := range all[1:] {
		fmt.Fprintf(out, "It is used instead of %s, whose folder comes later.\n", hidden)
	}
}

// writableFolder returns the first folder that a file can be put into, and makes it if
// need be.
func writableFolder(folders []string) (string, error) {
	var errs []error
	for _, folder := range folders {
		folder, err := filepath.Abs(folder)
		if err != nil {
			return "", err
		}
		if err := os.MkdirAll(folder, 0o755); err != nil { //nolint:gosec // programs, which the hub's user has to read
			errs = append(errs, err)
			continue
		}
		try, err := os.CreateTemp(folder, ".installing-*")
		if err != nil {
			errs = append(errs, err)
			continue
		}
		return folder, errors.Join(try.Close(), os.Remove(try.Name()))
	}
	return "", fmt.Errorf("no plugin folder can be written to: run this as the user that owns one, or set plugins.dir (HUB_PLUGINS__DIR) to another: %w", errors.Join(errs...))
}

// describePlugin starts a plugin where it lies, and asks what it is.
func (h *hub) describePlugin(ctx context.Context, path string) (sdk.Description, error) {
	if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
		return sdk.Description{}, errors.Join(errors.New("it is no file"), err)
	}
	registry, err := h.registry([]string{filepath.Dir(path)}, slog.New(slog.DiscardHandler), nil)
	if err != nil {
		return sdk.Description{}, err
	}
	return registry.Describe(ctx, strings.TrimSuffix(filepath.Base(path), ".exe"))
}

// copyExecutable copies a file beside its place and renames it: whoever looks sees
// the old one or the new one, whole.
func copyExecutable(from, to string) error {
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
