package providers

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// executable is a plugin's file as it was seen.
type executable struct {
	path     string
	size     int64
	modified time.Time
	checksum []byte
}

func (e executable) sameFile(o executable) bool {
	return e.path == o.path && e.size == o.size && e.modified.Equal(o.modified)
}

// look is how the file is now, without its checksum.
func look(path string) (executable, error) {
	info, err := os.Stat(path)
	if err != nil {
		return executable{}, err
	}
	return executable{path: path, size: info.Size(), modified: info.ModTime()}, nil
}

// Find returns where plugins of that name lie, in the order of the folders: the first
// is the one that is started, the others are not used.
func Find(dirs []string, plugin string) (paths []string) {
	if runtime.GOOS == "windows" {
		plugin += ".exe"
	}
	for _, dir := range dirs {
		path := filepath.Join(dir, plugin)
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			paths = append(paths, path)
		}
	}
	return paths
}

// find returns where the plugin lies now.
func (p *Provider) find() (string, error) {
	dirs := p.registry.options.Dirs
	if paths := Find(dirs, p.config.Plugin); len(paths) > 0 {
		return paths[0], nil
	}
	return "", fmt.Errorf("plugin %s is in none of the plugin folders (%s): put it there with `hub plugin install`, or set plugins.dir (HUB_PLUGINS__DIR) to the folder that holds it",
		p.config.Plugin, strings.Join(dirs, ", "))
}

// path returns the file that checkExecutable accepted, or where the plugin of a trial
// lies.
func (p *Provider) path() (string, error) {
	p.mu.Lock()
	path := p.runs.path
	p.mu.Unlock()
	if path != "" {
		return path, nil
	}
	return p.find()
}

// sum reads the file for its checksum.
func sum(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	hash := sha256.New()
	_, err = io.Copy(hash, file)
	return hash.Sum(nil), err
}

// checkExecutable refuses an executable that changed under a running process:
// TakeNew, or an operator's restart, takes a new one.
func (p *Provider) checkExecutable() error {
	path, err := p.find()
	if err != nil {
		return err
	}
	now, err := look(path)
	if err == nil {
		now.checksum, err = sum(path)
	}
	if err != nil {
		return fmt.Errorf("plugin %s cannot be read: %w", path, err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.runs.checksum == nil {
		p.runs = now
		return nil
	}
	if !bytes.Equal(p.runs.checksum, now.checksum) {
		return fmt.Errorf("plugin %s: checksum differs from the one first started; restart the provider to accept the new executable", p.config.Plugin)
	}
	p.runs.path = path // the same plugin, perhaps in another folder
	return nil
}

// forgetExecutable has the next start take the executable as it is then.
func (p *Provider) forgetExecutable() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.runs = executable{}
}

// TakeNew looks for plugins whose executable was replaced since they were started.
// One that has not changed since the last look is whole, and is taken if take says so:
// its process is up before the old one gets no more calls, and those in flight end
// there while ctx lasts. If it does not come up, the old one stays. State tells of one
// that waits. It is to be called every few seconds.
func (r *Registry) TakeNew(ctx context.Context, take bool) {
	for _, p := range r.All() {
		if p.config.Disabled || !p.newExecutable() || !take {
			continue
		}
		err := r.Put(ctx, p.Config())
		if err == nil {
			p.log.InfoContext(ctx, "a new executable was taken", "plugin", p.config.Plugin)
			continue
		}
		p.mu.Lock()
		p.refused = p.seen
		p.state.Waits = "a new executable is there and was not taken: " + err.Error()
		p.mu.Unlock()
		p.log.WarnContext(ctx, "a new executable was not taken; the one before goes on", "plugin", p.config.Plugin, "error", err)
	}
}

// newExecutable reports whether another executable is there, whole, that was not
// refused.
func (p *Provider) newExecutable() bool {
	path, err := p.find()
	var now executable
	if err == nil {
		now, err = look(path)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if err != nil || p.runs.checksum == nil || now.sameFile(p.runs) || now.sameFile(p.refused) {
		return false
	}
	if !now.sameFile(p.seen) { // perhaps it is still being written
		p.seen = now
		return false
	}
	if p.seen.checksum != nil {
		return true
	}
	if p.seen.checksum, err = sum(path); err != nil {
		p.seen = executable{}
		return false
	}
	if bytes.Equal(p.seen.checksum, p.runs.checksum) {
		p.runs, p.state.Waits = p.seen, ""
		return false
	}
	p.state.Waits = "a new executable is there: restart the provider to take it"
	p.log.Warn("a new executable waits", "plugin", p.config.Plugin, "path", path)
	return true
}
