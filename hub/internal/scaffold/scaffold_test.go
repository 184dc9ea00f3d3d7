package scaffold

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestWrite_PassesTheExamOnItsFirstDay lays a new plugin over this module, as
// if it stood in plugins/, and runs its own test.
func TestWrite_PassesTheExamOnItsFirstDay(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	files, err := Write(Options{Name: "moneta_go", Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	root, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	laid := map[string]string{}
	for _, file := range files {
		name, err := filepath.Rel(dir, file)
		if err != nil {
			t.Fatal(err)
		}
		laid[filepath.Join(root, "plugins", "moneta_go", name)] = file
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if text := strings.ToLower(string(data)); strings.Contains(text, "acmepay") || strings.Contains(name, "broken") {
			t.Errorf("%s still has the template's name, or is none of a plugin's", name)
		}
	}
	overlay, err := json.Marshal(map[string]any{"Replace": laid})
	if err != nil {
		t.Fatal(err)
	}
	work := t.TempDir()
	if err := os.WriteFile(filepath.Join(work, "overlay.json"), overlay, 0o600); err != nil {
		t.Fatal(err)
	}
	exam := filepath.Join(work, "exam.test")
	build := exec.CommandContext(t.Context(), "go", "test", "-c", "-vet=off", "-overlay", filepath.Join(work, "overlay.json"), "-o", exam, "./plugins/moneta_go")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("the new plugin does not build: %v\n%s", err, out)
	}
	c := exec.CommandContext(t.Context(), exam)
	c.Dir = dir
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("the new plugin fails its exam: %v\n%s", err, out)
	}
}

func TestWrite_OutsideTheRepository(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "moneta")
	if _, err := Write(Options{Name: "moneta", Dir: dir, Module: "example.com/moneta"}); err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]string{
		"go.mod":           "module example.com/moneta\n",
		"exam_test.go":     `"example.com/moneta/sandbox"`,
		"sandbox/serve.go": `"example.com/moneta/sandbox"`,
		"provider.go":      `Name: "moneta", Title: "Moneta"`,
	} {
		data, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil || !strings.Contains(string(data), want) {
			t.Errorf("%s has no %s: %v", file, want, err)
		}
	}
	if _, err := Write(Options{Name: "moneta", Dir: dir}); err == nil {
		t.Error("a folder that is not empty was written over")
	}
	for _, name := range []string{"", "Moneta", "a-b", "1a", "_a", "a__b", strings.Repeat("a", 32)} {
		if _, err := Write(Options{Name: name, Dir: t.TempDir()}); err == nil {
			t.Errorf("the name %q was taken", name)
		}
	}
}
