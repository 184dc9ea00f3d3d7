package notifications

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/hub/internal/postgres"
)

// TestSend_NeverInside: an address that leads inside the network is refused
// when it is dialled, whatever its name says.
func TestSend_NeverInside(t *testing.T) {
	reached := false
	inside := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached = true }))
	defer inside.Close()
	s := New(nil, slog.Default(), 1, false)
	port := inside.URL[strings.LastIndex(inside.URL, ":"):]
	for _, address := range []string{
		inside.URL, "http://localhost" + port, "http://[::1]" + port, "http://[::ffff:127.0.0.1]" + port, "http://0.0.0.0" + port,
		"http://169.254.169.254/", "http://10.0.0.1/", "http://192.168.1.1/", "http://100.64.0.1/", "http://[fd00::1]/",
	} {
		n := postgres.Outgoing{Notification: postgres.Notification{ID: "ntf_1", Payload: "{}"}, URL: address, Secrets: []string{NewSecret()}}
		_, err := s.send(t.Context(), n, time.Now())
		require.ErrorContains(t, err, "prohibited", address)
	}
	require.False(t, reached)
}

func TestCheckURL(t *testing.T) {
	s, dev := New(nil, nil, 1, false), New(nil, nil, 1, true)
	require.Empty(t, s.CheckURL("https://shop.example/hook?x=1"))
	require.NotEmpty(t, s.CheckURL("http://localhost:1/"))
	require.Empty(t, dev.CheckURL("http://localhost:1/"))
	require.NotEmpty(t, dev.CheckURL("http://shop.example/"))
}
