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
	root, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		return "", fmt.Errorf("find the module: %w", err)
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return "", err
	}
	for _, target := range [][]string{
		{dir + string(filepath.Separator), "./hub", "./hub/tools/..."},
		{filepath.Join(dir, "plugins") + string(filepath.Separator), "./plugins/..."},
	} {
		args := []string{"build", "-o"}
		if race {
			args = []string{"build", "-race", "-o"}
		}
		cmd := exec.Command("go", append(args, target...)...)
		cmd.Dir = strings.TrimSpace(string(root))
		if out, err := cmd.CombinedOutput(); err != nil {
			return "", fmt.Errorf("go build %s: %w\n%s", strings.Join(target[1:], " "), err, out)
		}
	}
	return dir, nil
}
