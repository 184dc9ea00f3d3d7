package notifications

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/hub/internal/postgres"
)

// AddEndpoint gives an app an endpoint at an address, with its secret. Repeated under
// the same idempotency key it returns what the first request made. An app has one
// endpoint at an address: another request for it is endpoint_exists.
func (s *Sender) AddEndpoint(ctx context.Context, appID, address, key string) (postgres.Endpoint, error) {
	if why := s.CheckURL(address); why != "" {
		return postgres.Endpoint{}, ledger.Invalidf("url", "%s", why)
	}
	now := s.Now().UTC()
	e := postgres.Endpoint{ID: ledger.NewID("whe", now), AppID: appID, URL: address, URLKey: urlKey(address), CreatedAt: now}
	e, err := s.DB.AddEndpoint(ctx, e, madeSecret(now, key, "add", address), MaxEndpoints)
	switch {
	case errors.Is(err, postgres.ErrTaken):
		return e, ledger.Conflictf("endpoint_exists", "endpoint %s has this address; rotate its secret if you do not have it, or delete it first", e.ID)
	case errors.Is(err, postgres.ErrDuplicate):
		return e, ledger.Conflictf("too_many_endpoints", "an app can have %d endpoints; delete one first", MaxEndpoints)
	case errors.Is(err, postgres.ErrKeyUsed):
		return e, errKeyReused()
	}
	return e, err
}

// RotateEndpoint gives an app's endpoint a new secret; those before it sign beside it
// for overlap at most. Repeated under the same idempotency key it returns the secret
// that the first request made. postgres.ErrNotFound.
func (s *Sender) RotateEndpoint(ctx context.Context, appID, id string, overlap time.Duration, key string) (postgres.Endpoint, error) {
	now := s.Now().UTC()
	secret, err := s.DB.RotateEndpoint(ctx, appID, id, madeSecret(now, key, "rotate", id, overlap.String()), now.Add(overlap))
	switch {
	case errors.Is(err, postgres.ErrTooManySecrets):
		return postgres.Endpoint{}, ledger.Conflictf("too_many_secrets", "%d secrets sign for this endpoint already; rotate it again when the first of them has ended, or with overlap_hours=0 when your receiver has the newest", postgres.MaxSecrets)
	case errors.Is(err, postgres.ErrKeyUsed):
		return postgres.Endpoint{}, errKeyReused()
	case err != nil:
		return postgres.Endpoint{}, err
	}
	e, err := s.DB.Endpoint(ctx, appID, id)
	e.Secret = secret
	return e, err
}

// EnableEndpoint has an endpoint that was disabled called again: with what waited for
// it, and the newest state of each order that changed meanwhile. postgres.ErrNotFound.
func (s *Sender) EnableEndpoint(ctx context.Context, appID, id string) error {
	return s.DB.EnableEndpoint(ctx, appID, id, s.Now().UTC(), clockMargin)
}

// clockMargin is how far the clocks of two hubs may be apart.
const clockMargin = 15 * time.Second

func errKeyReused() error {
	return ledger.Conflictf("idempotency_key_reused", "this Idempotency-Key was used with another request; use a new key for a new request")
}

// madeSecret is a fresh secret that a request makes.
func madeSecret(now time.Time, key string, asked ...string) postgres.MadeSecret {
	request := sha256.Sum256([]byte(strings.Join(asked, "\n")))
	return postgres.MadeSecret{ID: ledger.NewID(postgres.SecretID, now), Secret: NewSecret(), Key: key, Request: request[:], At: now}
}

// urlKey is a valid address as it is compared with others: the same without regard to
// the case of scheme and host, and to a port that goes without saying (RFC 3986, 6.2).
func urlKey(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	u.Scheme, u.Host = strings.ToLower(u.Scheme), strings.ToLower(u.Host)
	for scheme, standard := range map[string]string{"https": ":443", "http": ":80"} {
		if u.Scheme == scheme {
			u.Host = strings.TrimSuffix(u.Host, standard)
		}
	}
	if u.Path == "" {
		u.Path = "/"
	}
	return fmt.Sprint(u)
}
