package sdk

import "time"

// Verdict is what a plugin thinks of an inbound call.
type Verdict string

const (
	Genuine     Verdict = "genuine"      // proven to come from the provider
	Forged      Verdict = "forged"       // not from the provider, altered, or too old; answered 4xx, nothing is kept
	CannotCheck Verdict = "cannot_check" // the check needs something out of reach; answered 503, the provider tries again
	NotOurs     Verdict = "not_ours"     // genuine, but of another account or mode: recorded, answered as Ack says, never applied
)

// Proof says what proves that an inbound call comes from the provider, and so how
// much of it a hub may believe. Whatever is declared, a hub reads the payment from
// the provider before money counts, unless a signature covers all that was said.
type Proof string

const (
	// ProofSignedBody: a signature covers the whole body. Facts may be Proven. A
	// call with another body is Forged; its method, path, query and each header
	// decide nothing beside the signature. See Alterations.
	ProofSignedBody Proof = "signed_body"
	// ProofSecretAddress: the path, the query or a header holds a secret that only
	// the provider knows, or a signature covers less than the body. A call without it
	// is Forged. No fact is Proven.
	ProofSecretAddress Proof = "secret_address"
	// ProofNone: anybody can make the call. No fact is Proven.
	ProofNone Proof = "none"
)

// Header is one header line as received; names may repeat.
type Header struct{ Name, Value string }

// CallbackRequest is an inbound call exactly as it arrived. ReceivedAt is the
// hub's clock: a plugin uses no clock of its own.
type CallbackRequest struct {
	ReceivedAt time.Time
	Method     string
	Path       string
	Query      string
	Headers    []Header
	Body       []byte
}

// Get returns the first header of that name, case-insensitively.
func (r CallbackRequest) Get(name string) string {
	for _, h := range r.Headers {
		if equalFold(h.Name, name) {
			return h.Value
		}
	}
	return ""
}

// CallbackResult is a plugin's reading of an inbound call.
type CallbackResult struct {
	Verdict Verdict
	Reason  string // why, for the operator; holds no secret
	EventID string // the provider's event id, unique per provider; the hub absorbs repeats by it. Empty where the provider has none
	Type    string // the provider's event type, for people
	Facts   []Fact // empty for events that mean nothing to a hub
	Ack     Ack
}

// Ack is what the provider wants to hear for a call that was kept. The zero
// value is 200 with an empty body.
type Ack struct {
	Status      int
	ContentType string
	Body        []byte
}

// Fact is what a provider says happened. Proven means that the signature
// covers the content (ProofSignedBody) and the content has the pinned version: what
// it names by id may be applied. Otherwise the fact only says "go and read".
//
// It binds to an attempt by Payment.AttemptID where our server put it in the
// provider's metadata, else by Payment.Refs.
//
// Expect names what a read of the payment must show once it has caught up with
// the event: the hub goes on reading until it does. A proven fact may have it,
// too: an edge that takes something back waits for a read. Name only what
// GetPayment lists or leaves out by name (Refunds.LeftOut), and no status that
// comes and goes.
type Fact struct {
	Proven  bool
	Payment Payment
	Expect  []Expectation
}

// ExpectationKind says what an Expectation is about.
type ExpectationKind string

const (
	ExpectCapture  ExpectationKind = "capture"  // the capture ID, with at least the MovementStatus AtLeast
	ExpectRefund   ExpectationKind = "refund"   // the refund ID, likewise
	ExpectDispute  ExpectationKind = "dispute"  // the dispute ID, with at least the DisputeStatus AtLeast
	ExpectPayment  ExpectationKind = "payment"  // the payment has come as far as the Status AtLeast, or ended
	ExpectRefunded ExpectationKind = "refunded" // refunds of the capture ID sum up to at least Amount: where an event names no refund
)

// Expectation is one thing that a read must show. AtLeast is the least that
// will do: a movement that is pending will have succeeded or failed later, and
// one that succeeded may fail.
type Expectation struct {
	Kind    ExpectationKind
	ID      string // the provider's own; of a payment none
	AtLeast string
	Amount  Money // of ExpectRefunded only
	// Reversed says of a refund that a bank or the provider took the money back
	// against the merchant's will, where the refund itself does not show that.
	Reversed bool
}

func equalFold(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}
