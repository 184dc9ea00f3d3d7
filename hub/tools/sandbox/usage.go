package main

import (
	"flag"
	"fmt"
)

// doors is the part of the help about the control API of the running sandbox.
const doors = `
Without SANDBOX_PAYPAL_CLIENT_ID and SANDBOX_PAYPAL_SECRET in the environment there is no PayPal.

While it runs, each provider can be looked into and bent below its own path, for example
  curl -X PUT -d '{"ahead":"96h"}' http://ADDR/paypal/_sandbox/clock

Every provider:
  GET    _sandbox/books      what the merchant was paid and gave back
  GET    _sandbox/requests   the API requests so far
  GET    _sandbox/callbacks  the callbacks and what became of them
  PUT    _sandbox/webhook    {"url":"http://127.0.0.1:58081/callback/paypal"}: where callbacks go
  PUT    _sandbox/clock      {"ahead":"96h"}: put the provider's clock ahead
  POST   _sandbox/faults     {"path":"/v2/checkout/","action":"stale","delay_ms":5000}: reads that lag; other actions
                             break, delay or change answers, or lose, repeat and delay callbacks
  DELETE _sandbox/faults     lift all faults
PayPal:
  PUT    _sandbox/permissions   {"disputes":false}: what the REST app may read
  PUT    _sandbox/refunds       {"status":"PENDING","keep_fees":true}: what becomes of refunds
  POST   _sandbox/tokens/revoke make every access token invalid
`

func usage(flags *flag.FlagSet) {
	fmt.Fprintf(flags.Output(), "Usage of %s:\n", flags.Name())
	flags.PrintDefaults()
	fmt.Fprint(flags.Output(), doors)
}
