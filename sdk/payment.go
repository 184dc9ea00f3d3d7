package sdk

import "time"

// Status is what a provider says of a payment (spelled as Stripe spells it).
// A reader treats a status it does not know as "not settled, read again". In a
// Fact, an empty status says nothing of the payment's: a refund's or dispute's
// event carries none.
type Status string

const (
	RequiresAction       Status = "requires_action"       // the payer must act; may carry a Failure: a decline that leaves it open
	RequiresConfirmation Status = "requires_confirmation" // the payer did their part, no money is held, the server must confirm
	Pending              Status = "pending"               // the provider works on it (delayed methods, review)
	RequiresCapture      Status = "requires_capture"      // authorised, waiting for Capture or Cancel
	Succeeded            Status = "succeeded"             // money was taken; Captures say how much
	Failed               Status = "failed"                // final: this payment will never succeed
	Canceled             Status = "canceled"              // final: released, expired or called off
)

// Mode tells real money from play money.
type Mode string

const (
	Live Mode = "live"
	Test Mode = "test"
)

// Ref is a name by which the provider knows a payment or part of it:
// {"checkout_session", "cs_..."}, {"payment_intent", "pi_..."}. Values are
// unique per provider and kind.
type Ref struct {
	Kind  string `json:"kind"`
	Value string `json:"value"`
}

// MovementStatus is the state of one capture, refund or dispute. The rank is
// pending < succeeded or failed; the hub merges by provider id and rank, so
// the order and repetition of what a plugin reports do not matter.
type MovementStatus string

const (
	MovementPending   MovementStatus = "pending"
	MovementSucceeded MovementStatus = "succeeded"
	MovementFailed    MovementStatus = "failed"
)

// Capture is money taken, identified by the provider's own id.
type Capture struct {
	ID     string
	Status MovementStatus
	Amount Money
	Fee    Money // what the provider kept, zero if it did not say
	At     time.Time
	// PendingReason is why a pending capture waits, in the provider's own word, at most
	// 100 bytes; empty if it did not say. Some reasons wait for the merchant to act there.
	PendingReason string
	Lines         []Line // all that the balance shows of it; empty: the provider did not say. They count for more than Fee
}

// Captures is the list of a payment's captures. Complete means that the whole
// list was read; otherwise absence says nothing.
type Captures struct {
	Complete bool
	Items    []Capture
}

// Refunds is the list of a payment's refunds. Complete as in Captures. LeftOut
// are ids that the provider lists as refunds although nothing was given back:
// the release of an authorisation. An event that names one is thereby answered.
type Refunds struct {
	Complete bool
	Items    []Refund
	LeftOut  []string
}

// Disputes is the list of a payment's disputes. Complete as in Captures.
type Disputes struct {
	Complete bool
	Items    []Dispute
}

// NextActionType says what has to happen outside the hub.
type NextActionType string

const (
	ActionRedirect NextActionType = "redirect" // send the payer's browser to URL
	ActionClient   NextActionType = "client"   // hand Client to the provider's own library in the browser or app
	ActionShow     NextActionType = "show"     // show the payer Data of that Kind (a QR code, bank details)
	ActionWait     NextActionType = "wait"     // nothing to do but wait
)

// NextAction is what the payer or the client must do next.
type NextAction struct {
	Type   NextActionType    `json:"type"`
	URL    string            `json:"url,omitempty"`
	Method string            `json:"method,omitempty"` // GET when empty
	Fields map[string]string `json:"fields,omitempty"` // form fields of a POST redirect
	Client map[string]string `json:"client,omitempty"`
	Kind   string            `json:"kind,omitempty"`
	Data   string            `json:"data,omitempty"`
}

// Failure is a provider's refusal, as data. It is shown to apps and admins, so
// it must hold no secret, and nothing that a payer must not learn.
type Failure struct {
	Code         string `json:"code"`                    // ours: one of the Failure codes below
	ProviderCode string `json:"provider_code,omitempty"` // the provider's own
	Message      string `json:"message,omitempty"`       // one sentence for a person
}

// Failure codes shared by all plugins. A plugin maps the provider's own to the
// nearest; the provider's own travels in ProviderCode.
const (
	FailureDeclined             = "declined"
	FailureInsufficientFunds    = "insufficient_funds"
	FailureExpiredCard          = "expired_card"
	FailureIncorrectCard        = "incorrect_card_data"
	FailureAuthentication       = "authentication_required"
	FailureProcessing           = "processing_error"
	FailureInvalidRequest       = "invalid_request"
	FailureAmount               = "amount_not_accepted"
	FailureCurrency             = "currency_not_accepted"
	FailureDuplicate            = "duplicate"
	FailureExpired              = "expired"
	FailureState                = "wrong_state"
	FailureProviderUnavailable  = "provider_unavailable"
	FailureProviderRateLimited  = "provider_rate_limited"
	FailureProviderCredentials  = "provider_credentials_refused"
	FailureRefundExceedsBalance = "refund_exceeds_balance"
	// FailureMismatch: what the client presented is not the payment that was
	// asked for (another payee, another attempt's). A person is told.
	FailureMismatch = "mismatch"
)

// Payment is a provider's account of an attempt.
//
// Refs[0] names the payment itself and never changes for an attempt; the
// others are further names by which callbacks may know it. AttemptID and
// InstanceID are what the provider's metadata says, as our server set it when
// it created the payment; they are empty where the provider holds none. So are
// the five fields after them. No answer takes any of them from the question: a
// provider may answer a key with what it made before.
type Payment struct {
	AttemptID  string
	InstanceID string
	OrderID    string
	AppID      string
	Reference  string
	KeyHash    string
	Digest     string
	Refs       []Ref
	Mode       Mode
	Status     Status
	Amount     Money // what the provider believes is to be paid; compared with what was asked

	Authorized    Money
	Capturable    Money
	CaptureBefore time.Time // when an authorisation lapses
	HonoredUntil  time.Time // until when a capture of it is sure; later it may be refused. Zero: until CaptureBefore
	ExpiresAt     time.Time // when an unpaid payment closes

	Captures Captures
	Refunds  Refunds
	Disputes Disputes
	// Expect is what this answer says has happened and does not list, such as
	// refunds of a capture that it calls refunded. The hub reads until one does,
	// and tells a person if none does.
	Expect []Expectation

	NextAction *NextAction
	Failure    *Failure
	Opaque     []byte // whatever the plugin wants back with the next call; kept encrypted
	Payer      *Payer
}

// Payer is what the provider tells of who paid.
type Payer struct {
	Email   string `json:"email,omitempty"`
	Name    string `json:"name,omitempty"`
	Country string `json:"country,omitempty"`
}
