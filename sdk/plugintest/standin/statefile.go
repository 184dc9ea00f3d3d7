package standin

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// saveDelay gathers small changes into one write.
const saveDelay = 300 * time.Millisecond

// StateFile keeps a stand-in's state between runs. A zero Path keeps nothing.
type StateFile struct {
	path     string
	snapshot func() ([]byte, error)
	logger   *slog.Logger

	mu      sync.Mutex // guards changed and timer
	changed uint64
	timer   *time.Timer

	writing sync.Mutex // held for a write; saved is the change it covered
	saved   uint64
}

// OpenState loads the file at path into state, if it exists, and returns the
// keeper that will save what snapshot returns. An empty path keeps nothing.
func OpenState(path string, state any, snapshot func() ([]byte, error), logger *slog.Logger) (*StateFile, error) {
	f := &StateFile{path: path, snapshot: snapshot, logger: logger}
	if path == "" {
		return f, nil
	}
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return f, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the stand-in's state: %w", err)
	}
	if err := json.Unmarshal(data, state); err != nil {
		return nil, fmt.Errorf("state file %s is not readable, delete it to start afresh: %w", filepath.Base(path), err)
	}
	return f, nil
}

// Touch notes a change; it is written soon.
func (f *StateFile) Touch() {
	if f.path == "" {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.changed++
	if f.timer == nil {
		f.timer = time.AfterFunc(saveDelay, func() { _ = f.Flush() })
	}
}

// Flush returns once everything changed before the call is on disk. Callers
// that arrive during a write share the next one, so a busy stand-in does not
// write once per payment.
func (f *StateFile) Flush() error {
	if f.path == "" {
		return nil
	}
	want := f.takeChange()
	f.writing.Lock()
	defer f.writing.Unlock()
	if f.saved >= want {
		return nil
	}
	covered := f.takeChange()
	data, err := f.snapshot()
	if err == nil {
		err = writeAtomically(f.path, data)
	}
	if err != nil {
		f.logger.Error("the stand-in's state was not saved", "error", err)
		return err
	}
	f.saved = covered
	return nil
}

func (f *StateFile) takeChange() uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.timer != nil {
		f.timer.Stop()
		f.timer = nil
	}
	return f.changed
}

// writeAtomically leaves the old file or the new one, never half of one.
func writeAtomically(path string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	temp, err := os.CreateTemp(filepath.Dir(path), ".state-*")
	if err != nil {
		return err
	}
	_, err = temp.Write(data)
	if err == nil {
		err = temp.Sync()
	}
	if closed := temp.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(temp.Name(), path)
	}
	if err != nil {
		_ = os.Remove(temp.Name())
	}
	return err
}
