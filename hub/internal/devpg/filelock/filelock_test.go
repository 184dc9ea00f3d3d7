package filelock_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/hub/internal/devpg/filelock"
)

func open(t *testing.T, path string) *filelock.Lock {
	t.Helper()
	lock, err := filelock.Open(path)
	require.NoError(t, err)
	t.Cleanup(func() { _ = lock.Close() })
	return lock
}

func TestLock_ExclusiveKeepsEverybodyOut(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	first, second := open(t, path), open(t, path)

	require.NoError(t, first.TryExclusive())
	require.NoError(t, first.SetNote("first"))
	require.ErrorIs(t, second.TryExclusive(), filelock.ErrHeld)
	require.ErrorIs(t, second.TryShared(), filelock.ErrHeld)
	require.Equal(t, "first", second.Note())

	require.NoError(t, first.Unlock())
	require.NoError(t, second.TryExclusive())
}

func TestLock_SharedKeepsOnlyExclusiveOut(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	first, second, third := open(t, path), open(t, path), open(t, path)

	require.NoError(t, first.TryShared())
	require.NoError(t, second.TryShared())
	require.ErrorIs(t, third.TryExclusive(), filelock.ErrHeld)

	require.NoError(t, first.Close())
	require.ErrorIs(t, third.TryExclusive(), filelock.ErrHeld)
	require.NoError(t, second.Close())
	require.NoError(t, third.TryExclusive())
}
