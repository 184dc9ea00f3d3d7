package payments

import (
	"context"
	"time"

	"github.com/superpayhub/superpay/hub/internal/ledger"
)

// tellAgainPage is how many orders are looked for in one statement.
const tellAgainPage = 200

// tellAgain has apps told of orders whose last notification may not be the newest
// for them, because the database went back to mark: of what changed before this hub
// or another one had learned the floor of versions, and of what is not at rest, for
// what only the hub knew of it (that it was canceled, say) is lost, and no provider
// tells. Repeating it tells nothing twice.
func (s *Service) tellAgain(ctx context.Context, mark time.Time) error {
	floor := s.DB.VersionFloor()
	if s.Render == nil || floor == 0 {
		return nil
	}
	for after := ""; ; {
		ids, err := s.DB.Untold(ctx, ledger.FirstID("ntf", mark), floor, after, tellAgainPage)
		if err != nil || len(ids) == 0 {
			return err
		}
		for _, id := range ids {
			o, err := s.DB.Order(ctx, "", id)
			if err != nil {
				return err
			}
			// One that others change meanwhile is told of by them.
			if _, err := s.commit(ctx, o.TellAgain(s.env())); err != nil {
				return err
			}
		}
		after = ids[len(ids)-1]
	}
}
