package payments

import (
	"context"
	"errors"
	"time"

	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/hub/internal/postgres"
)

const (
	missedPage = 100
	// missedMargin is for hubs whose clocks differ, and for commits that began before
	// an endpoint was disabled or enabled and ended after.
	missedMargin = 15 * time.Second
)

// TellMissed has an endpoint that was disabled and is enabled again told of a page of
// the orders that changed meanwhile, each once, as it is now. It reports whether there
// may be more to tell.
func (s *Service) TellMissed(ctx context.Context) (more bool, err error) {
	behind, err := s.DB.EndpointBehind(ctx, s.now().Add(-s.env().Scale(missedMargin)))
	if errors.Is(err, postgres.ErrNotFound) || s.Render == nil {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	orders, err := s.DB.Orders(ctx, postgres.OrderFilter{AppID: behind.AppID, Changed: postgres.Place{At: behind.From, ID: behind.ID}, Limit: missedPage})
	if err != nil {
		return false, err
	}
	var notices []ledger.Notice
	var upTo *postgres.Place
	for _, o := range orders {
		if o.UpdatedAt.After(behind.Until) { // it was told of that by the change
			upTo = nil
			break
		}
		o.VersionFloor = s.DB.VersionFloor()
		notices = append(notices, s.notice(o, "order."+string(o.Status), s.now()))
		upTo = &postgres.Place{At: o.UpdatedAt, ID: o.ID}
	}
	if len(notices) < missedPage {
		upTo = nil
	}
	if err := s.DB.TellMissed(ctx, behind, notices, upTo); err != nil {
		return false, err
	}
	s.Kick()
	return true, nil
}
