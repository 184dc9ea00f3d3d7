package devpg

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// fakeServer is a folder with programs that only know their version.
func fakeServer(t *testing.T, version string) string {
	t.Helper()
	dir := t.TempDir()
	for _, program := range []string{"initdb", "pg_ctl", "postgres"} {
		script := fmt.Sprintf("#!/bin/sh\necho '%s (PostgreSQL) %s'\n", program, version)
		require.NoError(t, os.WriteFile(filepath.Join(dir, program), []byte(script), 0o755))
	}
	return dir
}

func TestLocate_TakesTheVersionOfTheData(t *testing.T) {
	old, recent := fakeServer(t, "14.1"), fakeServer(t, "99beta1")
	t.Setenv("HUB_PG_BIN", "")
	t.Setenv("PATH", old)
	t.Setenv("XDG_CACHE_HOME", "/nonexistent")
	before := installed
	t.Cleanup(func() { installed = before })
	installed = []string{filepath.Join(t.TempDir(), "*"), recent}

	for want, dir := range map[int]string{0: old, 14: old, 99: recent} {
		found, err := locate(context.Background(), want, nil)
		require.NoError(t, err)
		require.Equal(t, dir, found.dir, want)
	}
	_, err := locate(context.Background(), 12, nil)
	require.ErrorContains(t, err, "made by PostgreSQL 12")
	require.ErrorContains(t, err, "install version 12")
}

func TestLocate_HubPgBinDecidesAlone(t *testing.T) {
	dir := fakeServer(t, "14.1")
	t.Setenv("HUB_PG_BIN", dir)
	found, err := locate(context.Background(), 0, nil)
	require.NoError(t, err)
	require.Equal(t, binaries{dir: dir, major: 14}, found)

	_, err = locate(context.Background(), 15, nil)
	require.ErrorContains(t, err, "HUB_PG_BIN: the data were made by PostgreSQL 15")
	require.NoError(t, os.Remove(filepath.Join(dir, "initdb")))
	_, err = locate(context.Background(), 0, nil)
	require.ErrorContains(t, err, "does not hold initdb")
}

func TestLocate_SaysWhatToDoWhenNothingIsFound(t *testing.T) {
	t.Setenv("HUB_PG_BIN", "")
	t.Setenv("PATH", t.TempDir())
	t.Setenv("XDG_CACHE_HOME", "/nonexistent")
	before := installed
	t.Cleanup(func() { installed = before })
	installed = nil
	if found, err := locate(context.Background(), 0, nil); err == nil {
		require.True(t, strings.HasPrefix(found.dir, cacheDir()), "only root's cache is out of this test's hands")
		return
	}
	_, err := locate(context.Background(), 0, nil)
	for _, way := range []string{"make postgres", "apt-get install postgresql", "HUB_DATABASE_URL"} {
		require.ErrorContains(t, err, way)
	}
}

func TestAccount_ExplainsAClosedFolder(t *testing.T) {
	closed := filepath.Join(t.TempDir(), "closed")
	require.NoError(t, os.MkdirAll(filepath.Join(closed, "postgres"), 0o700))
	stranger := &account{name: "stranger", uid: 4_000_000, gid: 4_000_000}
	err := stranger.canReach(filepath.Join(closed, "postgres"))
	require.ErrorContains(t, err, "user stranger")
	require.ErrorContains(t, err, "chmod o+x")
}

func TestStart_ShowsTheLogWhenTheServerEnds(t *testing.T) {
	dir, err := os.MkdirTemp("", "superpay-devpg-")
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	require.NoError(t, os.Chmod(dir, 0o755))

	_, err = Start(context.Background(), Options{Dir: dir, MaxConnections: 1, Unsafe: true})
	require.ErrorContains(t, err, "the server ended at once")
	require.ErrorContains(t, err, "superuser_reserved_connections")
	require.DirExists(t, filepath.Join(dir, "data"), "a data folder is never removed")
}

func TestStart_RefusesAFolderItDoesNotUnderstand(t *testing.T) {
	at := files(t.TempDir())
	require.NoError(t, os.WriteFile(at.data(), []byte("mine"), 0o600))
	_, err := at.major()
	require.ErrorContains(t, err, "move it away")
	require.FileExists(t, at.data())
}
