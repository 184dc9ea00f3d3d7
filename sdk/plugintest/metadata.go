package plugintest

import "github.com/superpayhub/superpay/sdk"

// keeps checks that what a plugin says it found in metadata is what was put
// there. It need not keep them.
func (a *attempt) keeps(p *sdk.Payment) {
	a.Helper()
	r := a.request
	for name, pair := range map[string][2]string{
		"OrderID": {p.OrderID, r.OrderID}, "AppID": {p.AppID, r.AppID}, "Reference": {p.Reference, r.Reference},
		"KeyHash": {p.KeyHash, r.KeyHash}, "Digest": {p.Digest, r.Digest},
	} {
		if pair[0] != "" && pair[0] != pair[1] {
			a.fatalf("the payment's %s is %q, and the request's was %q: report what the provider's metadata hold, or nothing", name, pair[0], pair[1])
		}
	}
}
