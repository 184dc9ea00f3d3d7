// Package sdk is the contract between the payment hub and a provider's plugin:
// the nouns, the Provider interface and its outcomes. It imports the standard
// library only. A plugin's main is one line, plugin.Serve(provider), from the
// package below this one.
package sdk

import (
	"context"
	"net/url"
	"time"
)

// Provider is what every plugin implements. The optional abilities are the
// small interfaces below it; a flow says by its capabilities which it offers.
//
// The rules, each checked by the exam in sdk/plugintest:
//   - A provider request is built from the arguments alone: no clock, no
//     randomness. The same arguments give the same bytes.
//   - The operation key is the provider's idempotency key. A plugin never
//     retries by itself; the hub does, with the same key.
//   - No state is kept between calls, but connections and tokens.
//   - Errors are as in error.go: what is not marked is unknown.
//   - No secret leaves in a log, an error, a Failure or a Payment (but
//     NextAction and Opaque, which the hub keeps encrypted).
//
// The context carries the hub's deadline. Methods are called concurrently,
// after one successful Configure.
type Provider interface {
	// Describe tells what the plugin is. No side effects, needs no settings.
	Describe() Description

	// Configure checks and keeps the settings. A missing secret is an error.
	// It is called once, before any of the calls below, and makes no network
	// call. Errors: *SettingsError where one field is to blame.
	Configure(ctx context.Context, s Settings) (Account, error)

	// CreateCheckout starts a payment. Safe to repeat with the same key.
	CreateCheckout(ctx context.Context, r CheckoutRequest) (*Payment, error)

	// GetPayment reads the provider's truth, with every list it can complete.
	// It changes nothing. Without refs it looks for the attempt id in the
	// provider's metadata around CreatedAt. ErrNotFound when there is none.
	// In a flow that the browser creates the refs may be a candidate that a
	// callback or the client named: what is not this attempt's payment, to this
	// account, is ErrNotFound.
	GetPayment(ctx context.Context, r PaymentRequest) (*Payment, error)

	// HandleCallback judges and reads an inbound call, offline where it can.
	HandleCallback(ctx context.Context, r CallbackRequest) (*CallbackResult, error)
}

// Confirmer continues a payment with what the client obtained.
type Confirmer interface {
	Confirm(ctx context.Context, r ConfirmRequest) (*Payment, error)
}

// Capturer takes approved money: all of it, or part and the rest is released.
type Capturer interface {
	Capture(ctx context.Context, r CaptureRequest) (*Payment, error)
}

// Canceler releases approved money, or closes a payment that nobody paid.
// Where it comes too late it returns the Payment as it is, not an error.
type Canceler interface {
	Cancel(ctx context.Context, r CancelRequest) (*Payment, error)
}

// Refunder gives money back. A refund that the provider refused for good is a
// Refund with status failed or Rejected; either way no money moved.
type Refunder interface {
	Refund(ctx context.Context, r RefundRequest) (*Refund, error)
	// GetRefund reads one refund; ErrNotFound when there is none.
	GetRefund(ctx context.Context, r GetRefundRequest) (*Refund, error)
}

// Lister tells what the provider knows since a time, page by page: payments,
// with their movements, that the hub may never have heard of.
type Lister interface {
	List(ctx context.Context, r ListRequest) (*ListPage, error)
}

// URLs are where the provider sends the payer's browser back to, and Callback where it
// calls the hub, for a provider that is told that with each payment. Callback is the
// same for all payments at the provider, and empty if the hub is not told its address.
type URLs struct{ Return, Cancel, Callback string }

// LineItem is one line of what is bought. Amount is per unit, in the order's
// minor units.
type LineItem struct {
	Name     string `json:"name"`
	Quantity int64  `json:"quantity"`
	Amount   int64  `json:"amount"`
}

// Customer is what the app tells of the payer.
type Customer struct {
	Email string `json:"email,omitempty"`
	Name  string `json:"name,omitempty"`
}

