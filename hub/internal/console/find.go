package console

import (
	"context"
	"regexp"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/superpayhub/superpay/hub/internal/postgres"
	"github.com/superpayhub/superpay/sdk"
)

// findLimit is how many orders one kind of name finds at most.
const findLimit = 20

type findData struct {
	Query  string
	Groups []findGroup
}

// findGroup is what was found by one kind of name.
type findGroup struct {
	By   string
	Rows []postgres.OrderHit
}

// ourID is the form of every id that the hub makes.
var ourID = regexp.MustCompile(`^[a-z]{2,3}_[0-9a-z]{26}$`)

// amountQuery is a number, with a currency or without.
var amountQuery = regexp.MustCompile(`^([0-9][0-9,]{0,15}(?:\.[0-9]{1,4})?)(?: ?([A-Za-z]{3}))?$`)

// find is the one search box. What the text looks like decides where it is
// looked up; an exact name leads straight to its order.
func (s *server) find(c *fiber.Ctx, p *page) error {
	q := strings.TrimSpace(strings.Map(dropInvisible, c.Query("q")))
	d := findData{Query: q}
	p.Title, p.Wide = p.T("find.title"), true
	if q == "" || len(q) > 200 {
		return s.render(c, p, "find", d)
	}
	hits, err := s.lookUp(c.UserContext(), q)
	if err != nil {
		return err
	}
	if to, by := exact(hits, q); to != nil {
		s.flash(c, "find.by", p.T("find.by."+known(by)), short(q))
		anchor := ""
		if to.AttemptID != "" {
			anchor = "#" + to.AttemptID
		}
		return s.redirect(c, "/orders/"+to.ID+anchor)
	}
	for _, h := range hits {
		i := slices.IndexFunc(d.Groups, func(g findGroup) bool { return g.By == h.By })
		if i < 0 {
			d.Groups, i = append(d.Groups, findGroup{By: h.By}), len(d.Groups)
		}
		d.Groups[i].Rows = append(d.Groups[i].Rows, h)
	}
	return s.render(c, p, "find", d)
}

// dropInvisible leaves out what a copied id may bring along.
func dropInvisible(r rune) rune {
	if strings.ContainsRune(visible(string(r)), '\ufffd') {
		return -1
	}
	return r
}

// lookUp asks where a text of that form can be found.
func (s *server) lookUp(ctx context.Context, q string) ([]postgres.OrderHit, error) {
	if ourID.MatchString(q) {
		hits, err := s.DB.FindByOurID(ctx, q)
		if err != nil || len(hits) > 0 {
			return hits, err
		}
	}
	if strings.Contains(q, "@") {
		hits, err := s.DB.FindByEmail(ctx, q, findLimit)
		if err != nil || len(hits) > 0 {
			return hits, err
		}
	}
	hits, err := s.DB.FindByProviderID(ctx, q)
	if err != nil || len(hits) > 0 {
		return hits, err
	}
	if hits, err = s.DB.FindByReference(ctx, q, findLimit); err != nil {
		return nil, err
	}
	amounts, err := s.findAmount(ctx, q)
	return append(hits, amounts...), err
}

func (s *server) findAmount(ctx context.Context, q string) ([]postgres.OrderHit, error) {
	m := amountQuery.FindStringSubmatch(q)
	if m == nil {
		return nil, nil
	}
	search := postgres.OrderSearch{Exactly: strings.ReplaceAll(m[1], ",", ""), Currency: strings.ToUpper(m[2]), Limit: findLimit}
	if _, ok := sdk.Exponent(search.Currency); search.Currency != "" && !ok || !decimal.MatchString(search.Exactly) {
		return nil, nil
	}
	rows, err := s.DB.SearchOrders(ctx, search)
	var hits []postgres.OrderHit
	for _, r := range rows {
		hits = append(hits, postgres.OrderHit{OrderRow: r, By: "amount"})
	}
	return hits, err
}

// exact is the one order that a text names whole, and what it is called by.
func exact(hits []postgres.OrderHit, q string) (*postgres.OrderHit, string) {
	var found *postgres.OrderHit
	for i, h := range hits {
		switch {
		case h.By == "email" || h.By == "payer" || h.By == "amount":
			continue
		case h.By == "reference" && h.Reference != q:
			continue
		case found != nil:
			return nil, "" // it names several: the reader chooses
		}
		found = &hits[i]
	}
	if found == nil {
		return nil, ""
	}
	return found, found.By
}

// known is the text that says what an order was found by: a provider's own kind
// of name has none.
func known(by string) string {
	if hasText("find.by." + by) {
		return by
	}
	return "provider"
}
