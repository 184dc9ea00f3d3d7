package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/superpayhub/superpay/hub/internal/process"
)

// sandboxSource is the sandbox's own program in a plugin's folder.
const sandboxSource = "sandbox/serve.go"

// checkSource refuses what is no folder of a plugin in Go.
func checkSource(source string) error {
	files, err := filepath.Glob(filepath.Join(source, "*.go"))
	if err != nil {
		return err
	}
	if info, err := os.Stat(source); err != nil || !info.IsDir() {
		return fmt.Errorf("%s is no folder: name that of a plugin's source; `hub plugin new NAME` writes one", source)
	}
	if len(files) == 0 {
		return fmt.Errorf("%s has no Go files, and `hub plugin dev` builds Go alone. A plugin in another language: build it, put it in with "+
			"`hub --dev plugin install PROGRAM`, start its sandbox, and set a provider up with it in the console", source)
	}
	if _, err := os.Stat(filepath.Join(source, "exam.json")); err != nil {
		return fmt.Errorf("%s has no exam.json, which holds the settings for the sandbox: `hub plugin new NAME` writes one to begin with", source)
	}
	return nil
}

// built is where a program of that name is built.
func (d *pluginDev) built(name string) string {
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	return filepath.Join(d.work, name)
}

// build builds the plugin, and its sandbox if there is one.
func (d *pluginDev) build(ctx context.Context) error {
	if err := d.goBuild(ctx, "plugin", "."); err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(d.source, filepath.FromSlash(sandboxSource))); err != nil {
		return nil
	}
	return d.goBuild(ctx, "sandbox", "./"+sandboxSource)
}

func (d *pluginDev) goBuild(ctx context.Context, name, what string) error {
	// Without the state of the repository, which changes while the program does not.
	cmd := exec.Command("go", "build", "-buildvcs=false", "-o", d.built(name), what)
	var said bytes.Buffer
	cmd.Dir, cmd.Stdout, cmd.Stderr = d.source, &said, &said
	run, err := process.Start(cmd)
	if errors.Is(err, exec.ErrNotFound) {
		return errors.New("go was not found: install Go (https://go.dev/dl), and see that it is in PATH")
	}
	if err != nil {
		return err
	}
	select {
	case <-run.Done():
	case <-ctx.Done():
		run.Kill()
		return ctx.Err()
	}
	if !cmd.ProcessState.Success() {
		return fmt.Errorf("go build %s: %w\n%s", what, run.Err(), bytes.TrimSpace(said.Bytes()))
	}
	return nil
}

// checksum is a file's; nil if there is none.
func checksum(path string) []byte {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	sum := sha256.Sum256(data)
	return sum[:]
}

// sourceState changes with every change in a folder of source. Hidden files do not
// count, and what cannot be read is not there.
func sourceState(source string) string {
	var state strings.Builder
	_ = filepath.WalkDir(source, func(path string, e fs.DirEntry, err error) error {
		hidden := strings.HasPrefix(filepath.Base(path), ".") && path != source
		switch {
		case err != nil:
			return nil
		case e.IsDir() && (hidden || slices.Contains([]string{"node_modules", "vendor"}, e.Name())):
			return fs.SkipDir
		case e.IsDir() || hidden || strings.HasSuffix(path, "~"):
			return nil
		}
		if info, err := e.Info(); err == nil {
			fmt.Fprintln(&state, path, info.Size(), info.ModTime().UnixNano())
		}
		return nil
	})
	return state.String()
}
