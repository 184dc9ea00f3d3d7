package ledger

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/sdk"
)

// TestCapture_PendingReason: why a capture waits is on the order and on its timeline,
// as long as it waits.
func TestCapture_PendingReason(t *testing.T) {
	o, env := created(t, sdk.CaptureAutomatic)
	attempt := o.Attempts[0].ID
	var told []string
	read := func(status sdk.MovementStatus, reason string) {
		p := captured("c_1", 1000)
		p.Status = sdk.Pending
		if status == sdk.MovementSucceeded {
			p.Status = sdk.Succeeded
		}
		p.Captures.Items[0].Status, p.Captures.Items[0].PendingReason = status, reason
		c := Apply(o, env, News{AttemptID: attempt, Source: FromRead, Begun: o.Version, Payment: p})
		o = c.Order
		for _, e := range c.Events {
			if reason, ok := e.Data["pending_reason"].(string); ok {
				told = append(told, reason[:7])
			}
		}
	}
	read(sdk.MovementPending, "ECHECK 1")
	require.Equal(t, "ECHECK 1", o.PendingReason(attempt))
	read(sdk.MovementPending, "ECHECK 1")
	read(sdk.MovementPending, "")
	require.Equal(t, "ECHECK 1", o.PendingReason(attempt), "an answer without a reason takes none back")
	read(sdk.MovementPending, "PENDING_REVIEW"+strings.Repeat("é", 100))
	require.Len(t, o.PendingReason(attempt), maxPendingReason)
	read(sdk.MovementSucceeded, "PENDING_REVIEW")
	require.Empty(t, o.PendingReason(attempt))
	require.Empty(t, o.Captures[0].PendingReason)
	require.Equal(t, []string{"ECHECK ", "PENDING"}, told)
}
