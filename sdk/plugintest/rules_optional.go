package plugintest

import (
	"fmt"
	"strings"

	"github.com/superpayhub/superpay/sdk"
)

// What a hub sends at the most: see CheckoutRequest.
const (
	mostDescription = 500 // bytes
	mostReference   = 200
	mostName        = 200
	mostMetadata    = 40 // keys, of at most 40 bytes each
	mostValue       = 500
)

// optionalFields makes checkouts with nothing that may be left out, and with the most that
// a hub sends of it. Neither is a reason to refuse one.
func optionalFields(s *sheet) {
	for what, change := range map[string]func(*sdk.CheckoutRequest){
		"nothing that may be left out": func(r *sdk.CheckoutRequest) {
			r.Description, r.Customer, r.Metadata = "", sdk.Customer{}, nil
		},
		"the most that a hub sends": func(r *sdk.CheckoutRequest) {
			r.Description = strings.Repeat("d", mostDescription)
			r.Reference = strings.Repeat("r", mostReference)
			r.Customer.Name = strings.Repeat("n", mostName)
			r.Metadata = map[string]string{}
			for i := range mostMetadata {
				r.Metadata[fmt.Sprintf("%040d", i)] = strings.Repeat("v", mostValue)
			}
		},
	} {
		a := s.attempt(s.paper.Success, change)
		ctx, cancel := s.within(patience)
		p, err := s.client.CreateCheckout(ctx, a.request)
		cancel()
		if err != nil || p.Failure != nil {
			s.Errorf("a checkout with %s is not made: %s: %v", what, class(err), err)
		}
	}
}
