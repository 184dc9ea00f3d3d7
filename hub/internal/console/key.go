package console

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/superpayhub/superpay/hub/internal/access"
	"github.com/superpayhub/superpay/hub/internal/postgres"
)

// keyDays bounds how far ahead a key's end may lie: ten years.
const keyDays = 3650

// newKey makes another key of an app and shows it once.
func (s *server) newKey(c *fiber.Ctx, p *page) error {
	d, err := s.appOf(c, p)
	if err != nil {
		return err
	}
	k := postgres.NewKey{ID: p.sentKeyID(c), AppID: d.ID, Scope: d.Scope}
	if k.Scope != postgres.ScopeFull && k.Scope != postgres.ScopeRead {
		p.blame("scope", "problem.scope")
	}
	if d.Days != "" {
		days, err := strconv.Atoi(d.Days)
		if err != nil || days < 1 || days > keyDays {
			p.blame("days", "problem.days", keyDays)
		}
		until := p.Now.AddDate(0, 0, min(max(days, 0), keyDays))
		k.ExpiresAt = &until
	}
	if len(p.Problems) > 0 {
		return s.again(c, p, "app", d)
	}
	var key string
	act := p.act("key.create", d.ID, "")
	act.Data = map[string]any{"scope": k.Scope, "expires_at": k.ExpiresAt}
	err = s.audit.Do(c.UserContext(), act, func() (err error) {
		_, key, err = access.AddKey(c.UserContext(), s.DB, k, p.Now)
		return err
	})
	if err != nil {
		return err
	}
	return s.showOnce(c, p, shownSecret{App: d.ID, AppName: d.Name, Kind: "key", Secret: key})
}

// overlaps are how many hours an old secret may live beside its successor.
var overlaps = []int{0, 1, 24, 168}

// Overlaps are what can be chosen.
func (appData) Overlaps() []int { return overlaps }

// overlap reads the choice.
func (p *page) overlap(c *fiber.Ctx) time.Duration {
	hours, err := strconv.Atoi(c.FormValue("overlap"))
	if err != nil || !slices.Contains(overlaps, hours) {
		p.blame("overlap", "problem.overlap")
	}
	return time.Duration(hours) * time.Hour
}

// rotateKey makes a key that may do what the old one may, which ends after the
// overlap.
func (s *server) rotateKey(c *fiber.Ctx, p *page) error {
	d, err := s.appOf(c, p)
	if err != nil {
		return err
	}
	overlap := p.overlap(c)
	if len(p.Problems) > 0 {
		return s.again(c, p, "app", d)
	}
	var key string
	err = s.act(c, p, "key.rotate", c.Params("key"), "", func() (err error) {
		_, key, err = access.RotateKey(c.UserContext(), s.DB, postgres.NewKey{ID: p.sentKeyID(c), AppID: d.ID}, c.Params("key"), p.Now.Add(overlap), p.Now)
		return ended(err, "key_ended", p.T("key.ended"))
	})
	if err != nil {
		return err
	}
	return s.showOnce(c, p, shownSecret{App: d.ID, AppName: d.Name, Kind: "key", Secret: key})
}

// sentKeyID is the id of the key that a form makes: sent twice, the form makes one.
func (p *page) sentKeyID(c *fiber.Ctx) string {
	_, letters, _ := strings.Cut(p.sentOnce(c), "_")
	return "key_" + letters
}

// revokeData asks once more, by the key's beginning.
type revokeData struct {
	postgres.AppRow
	Key  appKey
	Hint string // as typed
	Why  string
}

func (s *server) revokeOf(c *fiber.Ctx, p *page) (revokeData, error) {
	d, err := s.appOf(c, p)
	if err != nil {
		return revokeData{}, err
	}
	at := slices.IndexFunc(d.Keys, func(k appKey) bool { return k.ID == c.Params("key") })
	if at < 0 {
		return revokeData{}, postgres.ErrNotFound
	}
	p.Title = p.T("key.revoke.title") + " · " + d.Name
	return revokeData{d.AppRow, d.Keys[at], c.FormValue("hint"), d.Why}, nil
}

func (s *server) askRevokeKey(c *fiber.Ctx, p *page) error {
	d, err := s.revokeOf(c, p)
	if err != nil {
		return err
	}
	return s.render(c, p, "key_revoke", d)
}

func (s *server) revokeKey(c *fiber.Ctx, p *page) error {
	d, err := s.revokeOf(c, p)
	if err != nil {
		return err
	}
	if d.Hint != d.Key.Hint {
		p.blame("hint", "problem.hint", d.Key.Hint)
	}
	why := p.why(c)
	if len(p.Problems) > 0 {
		return s.again(c, p, "key_revoke", d)
	}
	err = s.act(c, p, "key.revoke", d.Key.ID, why, func() error {
		return ended(s.DB.RevokeKey(c.UserContext(), d.Key.ID, p.Now), "key_ended", p.T("key.ended"))
	})
	if err != nil {
		return err
	}
	s.flash(c, "key.revoked")
	return s.redirect(c, "/apps/"+d.ID)
}
