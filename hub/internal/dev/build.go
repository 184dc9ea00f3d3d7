package dev

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
)

// Build builds every program into dir, as `make build` does: the plugins into
// plugins/ below it; with race, for the race detector.
func Build(dir string, race bool) (binDir string, err error) {
	if dir, err = filepath.Abs(dir); err != nil {
		return "", err
	}
	var flags []string
	if race {
		flags = []string{"-race"}
	}
	if err := build(dir, flags, "./hub", "./hub/tools/..."); err != nil {
		return "", err
	}
	return dir, build(filepath.Join(dir, "plugins"), flags, "./plugins/...")
}

// BuildPlugins builds the plugins into dir, with a build tag that has them
// break a law.
func BuildPlugins(dir, tag string) error {
	return build(dir, []string{"-tags", tag}, "./plugins/...")
}

func build(dir string, flags []string, packages ...string) error {
	root, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		return fmt.Errorf("find the module: %w", err)
	}
	cmd := exec.Command("go", append(append([]string{"build", "-o", dir + string(filepath.Separator)}, flags...), packages...)...)
	cmd.Dir = strings.TrimSpace(string(root))
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build %s: %w\n%s", strings.Join(packages, " "), err, out)
	}
	return nil
}
