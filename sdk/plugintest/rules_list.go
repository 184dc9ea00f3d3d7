package plugintest

import (
	"time"

	"github.com/superpayhub/superpay/sdk"
)

// listed is how many payments list_knows makes: more than a page of listPage holds.
const (
	listed   = 4
	listPage = 2
)

func listKnows(s *sheet) {
	began := time.Now().UTC().Add(-2 * time.Second)
	made := map[sdk.Ref]*attempt{}
	for range listed {
		a := s.paid()
		made[a.payment.Refs[0]] = a
	}
	cursor := ""
	for range 200 {
		ctx, cancel := s.within(patience)
		page, err := s.client.List(ctx, sdk.ListRequest{Since: began, Cursor: cursor, Limit: listPage})
		cancel()
		if notOffered(err) {
			s.Logf("the plugin lists nothing")
			return
		}
		s.must("List", err)
		for _, p := range page.Payments {
			for _, r := range p.Refs {
				a := made[r]
				if a == nil {
					continue
				}
				if a.request.CaptureMode == sdk.CaptureAutomatic && (len(p.Captures.Items) != 1 || p.Captures.Items[0].ID != a.capture().ID) {
					s.Errorf("List shows the captures %+v, GetPayment %+v", p.Captures.Items, a.payment.Captures.Items)
				}
				delete(made, r)
			}
		}
		switch {
		case len(made) == 0:
			return
		case page.Next == "":
			s.Errorf("List ends without %d of %d payments made after the time it was asked for; pages were of %d", len(made), listed, listPage)
			return
		case page.Next == cursor:
			s.fatalf("List gives the same cursor again: %q", cursor)
		}
		cursor = page.Next
	}
	s.Errorf("List does not end")
}

// findsAmongMany: a search for a payment reads every page. The others are of another
// hub that uses the same account, and the same attempt id.
func findsAmongMany(s *sheet) {
	a := s.attempt(s.paper.Success).create()
	ctx, cancel := s.within(patience)
	defer cancel()
	for range s.exam.paper.SearchPage + 1 {
		other := a.request
		other.InstanceID, other.Key = otherInstance, s.id("op")
		_, err := s.client.CreateCheckout(ctx, other)
		s.must("CreateCheckout of another hub", err)
	}
	p, err := s.client.GetPayment(ctx, a.unnamed())
	if err != nil || len(p.Refs) == 0 || p.Refs[0] != a.payment.Refs[0] {
		s.Errorf("%d payments of another hub were made after it, and GetPayment without refs answers %+v (%s, %v), want %+v", s.exam.paper.SearchPage+1, p, class(err), err, a.payment.Refs)
	}
}
