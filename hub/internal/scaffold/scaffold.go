// Package scaffold writes the folder of a new plugin: a copy, under another
// name, of the one that the exam itself is tested with, so it cannot rot.
package scaffold

import (
	"errors"
	"fmt"
	"go/format"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/superpayhub/superpay/sdk/plugintest/template"
)

// hubModule is what a plugin of its own module requires.
const hubModule = "github.com/superpayhub/superpay"

// Options say what is written, and where.
type Options struct {
	Name   string // of the plugin, in snake_case
	Dir    string // the folder to make; it may exist if it is empty
	Module string // of a plugin outside the hub's repository; empty is inside, as plugins/NAME
}

var nameForm = regexp.MustCompile(`^[a-z][a-z0-9]*(_[a-z0-9]+)*$`)

// maxName is the longest that a provider may be called.
const maxName = 31

// Write makes the folder and returns what it wrote, in order.
func Write(o Options) ([]string, error) {
	if !nameForm.MatchString(o.Name) || len(o.Name) > maxName {
		return nil, fmt.Errorf("%q: a plugin's name is in snake_case, as acme_pay, at most %d characters", o.Name, maxName)
	}
	if entries, err := os.ReadDir(o.Dir); err == nil && len(entries) > 0 {
		return nil, fmt.Errorf("%s exists and is not empty", o.Dir)
	}
	var written []string
	err := fs.WalkDir(template.Files, template.Name, func(from string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || strings.HasPrefix(path.Base(from), "broken_") {
			return err
		}
		to := filepath.Join(o.Dir, filepath.FromSlash(strings.TrimPrefix(from, template.Name+"/")))
		written = append(written, to)
		return o.copy(from, to)
	})
	if err == nil && o.Module != "" {
		to := filepath.Join(o.Dir, "go.mod")
		written = append(written, to)
		err = write(to, o.goMod())
	}
	return written, err
}

func (o Options) copy(from, to string) error {
	data, err := template.Files.ReadFile(from)
	if err != nil {
		return err
	}
	text := strings.NewReplacer(template.Path, o.importPath(), template.Title, title(o.Name), template.Name, o.Name).Replace(string(data))
	if path.Ext(from) != ".go" {
		return write(to, []byte(text))
	}
	formatted, err := format.Source([]byte(text)) // imports have another order under another name
	if err != nil {
		return errors.Join(fmt.Errorf("%s", from), err)
	}
	return write(to, formatted)
}

func (o Options) importPath() string {
	if o.Module != "" {
		return o.Module
	}
	return hubModule + "/plugins/" + o.Name
}

func (o Options) goMod() []byte {
	return fmt.Appendf(nil, `module %s

go 1.26

require %s v0.0.0

// While you work beside a checkout of Superpay, say where it is; then run go mod tidy.
// replace %[2]s => ../superpay
`, o.Module, hubModule)
}

// title is a name for people, and for headers, which take no spaces.
func title(name string) string {
	var out string
	for part := range strings.SplitSeq(name, "_") {
		out += strings.ToUpper(part[:1]) + part[1:]
	}
	return out
}

func write(to string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	return os.WriteFile(to, data, 0o644)
}
