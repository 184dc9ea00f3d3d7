package api

import (
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/superpayhub/superpay/hub/internal/ledger"
)

// Requests at once. More would wait for the database so long that their apps
// give up, and then ask again: refusing them at once keeps the others quick.
// Those that wait for a provider's answer cost the hub little, so many may.
const maxAll = 8192

// admit refuses what the hub could only queue. Nothing is done of it.
func (s *server) admit(c *fiber.Ctx) error {
	all := s.inFlight.Add(1)
	defer s.inFlight.Add(-1)
	if all > maxAll || all-s.Payments.Asking() > int64(s.MaxActive) {
		return &ledger.Error{
			Kind: ledger.Unavailable, Code: "overloaded", RetryAfter: time.Second,
			Message: "more is asked than the hub can do right now; nothing was done, repeat the request with the same Idempotency-Key",
		}
	}
	return c.Next()
}
