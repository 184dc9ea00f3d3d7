package providers

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestPluginFolders: the first folder that has the plugin counts, and what is put into
// or taken out of any folder is noticed while it runs.
func TestPluginFolders(t *testing.T) {
	good, err := os.ReadFile(filepath.Join(pluginDir, "testplugin"))
	require.NoError(t, err)
	first, second, third := t.TempDir(), t.TempDir(), t.TempDir()
	put := func(dir string, more ...byte) {
		t.Helper()
		path := filepath.Join(dir, "testplugin")
		require.NoError(t, os.WriteFile(path+".new", append(good[:len(good):len(good)], more...), 0o755)) //nolint:gosec // a program
		require.NoError(t, os.Rename(path+".new", path))
	}
	put(second)
	put(third, 3)
	require.NoError(t, os.WriteFile(filepath.Join(third, "another"), nil, 0o755)) //nolint:gosec // likewise
	dirs := []string{first, second, third}
	r, p, _ := startUp(t, Options{Dirs: dirs})
	require.Equal(t, []string{"another", "testplugin"}, r.Plugins(), "of all folders, each name once")
	require.Equal(t, []string{filepath.Join(second, "testplugin"), filepath.Join(third, "testplugin")}, Find(dirs, "testplugin"))
	require.Empty(t, Find(dirs, "missing"))
	runsFrom := func() string {
		now, ok := r.Get("one")
		require.True(t, ok)
		return now.process.Load().runner.path
	}
	look := func() {
		for range 3 {
			r.TakeNew(t.Context(), true)
		}
	}
	require.Equal(t, filepath.Join(second, "testplugin"), runsFrom())
	put(third, 4)
	look()
	require.Equal(t, filepath.Join(second, "testplugin"), runsFrom(), "one that is hidden changes nothing")
	require.True(t, p.Up())
	put(first, 1)
	same := time.Now().Add(-time.Hour) // size and time tell the two no more apart
	for _, dir := range []string{first, third} {
		require.NoError(t, os.Chtimes(filepath.Join(dir, "testplugin"), same, same))
	}
	look()
	require.Equal(t, filepath.Join(first, "testplugin"), runsFrom())
	require.NoError(t, os.Remove(filepath.Join(first, "testplugin")))
	require.NoError(t, os.Remove(filepath.Join(second, "testplugin")))
	look()
	require.Equal(t, filepath.Join(third, "testplugin"), runsFrom())
	require.NoError(t, os.Remove(filepath.Join(third, "testplugin")))
	look()
	now, _ := r.Get("one")
	require.True(t, now.Up(), "what runs goes on without its file")
}
