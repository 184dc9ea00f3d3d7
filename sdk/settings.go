package sdk

import (
	"slices"
	"time"
)

// Field is one setting of a plugin or one input of a flow.
type Field struct {
	Name     string // snake_case
	Title    string // for people
	Help     string
	Required bool
	Secret   bool     // write-only in the console, encrypted at rest, never logged
	Public   bool     // shown to apps by GET /v1/providers (a publishable key)
	Options  []string // the allowed values, if only some are
	Default  string
	MaxLen   int  // in bytes; 0 means 500
	Several  bool // values joined by commas all count: a new secret beside the one before
	// FromConnect: Connect finds the value out, so a person may leave it empty, and
	// the hub asks Connect for it before Configure.
	FromConnect bool
}

// Settings are the configured values of a provider, by field name.
type Settings map[string]string

// Account is what Configure found out about the settings.
type Account struct {
	ID   string // the provider's account id where it can be known without a call
	Mode Mode
}

// CaptureMode says when approved money is taken.
type CaptureMode string

const (
	CaptureAutomatic CaptureMode = "automatic" // as soon as it is approved
	CaptureManual    CaptureMode = "manual"    // by a later Capture
)

// Capability is an optional ability of a flow.
type Capability string

const (
	CanConfirm       Capability = "confirm"
	CanCapture       Capability = "capture"
	CanCapturePart   Capability = "capture_part" // less than was authorised; the rest is released
	CanCancel        Capability = "cancel"
	CanRefund        Capability = "refund"
	CanRefundPart    Capability = "refund_part" // part of a capture, repeatedly
	ContinuesItself  Capability = "continue"    // the hub may confirm by itself after the payer's approval
	TakesReturn      Capability = "return"      // Confirm needs what the payer's browser brings back: the hub confirms with it
	PayerActs        Capability = "payer_acts"  // a checkout alone takes and holds no money: the payer has to act first
	CreatedByBrowser Capability = "browser"     // nothing is asked of the provider at checkout; the browser creates it
)

// Flow is one way of paying. A plugin keeps its flows in one table and fills
// Describe from it.
type Flow struct {
	Name         string // snake_case, unique in the plugin
	Title        string
	Inputs       []Field // of CreateCheckout
	Confirm      []Field // inputs of Confirm
	CaptureModes []CaptureMode
	Currencies   []string // ISO codes; empty means "ask the provider"
	Capabilities []Capability
	// ExpiresAfter is how long the provider keeps a payment that no payer has come to,
	// where it takes no CheckoutRequest.ExpiresAt. Zero: until that, or for ever.
	ExpiresAfter time.Duration
	// Amounts are what the provider takes at least and at most, one range a currency;
	// of a currency that is not listed it decides by itself.
	Amounts []Range
	// Countries are those whose payers can pay in this way (ISO 3166-1 alpha-2); none:
	// all, or the provider decides.
	Countries []string
}

// Range is the least and the most amount that a flow takes in one currency. An amount
// of 0 is no bound.
type Range struct{ Least, Most Money }

// Holds reports whether an amount is in the range, or of another currency.
func (r Range) Holds(m Money) bool {
	less := func(a, b Money) bool {
		if a.Amount == 0 || b.Amount == 0 || a.Currency != b.Currency {
			return false
		}
		digits := max(a.Exponent, b.Exponent)
		x, errX := a.Rescale(digits)
		y, errY := b.Rescale(digits)
		return errX == nil && errY == nil && x.Amount < y.Amount
	}
	return !less(m, r.Least) && !less(r.Most, m)
}

// String is for people: "at least 0.50 USD".
func (r Range) String() string {
	switch {
	case r.Most.Amount == 0:
		return "at least " + r.Least.String()
	case r.Least.Amount == 0:
		return "at most " + r.Most.String()
	}
	return "from " + r.Least.String() + " to " + r.Most.String()
}

// Can reports whether the flow has that capability.
func (f Flow) Can(c Capability) bool { return slices.Contains(f.Capabilities, c) }

// OperationKind is one thing asked of a provider.
type OperationKind string

const (
	OpCreate  OperationKind = "create"
	OpConfirm OperationKind = "confirm"
	OpCapture OperationKind = "capture"
	OpCancel  OperationKind = "cancel"
	OpRefund  OperationKind = "refund"
)

// Repeat says what the provider does with a repeated operation key.
type Repeat struct {
	// Deduplicated: the same key with the same request has one effect and
	// answers with the first one's result.
	Deduplicated bool
	// KeyLifetime is how long the provider remembers a key. The hub repeats an
	// unknown only inside it, less a margin.
	KeyLifetime time.Duration
	// Settling is how long after a sending its effect may still be invisible
	// to GetPayment. "Not found" means "never happened" only after it.
	Settling time.Duration
}

// Description is what a plugin is. It is the same at every call.
type Description struct {
	Name     string // of the plugin: "stripe"
	Title    string
	Version  string
	Settings []Field
	Flows    []Flow
	Repeats  map[OperationKind]Repeat
	Proof    Proof // what proves a callback; ProofNone if empty
	Connects bool  // the plugin is a Connector; Serve says so
}

// Flow returns the flow of that name.
func (d Description) Flow(name string) (Flow, bool) {
	for _, f := range d.Flows {
		if f.Name == name {
			return f, true
		}
	}
	return Flow{}, false
}
