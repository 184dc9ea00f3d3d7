package providers

import (
	"os"
	"path/filepath"
	"time"

	"github.com/superpayhub/superpay/hub/internal/devpg/filelock"
)

const (
	runDirs = "superpay-run-" // begins the names of hubs' run folders
	// runLock is the file in a run folder that its hub holds locked while it
	// lives: the system lets go of it however the hub ends, and a process id may
	// long be another's.
	runLock = "alive"
	// runLockBy is when a hub that starts has surely locked its folder.
	runLockBy = time.Minute
)

// makeRunDir makes the folder of the plugins' sockets, and removes those that
// killed hubs left.
func (r *Registry) makeRunDir() (err error) {
	if r.options.RunDir != "" {
		return os.MkdirAll(r.options.RunDir, 0o700)
	}
	base := os.TempDir()
	if len(base) > maxRunDir/2 {
		base = "/tmp" // macOS's own is too long for sockets
	}
	for _, dir := range deadRunDirs(base) {
		if err := os.RemoveAll(dir); err != nil {
			r.options.Logger.Warn("what a killed hub left is not removed", "folder", dir, "error", err)
		}
	}
	if r.options.RunDir, err = os.MkdirTemp(base, runDirs); err != nil {
		return err
	}
	if r.runLock, err = filelock.Open(filepath.Join(r.options.RunDir, runLock)); err != nil {
		return err
	}
	return r.runLock.TryExclusive()
}

// deadRunDirs are the run folders of this user that no living hub holds. What
// is not surely one of them is left alone.
func deadRunDirs(base string) (dead []string) {
	dirs, _ := filepath.Glob(filepath.Join(base, runDirs+"*")) // the pattern is right
	for _, dir := range dirs {
		path := filepath.Join(dir, runLock)
		folder, err := os.Lstat(dir)
		if err != nil || !folder.IsDir() || !ours(folder) {
			continue
		}
		file, err := os.Lstat(path)
		if err != nil || !file.Mode().IsRegular() || !ours(file) || time.Since(file.ModTime()) < runLockBy {
			continue
		}
		lock, err := filelock.Open(path)
		if err != nil {
			continue
		}
		if lock.TryExclusive() == nil {
			dead = append(dead, dir)
		}
		_ = lock.Close()
	}
	return dead
}

// removeRunDir removes the folder that makeRunDir made.
func (r *Registry) removeRunDir() {
	if r.runLock == nil {
		return
	}
	if err := os.RemoveAll(r.options.RunDir); err != nil {
		r.options.Logger.Warn("run folder not removed", "error", err)
	}
	_ = r.runLock.Close()
}
