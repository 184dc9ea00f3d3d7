package pgtest

import (
	"os"
	"testing"
)

// tempDir is where the servers of tests keep their data: TMPDIR if it is set.
func tempDir() string {
	if os.Getenv("TMPDIR") == "" {
		if dir := inMemory(); dir != "" {
			return dir
		}
	}
	return os.TempDir()
}

// newDir makes a folder for a server, which ends with the test. It is not
// t.TempDir: if the tests run as root, PostgreSQL's own user could not enter that.
func newDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp(tempDir(), "superpay-pgtest-")
	if err != nil {
		t.Fatalf("pgtest: %v", err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil { //nolint:gosec // the secrets in it have a mode of their own
		t.Fatalf("pgtest: %v", err)
	}
	return dir
}
