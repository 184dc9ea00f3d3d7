// Package notifications tells apps of changes: signed calls (Standard
// Webhooks) to the endpoints they named, at least once, over three days. What
// is to be told was written with the change itself.
package notifications

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"code.dny.dev/ssrf"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

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
	// patience is how long an app may take to answer.
	patience  = 15 * time.Second
	maxAnswer = 16 << 10 // read of it, to keep the connection
	// MaxEndpoints of one app: each change is sent to all of them.
	MaxEndpoints = 10
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
	options := []ssrf.Option{ssrf.WithPorts(80, 443, 8080, 8443)}
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
	case err != nil || u.Host == "" || u.User != nil || u.Fragment != "" || len(address) > 2000:
		return "must be an absolute https URL without user or fragment"
	case u.Scheme == "https", u.Scheme == "http" && s.local && isLoopback(u.Hostname()):
		return ""
	}
	return "must be https"
}

func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// Deliver tries one notification and records how it went. An app answers 2xx
// when it has the notification; 410 says that the endpoint is gone.
func (s *Sender) Deliver(ctx context.Context, n postgres.Outgoing) error {
	began := s.Now()
	status, err := s.send(ctx, n, began)
	d := postgres.Delivery{
		NotificationID: n.ID, EndpointID: n.EndpointID, At: began.UTC(), Status: status, Took: s.Now().Sub(began),
		State: "delivered", GiveUpBefore: began.UTC().Add(-s.scale(giveUp)),
	}
	if err == nil && status/100 != 2 {
		err = fmt.Errorf("the endpoint answered %d", status)
	}
	if err != nil {
		d.Error = reason(err)
		if d.State = "failed"; n.Tries <= len(Retries) && status != http.StatusGone {
			d.State, d.DueAt = "pending", began.UTC().Add(s.scale(Retries[n.Tries-1]))
		}
		if status == http.StatusGone {
			d.GiveUpBefore = began.UTC().Add(time.Hour) // at once, if it failed before
		}
	}
	return s.DB.RecordDelivery(ctx, d)
}

func (s *Sender) scale(d time.Duration) time.Duration { return time.Duration(float64(d) / s.TimeScale) }

func (s *Sender) send(ctx context.Context, n postgres.Outgoing, at time.Time) (int, error) {
	body := []byte(n.Payload)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, n.URL, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	var signatures []string
	for _, secret := range n.Secrets {
		w, err := standardwebhooks.NewWebhook(secret)
		if err != nil {
			return 0, fmt.Errorf("the endpoint's secret cannot sign: %w", err)
		}
		signature, err := w.Sign(n.ID, at, body)
		if err != nil {
			return 0, fmt.Errorf("sign: %w", err)
		}
		signatures = append(signatures, signature)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "Superpay")
	req.Header.Set(standardwebhooks.HeaderWebhookID, n.ID)
	req.Header.Set(standardwebhooks.HeaderWebhookTimestamp, strconv.FormatInt(at.Unix(), 10))
	req.Header.Set(standardwebhooks.HeaderWebhookSignature, strings.Join(signatures, " "))
	res, err := s.client.Do(req)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	_, _ = io.CopyN(io.Discard, res.Body, maxAnswer)
	return res.StatusCode, nil
}

// reason is an error in few words, for the delivery log.
func reason(err error) string {
	text := strings.ToValidUTF8(strings.ReplaceAll(err.Error(), "\x00", ""), "?")
	return text[:min(len(text), 300)]
}
