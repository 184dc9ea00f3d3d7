package e2e

import (
	"context"
	"net/http"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestEncryption_RollsToANewKey: after a roll beside a running hub the old key
// is not needed for anything: orders that wait for their payer, callbacks in
// the inbox, endpoints' secrets.
func TestEncryption_RollsToANewKey(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	const other = "bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmU="
	var told atomic.Int32
	app := h.receiver(func(http.ResponseWriter, *http.Request) { told.Add(1) })
	require.Equal(t, 200, h.ask("POST", "/v1/webhook_endpoints/"+app.id+"/rotate", "", nil).status, "there is a former secret, too")
	open := h.checkout(nil)
	paid := h.paid(nil)
	restart := func(keys string) {
		ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
		defer cancel()
		require.NoError(t, h.StopHub(ctx, 0))
		require.NoError(t, h.StartHub(ctx, 0, "HUB_ENCRYPTION_KEY="+keys))
	}
	roll := func(keys string) (string, error) {
		cmd := h.hubCommand("encryption", "roll")
		cmd.Env = append(cmd.Env, "HUB_ENCRYPTION_KEY="+keys)
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	_, err := roll(other)
	require.ErrorAs(t, err, new(*exec.ExitError), "a key that the database was not written with")

	both := other + "," + h.EncryptionKey
	restart(both)
	require.Equal(t, open.NextAction.URL, h.ask("GET", "/v1/orders/"+open.ID, "", nil).NextAction.URL)
	out, err := roll(both)
	require.NoError(t, err, out)
	for _, column := range []string{"attempts.next_action", "webhook_endpoints.secret", "webhook_secrets.secret", "callbacks.raw"} {
		require.Regexp(t, column+`: \d+ seen, [1-9]`, out)
	}
	require.Contains(t, out, "the older ones can be dropped")
	again, err := roll(both)
	require.NoError(t, err, again)
	require.NotRegexp(t, ` [1-9]\d* rewritten`, again, "begun again, it has nothing to do")

	restart(other)
	h.EncryptionKey = other // for the commands at the story's end
	require.Equal(t, open.NextAction.URL, h.ask("GET", "/v1/orders/"+open.ID, "", nil).NextAction.URL)
	before := told.Load()
	h.pay(open.NextAction.URL, visa)
	h.until(open.ID, "paid")
	require.Equal(t, 201, h.ask("POST", "/v1/orders/"+paid.ID+"/refunds", unique("key"), map[string]any{"amount": 100}).status)
	require.Eventually(t, func() bool { return told.Load() > before }, 30*time.Second, 50*time.Millisecond)
	require.False(t, strings.Contains(h.logs.String(), "none of the encryption keys fits"))
}
