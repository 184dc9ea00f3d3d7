package main

import (
	"flag"
	"fmt"
	"strings"

	stripe "github.com/superpayhub/superpay/plugins/stripe/sandbox"
)

// stripeFlags are Stripe's habits and troubles, which can also be changed later by its
// control API.
type stripeFlags struct {
	thinURL, lacks string
	knobs          stripe.Knobs
}

func (f *stripeFlags) register(flags *flag.FlagSet) {
	flags.StringVar(&f.thinURL, "stripe-thin-webhook-url", "", "where Stripe's thin events go, besides the callbacks")
	flags.StringVar(&f.lacks, "stripe-lacks", "", "permissions that Stripe's key lacks, with commas: rak_charge_read,rak_webhook_write")
	flags.DurationVar(&f.knobs.FeeDelay, "stripe-fee-delay", 0, "how long a Stripe charge has no balance transaction, and no fee, after it was paid")
	flags.DurationVar(&f.knobs.ListDelay, "stripe-list-delay", 0, "how long each of Stripe's lists takes")
	flags.IntVar(&f.knobs.ListStatus, "stripe-list-status", 0, "what Stripe's lists are answered with: 403, 429, 500 or 503; 0 is the list")
	flags.DurationVar(&f.knobs.ListMemory, "stripe-list-memory", 0, "what is older is left out of Stripe's lists; 0 leaves nothing out")
	flags.BoolVar(&f.knobs.ReplayAny, "stripe-replay-any", false, "a reused idempotency key answers with its first object though the body is another")
}

func (f *stripeFlags) lacking() []string {
	if f.lacks == "" {
		return nil
	}
	return strings.Split(f.lacks, ",")
}

// usage lists the flags, and what can be changed while the sandbox runs.
func usage(flags *flag.FlagSet) {
	out := flags.Output()
	fmt.Fprintf(out, "Usage: sandbox [flags]\n\n")
	flags.PrintDefaults()
	fmt.Fprint(out, `
While it runs, each provider has a control API below its URL, here Stripe's (URL is in the first line on stdout):

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
`)
}