// CheckoutRequest starts an attempt. Input has been checked against the
// flow's declared fields. AttemptID and InstanceID belong in the provider's
// metadata under the keys of MetadataAttempt and MetadataInstance; HubMetadata
// has all that does.
type CheckoutRequest struct {
	AttemptID   string
	InstanceID  string
	OrderID     string
	AppID       string
	Reference   string // the app's own name of the order, at most 200 bytes
	KeyHash     string // of the app's key, 32 hexadecimal digits
	Digest      string // by which the hub knows its own metadata, 32 hexadecimal digits
	Key         string // the operation key
	Flow        string
	Amount      Money
	CaptureMode CaptureMode
	Input       map[string]string
	URLs        URLs
	CreatedAt   time.Time
	ExpiresAt   time.Time // when the order ends; a hub always says it. See Flow.ExpiresAfter and Payment.ExpiresAt
	Description string
	LineItems   []LineItem
	Customer    Customer
	Metadata    map[string]string
}

// PaymentRequest names a payment to be read. Amount is what was asked for, and zero
// where the payment is only read: what was paid is for the provider to say.
type PaymentRequest struct {
	AttemptID  string
	InstanceID string
	Flow       string
	Refs       []Ref // none while the outcome of its creation is unknown
	Amount     Money
	CreatedAt  time.Time
	Opaque     []byte
	// FindKeyHash is set where the provider knows the key of a request that the
	// hub has lost the answer of: a payment or refund without a name of the
	// provider's is also found by this hash in its metadata (MetadataKey). It may
	// be older than CreatedAt, by the lifetime of a key.
	FindKeyHash string
}

// ConfirmRequest continues a payment. The request names the payment as
// PaymentRequest does; Input was checked against the flow's Confirm fields.
type ConfirmRequest struct {
	PaymentRequest
	Key         string
	CaptureMode CaptureMode
	Input       map[string]string
	URLs        URLs
	// Return is what the payer's browser brought back, where the flow takes that
	// (TakesReturn) and this is the hub's own Confirm; else nil.
	Return *Return
}

// Return is how a payer's browser came back from the provider to URLs.Return or
// URLs.Cancel: byte by byte, for it may be signed. Whoever knows the address can
// make one up: believe it by its signature, or ask the provider with it. One that
// proves nothing leaves the payment as it is (RequiresAction), for the payer's own
// may still come.
type Return struct {
	Method string // GET or POST
	Query  string // of the address, without "?"
	Body   []byte // of a POST: a form (application/x-www-form-urlencoded)
}

// Value returns the one value that query and form have of a name; "" if there is
// none, or more than one.
func (r *Return) Value(name string) string {
	if r == nil {
		return ""
	}
	var found []string
	for _, encoded := range []string{r.Query, string(r.Body)} {
		values, err := url.ParseQuery(encoded)
		if err != nil {
			return ""
		}
		found = append(found, values[name]...)
	}
	if len(found) != 1 {
		return ""
	}
	return found[0]
}

// CaptureRequest takes Amount of what was authorised and releases the rest.
type CaptureRequest struct {
	PaymentRequest
	Key     string
	Capture Money
}

// CancelRequest releases or closes a payment.
type CancelRequest struct {
	PaymentRequest
	Key string
}

// RefundRequest gives Refund of the capture back. RefundID belongs in the
// provider's metadata under MetadataRefund.
type RefundRequest struct {
	PaymentRequest
	Key       string
	RefundID  string
	CaptureID string
	Refund    Money
	Reason    string // free text of the app; a plugin maps what it can
	KeyHash   string // as in CheckoutRequest
	Digest    string // likewise
}

// GetRefundRequest names a refund: by the provider's id, or, while that is
// unknown, by the hub's id in metadata.
type GetRefundRequest struct {
	PaymentRequest
	RefundID   string
	ProviderID string
	CaptureID  string
}

// ListRequest asks for one page. The cursor is the plugin's own.
type ListRequest struct {
	Since  time.Time
	Cursor string
	Limit  int
}

// ListPage is one page; an empty Next is the last.
type ListPage struct {
	Payments []Payment
	Next     string
}
