package sandbox_test

import (
	"bytes"
	"encoding/json"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/plugins/paypal/sandbox"
)

// nodeClients is the module of its own that PayPal's library is installed in.
const nodeClients = "clients/node"

// PayPal's own current library carries out its documented samples against the
// sandbox. It checks every answer against PayPal's schema.
func TestClients_PayPalsNodeLibrary(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat(nodeClients + "/node_modules"); err != nil && os.Getenv("CI") == "" {
		t.Skip("PayPal's library is not there: `make node` installs it")
	}
	ts := httptest.NewUnstartedServer(nil)
	base := "http://" + ts.Listener.Addr().String()
	server, err := sandbox.New(sandbox.Options{
		ClientID: clientID, ClientSecret: secret, MerchantID: merchant, WebhookID: webhook, PublicURL: base,
	})
	require.NoError(t, err)
	ts.Config.Handler = server
	ts.Start()
	defer func() {
		ts.Close()
		require.NoError(t, server.Close())
	}()
	node := exec.CommandContext(t.Context(), "node", "samples.js")
	node.Dir = nodeClients
	node.Env = append(os.Environ(), "SANDBOX_URL="+base, "SANDBOX_CLIENT_ID="+clientID, "SANDBOX_SECRET="+secret)
	var trouble bytes.Buffer
	node.Stderr = &trouble
	out, err := node.Output()
	require.NoError(t, err, "%s%s", out, &trouble)
	ran := []string{}
	for line := range bytes.Lines(out) {
		var sample struct{ Name, Error string }
		require.NoError(t, json.Unmarshal(line, &sample), "%s", line)
		require.Empty(t, sample.Error, sample.Name)
		ran = append(ran, sample.Name)
	}
	require.Len(t, ran, 8, "every sample tells how it went")
	require.True(t, slices.Contains(ran, "payments: reauthorize"))
}
