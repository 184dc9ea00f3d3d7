package e2e

import (
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestMutation: the stories notice when a rule of the provider's stand-in is
// switched off. Each runs once more in a process of its own and must fail.
func TestMutation(t *testing.T) {
	if testing.Short() || os.Getenv("SANDBOX_DISABLE") != "" {
		t.Skip("is itself under test")
	}
	t.Parallel()
	for rule, story := range map[string]string{
		"signing":     "TestPay_FromCheckoutToTheLastCent",
		"idempotency": "TestIdempotency_AnswersLost",
		"over_refund": "TestDashboard_OverRefundIsRefusedByTheProvider",
	} {
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			cmd := exec.Command(os.Args[0], "-test.run", "^"+story+"$", "-test.timeout", "120s")
			cmd.Env = append(os.Environ(), "SANDBOX_DISABLE="+rule, "SUPERPAY_E2E_BIN="+bins)
			out, err := cmd.CombinedOutput()
			var failed *exec.ExitError
			require.ErrorAs(t, err, &failed, "%s passes without the rule:\n%s", story, out)
			require.Contains(t, string(out), "--- FAIL: "+story)
		})
	}
}
