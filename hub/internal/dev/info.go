package dev

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

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

// ReadInfo returns what the house that runs on the data folder says of itself.
func ReadInfo(dataDir string) (Info, error) {
	var info Info
	err := readAnnounced(dataDir, infoFile, &info)
	return info, err
}

// Environment is what a hub of the house that runs on the data folder is configured
// with, for commands beside it: its database, its keys, and all providers that it got
// from its own environment. Settings in our environment do not count.
func Environment(dataDir string) ([]string, error) {
	var theirs []string
	if err := readAnnounced(dataDir, environmentFile, &theirs); err != nil {
		return nil, err
	}
	ours := slices.DeleteFunc(os.Environ(), func(pair string) bool { return isSetting(pair) })
	return append(ours, theirs...), nil
}

const (
	infoFile        = "dev.json"
	environmentFile = "environment.json" // holds secrets, as keys.json does
)

func readAnnounced(dataDir, name string, to any) error {
	path := filepath.Join(dataDir, name)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("nothing runs on the data folder %s: start it with `hub dev` (make run), or set DATA_DIR to the folder of the one that runs", dataDir)
	}
	if err == nil {
		err = json.Unmarshal(text, to)
	}
	if err != nil {
		return fmt.Errorf("%s cannot be read: %w", path, err)
	}
	return nil
}

// isSetting reports whether a variable is one of the hub's.
func isSetting(pair string) bool {
	name, _, _ := strings.Cut(pair, "=")
	return strings.HasPrefix(name, "HUB_") && name != "HUB_DEV_DIR"
}

// settings are the hub's variables of an environment, each once: of two with one name,
// the last counts.
func settings(environ []string) []string {
	last := map[string]string{}
	for _, pair := range environ {
		if name, _, _ := strings.Cut(pair, "="); isSetting(pair) {
			last[name] = pair
		}
	}
	return slices.Sorted(maps.Values(last))
}

// Announce writes dev.json and environment.json, which are gone again when the house
// is. Whoever sees dev.json finds the other.
func (h *House) Announce() error {
	if err := writeJSON(h.announced(environmentFile), settings(h.Environment())); err != nil {
		return err
	}
	return writeJSON(h.announced(infoFile), Info{
		Pid: os.Getpid(), BaseURL: h.BaseURL(), APIKey: h.APIKey, SandboxURL: h.SandboxURL, ShopURL: h.ShopURL, DatabaseURL: h.DatabaseURL, Console: h.Console,
	})
}

func (h *House) announced(name string) string { return filepath.Join(h.options.DataDir, name) }

func (h *House) withdraw() error {
	var errs []error
	for _, name := range []string{infoFile, environmentFile} {
		if err := os.Remove(h.announced(name)); !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
