package main

import (
	"flag"
	"fmt"
)

// usage lists the flags, and what can be changed while the sandbox runs.
func usage(flags *flag.FlagSet) {
	out := flags.Output()
	fmt.Fprintf(out, "Usage: sandbox [flags]\n\n")
	flags.PrintDefaults()
	fmt.Fprint(out, `
Without SANDBOX_PAYPAL_CLIENT_ID and SANDBOX_PAYPAL_SECRET in the environment there is no PayPal.

While it runs, each provider has a control API below its URL (URL is in the first line on stdout). Here for Stripe:

  lists, fees, keys   curl -X PUT URL/stripe/_sandbox/knobs -d '{"list_delay":"5s","list_status":429,"list_memory":"1h","fee_delay":"30s","replay_any":true}'
                      sets all of them; '{}' turns all back
  permissions         curl -X PUT URL/stripe/_sandbox/permissions -d '{"lacks":["rak_charge_read"]}'
  a fault             curl URL/stripe/_sandbox/faults -d '{"path":"/v1/refunds","action":"status","status_code":500,"times":1}'
                      actions: delay, status, drop_before, drop_after, cut, empty, html, replace, stale;
                      of callbacks ("callback":"charge."): withhold, duplicate, reorder, postpone, lose
  no faults           curl -X DELETE URL/stripe/_sandbox/faults
  version of events   curl -X PUT URL/stripe/_sandbox/event_version -d '{"version":"2025-03-31.basil"}'
  the clock           curl -X PUT URL/stripe/_sandbox/clock -d '{"ahead":"25h"}'
  callbacks           curl -X PUT URL/stripe/_sandbox/webhook -d '{"url":"http://localhost:58081/callback/stripe"}'
  see                 curl URL/stripe/_sandbox/books (also: requests, callbacks, faults)

PayPal has all but the first two and the version of events, and:

  permissions         curl -X PUT URL/paypal/_sandbox/permissions -d '{"disputes":false}'
  refunds             curl -X PUT URL/paypal/_sandbox/refunds -d '{"status":"PENDING","keep_fees":true}'
  access tokens       curl -X POST URL/paypal/_sandbox/tokens/revoke
`)
}
