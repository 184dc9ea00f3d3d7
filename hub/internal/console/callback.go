package console

import (
	"context"
	"errors"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/hub/internal/payments"
	"github.com/superpayhub/superpay/hub/internal/postgres"
	"github.com/superpayhub/superpay/sdk"
)

// callbackData is one line of the inbox.
type callbackData struct {
	*ledger.Callback
	Order *ledger.Order // nil: it is of none
	Why   string        // as typed, for a replay
}

// Replayable reports whether there is a body to judge once more.
func (d callbackData) Replayable() bool { return d.Raw != nil }

func (s *server) callback(c *fiber.Ctx, p *page) error {
	d, err := s.callbackOf(c, p)
	if err != nil {
		return err
	}
	return s.render(c, p, "callback", d)
}

// callbackOf loads the callback that the address names.
func (s *server) callbackOf(c *fiber.Ctx, p *page) (callbackData, error) {
	d := callbackData{Why: c.FormValue("why")}
	var err error
	if d.Callback, err = s.DB.Callback(c.UserContext(), "", c.Params("id")); err != nil {
		return d, err
	}
	p.Title, p.Screen = visible(d.Type)+" · "+p.T("inbox.title"), "inbox"
	if d.OrderID != "" {
		d.Order, err = s.DB.Order(c.UserContext(), "", d.OrderID)
		if errors.Is(err, postgres.ErrNotFound) {
			err = nil
		}
	}
	return d, err
}

// bodyShown is how much of a body a page shows at first.
const bodyShown = 64 << 10

// rawData is a callback as it came, without its secrets, and what it says.
type rawData struct {
	*ledger.Callback
	Request sdk.CallbackRequest // its headers and query without secrets
	Body    string              // likewise
	More    bool                // the page shows not all of it
	Facts   []sdk.Fact
	Reading payments.Reading
}

// callbackRaw shows what a provider sent. That names payers, so who looks at it
// is on record.
func (s *server) callbackRaw(c *fiber.Ctx, p *page) error {
	d, err := s.readRaw(c, p)
	if err != nil {
		return err
	}
	if c.Query("all") != "1" && len(d.Body) > bodyShown {
		d.Body, d.More = cutText(d.Body, bodyShown), true
	}
	d.Body = visibleLines(d.Body)
	return s.render(c, p, "callback_raw", d)
}

// callbackFile is the same, as a text to keep.
func (s *server) callbackFile(c *fiber.Ctx, p *page) error {
	d, err := s.readRaw(c, p)
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, "text/plain; charset=utf-8")
	c.Set(fiber.HeaderContentDisposition, `attachment; filename="`+d.ID+`.txt"`)
	text := d.Request.Method + " " + d.Request.Path
	if d.Request.Query != "" {
		text += "?" + d.Request.Query
	}
	for _, h := range d.Request.Headers {
		text += "\n" + h.Name + ": " + h.Value
	}
	return c.SendString(text + "\n\n" + d.Body + "\n")
}

// readRaw opens a callback's body, with a mark in the audit before.
func (s *server) readRaw(c *fiber.Ctx, p *page) (rawData, error) {
	cb, err := s.DB.Callback(c.UserContext(), "", c.Params("id"))
	if err != nil {
		return rawData{}, err
	}
	d := rawData{Callback: cb}
	err = s.act(c, p, "callback.read", cb.ID, "", func() error {
		ctx, cancel := context.WithTimeout(c.UserContext(), s.Payments.CallTimeout)
		defer cancel()
		d.Reading, err = s.Payments.ReadCallback(ctx, cb)
		return err
	})
	if err != nil {
		return d, err
	}
	d.Request = d.Reading.Request
	d.Request.Query, d.Request.Headers, d.Body = maskForm(d.Request.Query), maskHeaders(d.Request.Headers), maskBody(d.Request.Body)
	if d.Reading.Result != nil {
		d.Facts = d.Reading.Result.Facts
	}
	p.Title, p.Screen = p.T("callback.raw.title")+" · "+visible(d.Type), "inbox"
	return d, nil
}

// cutText is the beginning of a text, in whole characters.
func cutText(text string, bytes int) string { return strings.ToValidUTF8(text[:bytes], "") }
