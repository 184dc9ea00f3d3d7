package sandbox_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Stripe's own current libraries run their documented samples against the sandbox. The
// samples are modules of their own below clients/; each has a sandbox to itself.

func TestClients_Go(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	said := s.runSamples("clients/go", "go", "test", "-vet=off", "-count=1", "-v", "./...")
	require.Contains(t, said, "--- PASS: TestThinEvent_ParseEventNotification", "it found the samples")
}

func TestClients_Node(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("clients/node/node_modules"); err != nil && os.Getenv("CI") == "" {
		t.Skip("Stripe's library is not there: `make node` installs it")
	}
	s := newStand(t)
	said := s.runSamples("clients/node", "node", "--test", "--test-concurrency=1", "--test-reporter=tap")
	require.Regexp(t, `# pass [1-9]\d`, said, "it found the samples")
}

// runSamples runs a command in a folder, with the sandbox's address and key. The
// libraries take no address with a path.
func (s *stand) runSamples(folder, name string, args ...string) string {
	s.t.Helper()
	cmd := exec.CommandContext(s.t.Context(), name, args...)
	cmd.Dir = folder
	cmd.Env = append(os.Environ(), "SANDBOX_URL="+strings.TrimSuffix(s.base, "/stripe"), "SANDBOX_KEY="+testKey)
	out, err := cmd.CombinedOutput()
	require.NoError(s.t, err, "%s:\n%s", cmd, out)
	s.t.Log(string(out))
	return string(out)
}
