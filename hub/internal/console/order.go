package console

import (
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/hub/internal/postgres"
	"github.com/superpayhub/superpay/sdk"
)

// orderData is what one order's page shows.
type orderData struct {
	*ledger.Order
	App      string
	Totals   []total
	Bar      []barPart
	Attempts []attemptCard
	Doubts   []*ledger.Operation // open ones without an answer
	Open     []attentionBox
	Actions  []action
	NotNow   []action
	Next     []nextStep
	Raw      string
	Story    storyData
	Moved    string
	Live     bool
}

// total is one of the six numbers.
type total struct {
	Key    string
	Amount int64
}

// barPart is a part of the bar that shows the numbers to scale: 0 to 1000.
type barPart struct {
	Key      string
	At, Wide int64
}

// attemptCard is one try, with the letter that the timeline calls it by.
type attemptCard struct {
	*ledger.Attempt
	Letter   string
	Captures []*ledger.Capture
	Refunds  []*ledger.Refund
	Disputes []*ledger.Dispute
	Others   []ledger.Balance // money of other currencies than the order's
	Unknown  bool             // an operation of it has no answer
}

type attentionBox struct {
	ledger.Attention
	Letter string
	Second bool // a second payment that can be given back
}

// nextStep is what the hub does next by itself.
type nextStep struct {
	Key, Who string
	At       time.Time
}

func attentionOf(raw json.RawMessage) []ledger.Attention {
	var list []ledger.Attention
	_ = json.Unmarshal(raw, &list) // the hub's own
	return list
}

func (s *server) order(c *fiber.Ctx, p *page) error {
	d, err := s.readOrder(c, p, c.Params("id"))
	if err != nil {
		return err
	}
	return s.renderOrder(c, p, d)
}

func (s *server) renderOrder(c *fiber.Ctx, p *page, d *orderData) error {
	p.Title = visible(d.Reference) + " · " + p.T("status.order."+string(d.Status))
	p.Screen, p.Wide = "orders", true
	return s.render(c, p, "order", d)
}

// orderLive answers the probe of a page that is looked at: nothing while
// nothing changed.
func (s *server) orderLive(c *fiber.Ctx, p *page) error {
	moved, err := s.DB.OrderMoved(c.UserContext(), c.Params("id"))
	if err != nil {
		return err
	}
	if moved == c.Query("moved") {
		return c.SendStatus(fiber.StatusNoContent)
	}
	d, err := s.readOrder(c, p, c.Params("id"))
	if err != nil {
		return err
	}
	c.Request().Header.Set("HX-Target", "order")
	return s.renderOrder(c, p, d)
}

func (s *server) readOrder(c *fiber.Ctx, p *page, id string) (*orderData, error) {
	ctx := c.UserContext()
	o, err := s.DB.Order(ctx, "", id)
	if err != nil {
		return nil, err
	}
	moved, err := s.DB.OrderMoved(ctx, id)
	if err != nil {
		return nil, err
	}
	d := &orderData{Order: o, Moved: moved, Live: c.Query("live") != "0"}
	if d.Story, d.App, err = s.readStory(c, p, d); err != nil {
		return nil, err
	}
	d.sum()
	d.cards()
	d.attention()
	d.Actions, d.NotNow = s.possible(p, o)
	plain := *o
	raw, err := json.MarshalIndent(plain, "", "  ")
	d.Raw = string(raw)
	return d, err
}

