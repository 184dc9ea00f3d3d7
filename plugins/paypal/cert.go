package main

import (
	"context"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"net/http"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/superpayhub/superpay/sdk"
	"github.com/superpayhub/superpay/sdk/once"
)

const (
	maxCert     = 64 << 10
	certTimeout = 5 * time.Second
	certsPath   = "/v1/notifications/certs/"
	maxCerts    = 16 // kept; PayPal uses one or two at a time
	minKey      = 2048
)

// Hosts of certificates and the name in them (the rule of PayPal's own SDKs).
// Fetching what a callback names without these pins would let anybody sign.
var (
	certHosts = map[sdk.Mode][]string{
		sdk.Live: {"api.paypal.com", "api-m.paypal.com"},
		sdk.Test: {"api.sandbox.paypal.com", "api-m.sandbox.paypal.com"},
	}
	certNames = map[sdk.Mode]string{
		sdk.Live: "messageverificationcerts.paypal.com",
		sdk.Test: "messageverificationcerts.sandbox.paypal.com",
	}
	certFile = regexp.MustCompile(`^[A-Za-z0-9_-][A-Za-z0-9_.-]{0,200}$`)
)

// certs fetches, checks and keeps PayPal's signing certificates.
type certs struct {
	settings settings
	http     *http.Client
	fetching chan struct{} // one at a time: forged callbacks must not make a flood
	fetches  budget

	mu      sync.Mutex
	kept    map[string]signer
	refused map[string]useless // addresses that led to no certificate of use
}

// useless is why a certificate cannot be used, and until when nobody looks again.
type useless struct {
	cause error
	until time.Time
}

var (
	errNoCert = errors.New("there is no such certificate at PayPal")
	errBudget = errors.New("more calls with unknown certificates came in this minute than are looked at")
)

// signer is a checked certificate's key, and how long its chain holds.
type signer struct {
	key         *rsa.PublicKey
	from, until time.Time
}

func newCerts(s settings, transport http.RoundTripper) *certs {
	c := once.Client(transport)
	c.Timeout = certTimeout
	return &certs{settings: s, http: c, fetching: make(chan struct{}, 1), kept: map[string]signer{}, refused: map[string]useless{}}
}

// isPinned reports whether a certificate may come from there.
func (c *certs) isPinned(raw string) bool {
	u, err := url.Parse(raw)
	if err != nil || len(raw) > 500 || u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || u.Opaque != "" || u.RawPath != "" {
		return false
	}
	dir, file := path.Split(u.Path)
	if !certFile.MatchString(file) || strings.Contains(raw, "#") {
		return false
	}
	if c.settings.certHost != "" && u.Host == c.settings.certHost { // a stand-in may live under a path
		return strings.HasSuffix(dir, certsPath) && path.Clean(u.Path) == u.Path &&
			(u.Scheme == "https" || u.Scheme == "http" && isLoopback(u.Hostname()))
	}
	return u.Scheme == "https" && dir == certsPath && slices.Contains(certHosts[c.settings.mode], u.Host)
}

// get returns the key at a pinned address, valid at that time.
func (c *certs) get(ctx context.Context, address string, now time.Time) (*rsa.PublicKey, error) {
	if key, err := c.cached(address, now); key != nil || err != nil {
		return key, err
	}
	select {
	case c.fetching <- struct{}{}:
		defer func() { <-c.fetching }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if key, err := c.cached(address, now); key != nil || err != nil {
		return key, err
	}
	if !c.fetches.take(now) {
		return nil, errBudget
	}
	body, err := c.fetch(ctx, address)
	if err != nil && !errors.Is(err, errNoCert) {
		return nil, err // it may be there: nothing is known of it
	}
	var s signer
	if err == nil {
		s, err = c.check(body, now)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		if len(c.refused) >= asksAtMost {
			clear(c.refused)
		}
		c.refused[address] = useless{err, now.Add(time.Minute)}
		return nil, err
	}
	c.fetches.back()
	if len(c.kept) >= maxCerts {
		clear(c.kept)
	}
	c.kept[address] = s
	return s.key, nil
}

// cached returns what is known of the address: a key, or why there is none; neither
// if nothing is known.
func (c *certs) cached(address string, now time.Time) (*rsa.PublicKey, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s, ok := c.kept[address]; ok && !now.Before(s.from) && now.Before(s.until) {
		return s.key, nil
	}
	if r, ok := c.refused[address]; ok && now.Before(r.until) {
		return nil, r.cause
	}
	return nil, nil
}

func (c *certs) fetch(ctx context.Context, address string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	res, err := c.http.Do(req)
	if status := statusOf(err); status == http.StatusNotFound || status == http.StatusGone {
		return nil, errNoCert
	}
	if err != nil {
		return nil, cause(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxCert+1))
	if err == nil && len(body) > maxCert {
		err = once.ErrUnreadable
	}
	return body, err
}

// check verifies a PEM file: its first certificate is PayPal's, by name, and
// signed, by way of the others, by a root that is trusted here.
func (c *certs) check(file []byte, now time.Time) (signer, error) {
	var all []*x509.Certificate
	for block, rest := pem.Decode(file); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			continue
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return signer{}, errors.New("the certificate cannot be read")
		}
		all = append(all, cert)
	}
	if len(all) == 0 {
		return signer{}, errors.New("there is no certificate")
	}
	leaf, between := all[0], x509.NewCertPool()
	for _, cert := range all[1:] {
		between.AddCert(cert)
	}
	chains, err := leaf.Verify(x509.VerifyOptions{
		Roots: c.settings.certRoots, Intermediates: between, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	})
	if err != nil {
		return signer{}, errors.New("the certificate is not trusted")
	}
	name := certNames[c.settings.mode]
	if !slices.Contains(leaf.DNSNames, name) && leaf.Subject.CommonName != name {
		return signer{}, errors.New("the certificate is not PayPal's")
	}
	key, ok := leaf.PublicKey.(*rsa.PublicKey)
	if !ok || key.N.BitLen() < minKey {
		return signer{}, errors.New("the certificate's key is not RSA, or too short")
	}
	s := signer{key: key, from: leaf.NotBefore, until: leaf.NotAfter}
	for _, cert := range chains[0] {
		if cert.NotAfter.Before(s.until) {
			s.until = cert.NotAfter
		}
		if cert.NotBefore.After(s.from) {
			s.from = cert.NotBefore
		}
	}
	return s, nil
}
