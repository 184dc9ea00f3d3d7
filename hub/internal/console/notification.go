package console

import (
	"github.com/gofiber/fiber/v2"

	"github.com/superpayhub/superpay/hub/internal/postgres"
)

// notificationData is one notification with each try.
type notificationData struct {
	told
	Tries []postgres.Try
	Body  string // what is sent
	Again bool   // it was delivered already: asks once more
}

func (s *server) notification(c *fiber.Ctx, p *page) error {
	d, err := s.notificationOf(c, p)
	if err != nil {
		return err
	}
	return s.render(c, p, "notification", d)
}

// notificationOf loads the notification that the address names.
func (s *server) notificationOf(c *fiber.Ctx, p *page) (notificationData, error) {
	n, tries, err := s.DB.Notification(c.UserContext(), "", c.Params("id"))
	if err != nil {
		return notificationData{}, err
	}
	endpoints, err := s.DB.AllEndpoints(c.UserContext(), endpointsOffered)
	if err != nil {
		return notificationData{}, err
	}
	d := notificationData{told: toldOf(n, endpoints), Tries: tries, Body: visibleLines(maskBody([]byte(n.Payload)))}
	for i := range tries {
		tries[i].URL = maskURL(tries[i].URL)
		if answer := tries[i].Answer; answer != nil {
			shown := visibleLines(maskText(*answer))
			tries[i].Answer = &shown
		}
	}
	p.Title, p.Screen = visible(n.Type)+" · "+p.T("outbox.title"), "outbox"
	return d, nil
}
