package api

import (
	"bytes"

	"github.com/gofiber/fiber/v2"

	"github.com/superpayhub/superpay/sdk"
)

// callback hands a provider's call, untouched, to its plugin. 2xx means that
// it is on record; 503 asks the provider to send it again.
func (s *server) callback(c *fiber.Ctx) error {
	r := sdk.CallbackRequest{
		Method: c.Method(), Path: c.Path(), Query: string(c.Request().URI().QueryString()),
		Body: bytes.Clone(c.Request().Body()), // raw: what was signed, not what a decoder makes of it
	}
	for name, value := range c.Request().Header.All() {
		r.Headers = append(r.Headers, sdk.Header{Name: string(name), Value: string(value)})
	}
	name := c.Params("provider")
	ack, verdict, err := s.Payments.Callback(c.UserContext(), name, r)
	if verdict != "" {
		s.metrics.callbacks.WithLabelValues(name, string(verdict)).Inc()
	}
	if err != nil {
		return err
	}
	if ack.Status == 0 {
		ack.Status = fiber.StatusOK
	}
	if ack.ContentType != "" {
		c.Set(fiber.HeaderContentType, ack.ContentType)
	}
	return c.Status(ack.Status).Send(ack.Body)
}
