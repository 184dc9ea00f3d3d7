// Stripe's current library for Go runs its documented samples against the sandbox. A
// module of its own, so that the plugin's pinned version is the only one of the hub.
module github.com/superpayhub/superpay/plugins/stripe/sandbox/clients/go

go 1.26

require github.com/stripe/stripe-go/v85 v85.0.0
