package providers

import (
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/hub/internal/devpg/filelock"
)

// TestRunDir_OfADeadHubIsRemoved: that of a living one, of one that is just
// starting, and what is none at all, stay.
func TestRunDir_OfADeadHubIsRemoved(t *testing.T) {
	base, err := os.MkdirTemp("/tmp", "t-")
	require.NoError(t, err)
	defer func() { _ = os.RemoveAll(base) }()
	t.Setenv("TMPDIR", base)
	hub := func() *Registry { return &Registry{options: Options{Logger: slog.Default()}} }
	living := hub()
	require.NoError(t, living.makeRunDir())
	folder := func(name, file string, age time.Duration) string {
		dir := filepath.Join(base, name)
		require.NoError(t, os.MkdirAll(filepath.Join(dir, "plugin-dir1"), 0o700))
		if file != "" {
			path := filepath.Join(dir, file)
			lock, err := filelock.Open(path)
			require.NoError(t, err)
			require.NoError(t, lock.Close())
			at := time.Now().Add(-age)
			require.NoError(t, os.Chtimes(path, at, at))
		}
		return dir
	}
	old := time.Now().Add(-time.Hour)
	require.NoError(t, os.Chtimes(filepath.Join(living.options.RunDir, runLock), old, old))
	dead, starting := folder(runDirs+"dead", runLock, time.Hour), folder(runDirs+"starting", runLock, 0)
	other, noLock := folder("superpay-other", runLock, time.Hour), folder(runDirs+"nolock", "", 0)
	require.NoError(t, os.Symlink(other, filepath.Join(base, runDirs+"link")))

	next := hub()
	require.NoError(t, next.makeRunDir())
	require.NoDirExists(t, dead)
	for _, dir := range []string{living.options.RunDir, starting, other, noLock, next.options.RunDir} {
		require.DirExists(t, dir)
	}
	living.removeRunDir()
	require.NoDirExists(t, living.options.RunDir)
}