// sum fills in the six numbers and their bar.
func (d *orderData) sum() {
	d.Totals = []total{
		{"asked", d.Amount},
		{"authorized", d.Authorized},
		{"captured", d.Captured},
		{"refunded", d.Refunded},
		{"disputed", d.Disputed},
		{"refundable", d.Refundable},
	}
	whole := max(d.Amount, d.Captured, d.Authorized, 1)
	scale := func(n int64) int64 { return int64(float64(n) / float64(whole) * 1000) }
	d.Bar = append(d.Bar, barPart{"asked", 0, scale(d.Amount)}, barPart{"authorized", 0, scale(d.Authorized)}, barPart{"captured", 0, scale(d.Captured)})
	if d.Captured > d.Amount {
		d.Bar = append(d.Bar, barPart{"excess", scale(d.Amount), scale(d.Captured - d.Amount)})
	}
	d.Bar = append(d.Bar, barPart{"refunded", scale(d.Captured - d.Refunded), scale(d.Refunded)}, barPart{"disputed", scale(d.Captured - d.Refunded - d.Disputed), scale(d.Disputed)})
	d.Bar = slices.DeleteFunc(d.Bar, func(s barPart) bool { return s.Wide <= 0 || s.At < 0 })
}

// letter names an attempt by its place: A, B, ...
func letter(o *ledger.Order, attemptID string) string {
	i := slices.IndexFunc(o.Attempts, func(a *ledger.Attempt) bool { return a.ID == attemptID })
	if i < 0 {
		return ""
	}
	return string(rune('A' + i%26))
}

func (d *orderData) cards() {
	for _, a := range d.Order.Attempts {
		card := attemptCard{Attempt: a, Letter: letter(d.Order, a.ID)}
		for _, b := range d.Balances(a) {
			if b.Currency != d.Currency {
				card.Others = append(card.Others, b)
			}
		}
		for _, x := range d.Captures {
			if x.AttemptID == a.ID {
				card.Captures = append(card.Captures, x)
			}
		}
		for _, x := range d.Refunds {
			if x.AttemptID == a.ID {
				card.Refunds = append(card.Refunds, x)
			}
		}
		for _, x := range d.Disputes {
			if x.AttemptID == a.ID {
				card.Disputes = append(card.Disputes, x)
			}
		}
		if op := d.OpenOperation(a.ID); op != nil && op.Outcome == ledger.OutcomeUnknown {
			card.Unknown = true
			d.Doubts = append(d.Doubts, op)
		}
		if !a.DueAt.IsZero() {
			d.Next = append(d.Next, nextStep{"read", a.Provider, a.DueAt})
		}
		d.Attempts = append(d.Attempts, card)
	}
	slices.SortFunc(d.Next, func(a, b nextStep) int { return a.At.Compare(b.At) })
}

func (d *orderData) attention() {
	for _, a := range d.Attention {
		if !a.ResolvedAt.IsZero() {
			continue
		}
		box := attentionBox{Attention: a, Letter: letter(d.Order, a.AttemptID)}
		if at := d.Attempt(a.AttemptID); a.Reason == ledger.SecondPayment && at != nil {
			box.Second = at.Refundable() > 0
		}
		d.Open = append(d.Open, box)
	}
}

// DueOf is when the hub looks again at what is in doubt.
func (d *orderData) DueOf(attemptID *string) time.Time {
	if attemptID == nil {
		return time.Time{}
	}
	if a := d.Attempt(*attemptID); a != nil {
		return a.DueAt
	}
	return time.Time{}
}

// LetterOf names the attempt of an operation.
func (d *orderData) LetterOf(attemptID *string) string {
	if attemptID == nil {
		return ""
	}
	return letter(d.Order, *attemptID)
}

// Probe is the query that asks what changed since.
func (d *orderData) Probe() string {
	return url.Values{"moved": {d.Moved}, "show": {d.Story.Show}, "order": {d.Story.Direction}, "before": {d.Story.Before}}.Encode()
}

// Facts are what the app told of the order.
func (d *orderData) Facts() bool {
	return d.Description != "" || len(d.LineItems) > 0 || len(d.Metadata) > 0 || d.Customer != (sdk.Customer{})
}

// Wait reports what the order waits for, for the sentence below its name.
func (d *orderData) Test() bool { return isTest(string(d.Mode)) }

// notFound is for ids below an order that are not its own.
func notFound(err error) bool { return errors.Is(err, postgres.ErrNotFound) }
