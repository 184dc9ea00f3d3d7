package e2e

import (
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestGuide_TheReceiversOfTheDocsWork: what /docs shows is run as it stands,
// takes what is genuine, refuses what is not, and tells each change once.
func TestGuide_TheReceiversOfTheDocsWork(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	program := filepath.Join(t.TempDir(), "receiver")
	out, err := exec.Command("go", "build", "-o", program, "../api/guide").CombinedOutput()
	require.NoError(t, err, "%s", out)
	receivers := map[string][]string{"go": {program}}
	if python, err := exec.LookPath("python3"); err == nil {
		receivers["python"] = []string{python, "../api/guide/receiver.py"}
	}
	said := map[string]*syncBuffer{}
	for name, args := range receivers {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		listen := listener.Addr().String()
		require.NoError(t, listener.Close())
		address := "http://" + listen + "/superpay"
		made := h.ask("POST", "/v1/webhook_endpoints", "", map[string]any{"url": address})
		require.Equal(t, 201, made.status, made.raw)
		var endpoint struct{ Secret string }
		decode(t, made.raw, &endpoint)
		cmd := exec.Command(args[0], args[1:]...)
		said[name] = &syncBuffer{}
		cmd.Stdout, cmd.Stderr = said[name], said[name]
		cmd.Env = append(os.Environ(), "WEBHOOK_SECRET="+endpoint.Secret, "HUB="+h.BaseURL, "API_KEY="+h.key, "LISTEN="+listen)
		require.NoError(t, cmd.Start())
		t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
		require.Eventually(t, func() bool {
			res, err := http.Post(address, "application/json", strings.NewReader(`{"data":{"id":"ord_forged","reference":"forged","status":"paid","version":9}}`))
			if err != nil {
				return false // not up yet
			}
			res.Body.Close()
			require.Equal(t, 401, res.StatusCode, name)
			return true
		}, 30*time.Second, 50*time.Millisecond)
	}
	reference := unique("guide")
	o := h.paid(map[string]any{"reference": reference})
	for name := range receivers {
		require.Eventually(t, func() bool { return strings.Contains(said[name].String(), reference+" is paid") }, 30*time.Second, 50*time.Millisecond, name)
	}
	// All of it again, and a refund: only that is news.
	for _, n := range h.notifications("order_id=" + o.ID) {
		require.Equal(t, 204, h.ask("POST", "/v1/notifications/"+n.ID+"/resend", "", nil).status)
	}
	require.Equal(t, 201, h.ask("POST", "/v1/orders/"+o.ID+"/refunds", unique("key"), map[string]any{}).status)
	for name := range receivers {
		require.Eventually(t, func() bool { return strings.Contains(said[name].String(), reference+" is refunded") }, 30*time.Second, 50*time.Millisecond, name)
		require.NotContains(t, said[name].String(), "forged")
		_, after, _ := strings.Cut(said[name].String(), " is refunded")
		require.NotContains(t, after, "is paid", name)
	}
}
