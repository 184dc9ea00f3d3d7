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
		"http://172.16.0.1/", "http://198.18.0.1/", "http://255.255.255.255/", "http://224.0.0.1/", "http://[::]/", "http://[fe80::1]/", "http://[fec0::1]/",
		"http://[ff02::1]/", "http://[::ffff:169.254.169.254]/", "http://[::ffff:0a00:0001]/", "http://[::169.254.169.254]/", "http://[64:ff9b::a9fe:a9fe]/",
		"http://[2002:a9fe:a9fe::]/", "http://[2001:0:a9fe:a9fe::]/", "http://[fd00:ec2::254]/", "http://93.184.216.34:22/", "http://93.184.216.34:5432/",
	} {
		n := postgres.Outgoing{Notification: postgres.Notification{ID: "ntf_1", Payload: "{}"}, URL: address, Secrets: []string{NewSecret()}}
		_, _, _, err := s.send(t.Context(), n, time.Now())
		require.ErrorContains(t, err, "prohibited", address)
	}
	require.False(t, reached)
}

// TestSend_FollowsNoRedirect: what an address leads to is not called.
func TestSend_FollowsNoRedirect(t *testing.T) {
	reached := false
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached = true }))
	defer other.Close()
	door := httptest.NewServer(http.RedirectHandler(other.URL, http.StatusTemporaryRedirect))
	defer door.Close()
	n := postgres.Outgoing{Notification: postgres.Notification{ID: "ntf_1", Payload: "{}"}, URL: door.URL, Secrets: []string{NewSecret()}}
	s := New(nil, slog.Default(), 1, true)
	status, _, _, err := s.send(t.Context(), n, time.Now())
	require.NoError(t, err)
	require.Equal(t, http.StatusTemporaryRedirect, status)
	require.False(t, reached)
	n.Secrets = nil
	_, _, _, err = s.send(t.Context(), n, time.Now())
	require.ErrorContains(t, err, "cannot be read", "nothing is sent unsigned")
}

func TestCheckURL(t *testing.T) {
	s, dev := New(nil, nil, 1, false), New(nil, nil, 1, true)
	require.Empty(t, s.CheckURL("https://shop.example/hook?x=1"))
	require.Empty(t, s.CheckURL("https://shop.example:8443/"))
	for _, address := range []string{"http://localhost:1/", "https://shop.example:22/", "https://shop.example:65979/", "https://:443/", "https://u@shop.example/", "//shop.example/"} {
		require.NotEmpty(t, s.CheckURL(address), address)
	}
	require.Empty(t, dev.CheckURL("http://localhost:1/"))
	require.NotEmpty(t, dev.CheckURL("http://shop.example/"))
}
