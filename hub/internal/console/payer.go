package console

import (
	"html/template"
	"net/url"
	"strconv"

	"github.com/gofiber/fiber/v2"

	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/sdk"
)

// payerTries is how often the page that waits loads itself again, every three
// seconds.
const payerTries = 10

// payerData is what a payer is told: what the order says, and nothing that
// came with the address.
type payerData struct {
	App     string
	Kind    string // of the texts: payer.<kind>.title and .says
	Amount  template.HTML
	Why     string // of a no, where the payer can do something about it
	Next    string // where the payer can go on paying
	Refresh string // the address that the page loads next
}

// tonesOfPayer are the drawings of what a payer is told.
var tonesOfPayer = map[string]string{
	"paid": "ok", "refunded": "back", "approved": "ok", "canceled": "idle", "expired": "idle", "checking": "wait", "later": "wait", "unpaid": "bad", "left": "idle",
	"missing": "idle",
}

// Icon is the drawing.
func (d payerData) Icon() string { return tonesOfPayer[d.Kind] }

// Payer shows a payer who comes back, of an order whose app named no page of
// its own, how it stands. A nil order is one that there is not.
func (p *Console) Payer(c *fiber.Ctx, o *ledger.Order, attemptID string) error {
	s := p.s
	s.payerHeaders(c)
	page := s.guestPage(c)
	if o == nil {
		page.Title = page.T("payer.missing.title")
		c.Status(fiber.StatusNotFound)
		return s.render(c, page, "payer", payerData{Kind: "missing"})
	}
	app, err := s.DB.AppName(c.UserContext(), o.AppID)
	if err != nil {
		return err
	}
	a := o.Attempt(attemptID)
	tries, _ := strconv.Atoi(c.Query("n"))
	d := payerData{App: app, Kind: payerKind(o, a, c.Query("cancel") == "1"), Amount: money(o.Amount, o.Currency, o.Exponent)}
	switch d.Kind {
	case "checking":
		if tries = max(0, tries); tries >= payerTries {
			d.Kind = "later"
			break
		}
		d.Refresh = "?n=" + strconv.Itoa(tries+1)
		c.Set("Refresh", "3; url="+d.Refresh)
	case "unpaid":
		if a.Failure != nil && hasText("payer.why."+a.Failure.Code) {
			d.Why = page.T("payer.why." + a.Failure.Code)
		}
		d.Next = payNext(a)
	case "left":
		d.Next = payNext(a)
	}
	page.Title, page.Test = page.T("payer."+d.Kind+".title"), a.Mode == sdk.Test
	return s.render(c, page, "payer", d)
}

// payerKind is what the order says of an attempt. left is true when the payer
// says to have called off, which proves nothing.
func payerKind(o *ledger.Order, a *ledger.Attempt, left bool) string {
	switch o.Status {
	case ledger.OrderPaid, ledger.OrderPartiallyRefunded:
		return "paid"
	case ledger.OrderRefunded:
		return "refunded"
	case ledger.OrderAuthorized:
		return "approved"
	case ledger.OrderCanceled:
		return "canceled"
	case ledger.OrderExpired:
		return "expired"
	case ledger.OrderPending:
		return "checking"
	}
	switch {
	case a.Status == sdk.Failed, a.Status == sdk.Canceled, a.Failure != nil && a.Status == sdk.RequiresAction:
		return "unpaid"
	case left && a.Status == sdk.RequiresAction:
		return "left"
	}
	return "checking"
}

// payNext is the provider's page, while it can still be paid there.
func payNext(a *ledger.Attempt) string {
	next := a.NextAction
	if !a.Live() || next == nil || next.Type != sdk.ActionRedirect || next.Method != "" && next.Method != fiber.MethodGet {
		return ""
	}
	if u, err := url.Parse(next.URL); err != nil || u.Scheme != "https" && u.Scheme != "http" {
		return ""
	}
	return next.URL
}

// payerHeaders: the address names the payment, so no other page is told it.
func (s *server) payerHeaders(c *fiber.Ctx) {
	s.secureHeaders(c)
	c.Set(fiber.HeaderReferrerPolicy, "no-referrer")
}
