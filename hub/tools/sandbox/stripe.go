package main

import (
	"flag"
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
