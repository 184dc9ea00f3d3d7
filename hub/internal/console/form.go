package console

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/url"

	"github.com/gofiber/fiber/v2"

	"github.com/superpayhub/superpay/hub/internal/ledger"
)

// errForm is answered to a form that was not ours, or is too old.
var errForm = fiber.NewError(fiber.StatusForbidden, "form")

// checkForm believes a form that comes from one of our pages, with the token
// of this very session.
func (s *server) checkForm(c *fiber.Ctx, p *page) error {
	if !isForm(c) {
		return fiber.ErrUnsupportedMediaType
	}
	if !s.sameOrigin(c) || !validToken(p.secret, c.FormValue("token")) {
		return errForm
	}
	return nil
}

// sameOrigin believes what browsers say and scripts of other pages cannot
// change. A client that says nothing is no browser; the token remains.
func (s *server) sameOrigin(c *fiber.Ctx) bool {
	if site := c.Get("Sec-Fetch-Site"); site != "" {
		return site == "same-origin"
	}
	origin := c.Get(fiber.HeaderOrigin)
	if origin == "" {
		return true
	}
	from, err := url.Parse(origin)
	if err != nil || from.Host == "" {
		return false // "null"
	}
	public, _ := url.Parse(s.PublicURL) // checked at start
	return from.Host == public.Host || from.Host == string(c.Request().Host())
}

// newToken is what a form proves its page with. It is different each time, so
// that a compressing proxy does not give it away bit by bit.
func newToken(secret string) string {
	mask := make([]byte, sha256.Size, 2*sha256.Size)
	_, _ = rand.Read(mask) // never fails
	return base64.RawURLEncoding.EncodeToString(append(mask, xor(mask, tokenOf(secret))...))
}

func validToken(secret, token string) bool {
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(raw) != 2*sha256.Size || secret == "" {
		return false
	}
	return hmac.Equal(xor(raw[:sha256.Size], raw[sha256.Size:]), tokenOf(secret))
}

func tokenOf(secret string) []byte {
	h := hmac.New(sha256.New, []byte(secret))
	h.Write([]byte("superpay form"))
	return h.Sum(nil)
}

func xor(a, b []byte) []byte {
	out := make([]byte, len(a))
	for i := range a {
		out[i] = a[i] ^ b[i]
	}
	return out
}

// Once is what a form carries that makes something, so that it makes it once, however
// often it is sent.
func (p *page) Once() string { return ledger.NewID("act", p.Now) }

// sentOnce reads what Once gave. A form from before an upgrade has none, and counts as
// one of its own.
func (p *page) sentOnce(c *fiber.Ctx) string {
	if once := c.FormValue("once"); ledger.ValidID("act", once) {
		return once
	}
	return p.Once()
}
