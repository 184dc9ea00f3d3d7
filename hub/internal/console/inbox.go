package console

import (
	"slices"

	"github.com/gofiber/fiber/v2"

	"github.com/superpayhub/superpay/hub/internal/access"
	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/hub/internal/postgres"
	"github.com/superpayhub/superpay/sdk"
)

const inboxPage = 50

type inboxData struct {
	listing
	Callbacks    []*ledger.Callback
	Verdicts     []sdk.Verdict
	Outcomes     []ledger.CallbackOut
	Providers    []string
	First, Older string // addresses of pages
}

func (s *server) inboxRoutes() []route {
	return []route{
		{fiber.MethodGet, "/inbox", access.Viewer, s.inbox},
		{fiber.MethodPost, "/inbox/replay", access.Operator, s.replayMany},
		{fiber.MethodGet, "/inbox/:id", access.Viewer, s.callback},
		{fiber.MethodGet, "/inbox/:id/raw", access.Operator, s.callbackRaw},
		{fiber.MethodGet, "/inbox/:id/raw.txt", access.Operator, s.callbackFile},
		{fiber.MethodPost, "/inbox/:id/replay", access.Operator, s.replay},
	}
}

// inbox lists what providers called about, the newest first.
func (s *server) inbox(c *fiber.Ctx, p *page) error {
	p.Title, p.Screen, p.Wide = p.T("inbox.title"), "inbox", true
	d := inboxData{
		listing:  s.listing(c, "/inbox", "verdict", "outcome", "provider", "type", "order", "from", "to", "after"),
		Verdicts: []sdk.Verdict{sdk.Genuine, sdk.Forged, sdk.CannotCheck, sdk.NotOurs}, Outcomes: ledger.CallbackOutcomes,
	}
	f := d.filter(p)
	d.Providers = s.providerNames(f.Provider)
	if len(p.Problems) > 0 {
		return s.again(c, p, "inbox", d)
	}
	f.Limit = inboxPage + 1
	var err error
	if d.Callbacks, err = s.DB.Callbacks(c.UserContext(), f); err != nil {
		return err
	}
	ids := make([]string, len(d.Callbacks))
	for i, cb := range d.Callbacks {
		ids[i] = cb.ID
	}
	d.First, d.Older = d.pages(inboxPage, ids)
	d.Callbacks = d.Callbacks[:min(len(ids), inboxPage)]
	return s.render(c, p, "inbox", d)
}

// filter is what the address asks for. Days are the reader's.
func (d inboxData) filter(p *page) postgres.CallbackFilter {
	f := postgres.CallbackFilter{
		Verdict: d.Value("verdict"), Outcome: d.Value("outcome"), Provider: d.Value("provider"), Type: d.Value("type"), OrderID: d.Value("order"),
		From: p.day("from", d.Value("from"), 0), To: p.day("to", d.Value("to"), 1), Before: d.Value("after"),
	}
	return f
}

// providerNames are those that are configured, and the one that is asked for:
// what came from one that is gone can still be looked at.
func (s *server) providerNames(asked string) []string {
	var names []string
	for _, p := range s.Providers.All() {
		names = append(names, p.Name())
	}
	if asked != "" && !slices.Contains(names, asked) {
		names = append(names, asked)
	}
	return names
}
