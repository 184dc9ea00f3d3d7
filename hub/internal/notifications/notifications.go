// Package notifications tells apps of changes: signed calls (Standard
// Webhooks) to the endpoints they named, at least once, over three days. What
// is to be told was written with the change itself.
package notifications

import (
	"crypto/rand"
	"encoding/base64"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"time"

	"code.dny.dev/ssrf"

	"github.com/superpayhub/superpay/hub/internal/postgres"
)

// Retries are the waits between the tries of one notification; together they
// span about three days.
var Retries = []time.Duration{
	5 * time.Second, time.Minute, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour,
	5 * time.Hour, 10 * time.Hour, 14 * time.Hour, 20 * time.Hour, 24 * time.Hour,
}

const (
	// giveUp is how long an endpoint may fail before it is disabled.
	giveUp = 72 * time.Hour
	// goneAfter is how long an endpoint may answer 410 before it is disabled: a
	// misled proxy, or a deployment under way, says so for minutes.
	goneAfter = time.Hour
	// patience is how long an app may take to answer.
	patience = 15 * time.Second
	// MaxEndpoints of one app: each change is sent to all of them.
	MaxEndpoints = 16
)

// Sender delivers notifications.
type Sender struct {
	DB        *postgres.DB
	Logger    *slog.Logger
	TimeScale float64
	Now       func() time.Time

	local  bool
	client *http.Client
}

// New makes a sender. Local allows addresses of this machine, for development;
// otherwise what leads inside the network is refused when it is dialled, so
// that a name cannot point elsewhere by then.
func New(db *postgres.DB, log *slog.Logger, timeScale float64, local bool) *Sender {
	options := []ssrf.Option{ssrf.WithPorts(ports...)}
	if local {
		options = []ssrf.Option{
			ssrf.WithAnyPort(), ssrf.WithAllowedV4Prefixes(netip.MustParsePrefix("127.0.0.0/8")), ssrf.WithAllowedV6Prefixes(netip.MustParsePrefix("::1/128")),
		}
	}
	dialer := &net.Dialer{Timeout: 5 * time.Second, Control: ssrf.New(options...).Safe}
	return &Sender{
		DB: db, Logger: log, TimeScale: max(1, timeScale), Now: time.Now, local: local,
		client: &http.Client{
			Timeout: patience,
			Transport: &http.Transport{
				Proxy:       nil, // a proxy would dial for us, unguarded
				DialContext: dialer.DialContext, MaxIdleConnsPerHost: 4, IdleConnTimeout: time.Minute, MaxResponseHeaderBytes: 64 << 10,
			},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// ports that endpoints may listen at, so that nobody has the hub knock at others.
var ports = []uint16{80, 443, 8080, 8443}

// NewSecret makes an endpoint's signing secret, in Standard Webhooks' form.
func NewSecret() string {
	raw := make([]byte, 24)
	_, _ = rand.Read(raw) // never fails
	return "whsec_" + base64.StdEncoding.EncodeToString(raw)
}

// CheckURL says why an address cannot be an endpoint, or nothing. Whether it
// leads inside the network is only known when it is dialled.
func (s *Sender) CheckURL(address string) string {
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Hostname() == "" || u.User != nil || u.Fragment != "" || len(address) > 2000:
		return "must be an absolute https URL without user or fragment"
	case u.Scheme == "http" && s.local && isLoopback(u.Hostname()):
		return ""
	case u.Scheme != "https":
		return "must be https"
	case u.Port() != "" && !s.local && !slices.Contains(ports, port(u)):
		return "must be at port 443, 8443, 80 or 8080"
	}
	return ""
}

func port(u *url.URL) uint16 {
	n, _ := strconv.ParseUint(u.Port(), 10, 16) // 0 is none of them
	return uint16(n)
}

func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}
