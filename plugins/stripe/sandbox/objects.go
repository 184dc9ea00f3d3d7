package sandbox

import "encoding/json"

// text is a string that Stripe writes as null when there is none.
type text string

func (t text) MarshalJSON() ([]byte, error) {
	if t == "" {
		return []byte("null"), nil
	}
	return json.Marshal(string(t))
}

// The objects below carry the fields the stand-in keeps. render adds the
// constant ones a reader expects, and drops those whose name begins with "_",
// which are the stand-in's own.

type session struct {
	ID                 string            `json:"id"`
	Object             string            `json:"object"`
	AmountSubtotal     int64             `json:"amount_subtotal"`
	AmountTotal        int64             `json:"amount_total"`
	CancelURL          text              `json:"cancel_url"`
	ClientReferenceID  text              `json:"client_reference_id"`
	ClientSecret       text              `json:"client_secret"`
	Created            int64             `json:"created"`
	Currency           string            `json:"currency"`
	CustomerDetails    *customer         `json:"customer_details"`
	CustomerEmail      text              `json:"customer_email"`
	ExpiresAt          int64             `json:"expires_at"`
	Livemode           bool              `json:"livemode"`
	Metadata           map[string]string `json:"metadata"`
	Mode               string            `json:"mode"`
	PaymentIntent      text              `json:"payment_intent"`
	PaymentMethodTypes []string          `json:"payment_method_types"`
	PaymentStatus      string            `json:"payment_status"`
	ReturnURL          text              `json:"return_url,omitempty"` // absent, never null, at this version
	Status             string            `json:"status"`
	SuccessURL         text              `json:"success_url"`
	UIMode             string            `json:"ui_mode"`
	URL                text              `json:"url"`

	Items  []lineItem `json:"_items"`
	Intent intentData `json:"_intent"`
}

type customer struct {
	Email text `json:"email"`
	Name  text `json:"name"`
}

// intentData is what a session hands to the PaymentIntent it makes. The
// session's own metadata is not part of it: Stripe does not copy that.
type intentData struct {
	Metadata      map[string]string `json:"metadata"`
	Description   text              `json:"description"`
	CaptureMethod string            `json:"capture_method"`
	ReceiptEmail  text              `json:"receipt_email"`
}

type lineItem struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	Currency    string `json:"currency"`
	UnitAmount  int64  `json:"unit_amount"`
	Quantity    int64  `json:"quantity"`
	Description text   `json:"description"`
}

type paymentIntent struct {
	ID                 string            `json:"id"`
	Object             string            `json:"object"`
	Amount             int64             `json:"amount"`
	AmountCapturable   int64             `json:"amount_capturable"`
	AmountReceived     int64             `json:"amount_received"`
	Automatic          *automatic        `json:"automatic_payment_methods"`
	CanceledAt         *int64            `json:"canceled_at"`
	CancellationReason text              `json:"cancellation_reason"`
	CaptureMethod      string            `json:"capture_method"`
	ClientSecret       string            `json:"client_secret"`
	ConfirmationMethod string            `json:"confirmation_method"`
	Created            int64             `json:"created"`
	Currency           string            `json:"currency"`
	Description        text              `json:"description"`
	LastPaymentError   *apiError         `json:"last_payment_error"`
	LatestCharge       text              `json:"latest_charge"`
	Livemode           bool              `json:"livemode"`
	Metadata           map[string]string `json:"metadata"`
	NextAction         *nextAction       `json:"next_action"`
	PaymentMethod      text              `json:"payment_method"`
	PaymentMethodTypes []string          `json:"payment_method_types"`
	ReceiptEmail       text              `json:"receipt_email"`
	Status             string            `json:"status"`

	Session       string `json:"_session"`       // the Checkout session that made it
	ReturnURL     string `json:"_return_url"`    // where the payer goes after 3-D Secure
	Authenticated bool   `json:"_authenticated"` // 3-D Secure passed, the server must confirm
	VoucherEnds   int64  `json:"_voucher_ends"`  // unix milliseconds at which the payer's voucher runs out; 0: there is none
}

// automatic are payment methods that the dashboard chooses.
type automatic struct {
	AllowRedirects string `json:"allow_redirects"`
	Enabled        bool   `json:"enabled"`
}

type nextAction struct {
	Type          string            `json:"type"`
	RedirectToURL map[string]string `json:"redirect_to_url,omitempty"`
	UseStripeSDK  map[string]string `json:"use_stripe_sdk,omitempty"`
	OXXO          map[string]any    `json:"oxxo_display_details,omitempty"`
	Boleto        map[string]any    `json:"boleto_display_details,omitempty"`
	Konbini       map[string]any    `json:"konbini_display_details,omitempty"`
}

type charge struct {
	ID                   string            `json:"id"`
	Object               string            `json:"object"`
	Amount               int64             `json:"amount"`
	AmountCaptured       int64             `json:"amount_captured"`
	AmountRefunded       int64             `json:"amount_refunded"`
	BalanceTransaction   text              `json:"balance_transaction"`
	BillingDetails       customer          `json:"billing_details"`
	Captured             bool              `json:"captured"`
	Created              int64             `json:"created"`
	Currency             string            `json:"currency"`
	Description          text              `json:"description"`
	Dispute              text              `json:"dispute"`
	Disputed             bool              `json:"disputed"`
	FailureCode          text              `json:"failure_code"`
	FailureMessage       text              `json:"failure_message"`
	Livemode             bool              `json:"livemode"`
	Metadata             map[string]string `json:"metadata"`
	Outcome              map[string]any    `json:"outcome"`
	Paid                 bool              `json:"paid"`
	PaymentIntent        text              `json:"payment_intent"`
	PaymentMethod        text              `json:"payment_method"`
	PaymentMethodDetails map[string]any    `json:"payment_method_details"`
	ReceiptEmail         text              `json:"receipt_email"`
	Refunded             bool              `json:"refunded"`
	Source               map[string]any    `json:"source"`
	StatementDescriptor  text              `json:"statement_descriptor"`
	DescriptorSuffix     text              `json:"statement_descriptor_suffix"`
	Status               string            `json:"status"`

	Card     string `json:"_card"` // the test card's name
	Last4    string `json:"_last4"`
	Released int64  `json:"_released"` // part of AmountRefunded that was only ever held
	Books    int64  `json:"_books"`    // unix milliseconds at which the balance has it; 0 is never, or done
}

type refund struct {
	ID                 string            `json:"id"`
	Object             string            `json:"object"`
	Amount             int64             `json:"amount"`
	BalanceTransaction text              `json:"balance_transaction"`
	Charge             string            `json:"charge"`
	Created            int64             `json:"created"`
	Currency           string            `json:"currency"`
	FailureReason      string            `json:"failure_reason,omitempty"`
	FailureTransaction string            `json:"failure_balance_transaction,omitempty"`
	Metadata           map[string]string `json:"metadata"`
	PaymentIntent      text              `json:"payment_intent"`
	Reason             text              `json:"reason"`
	Status             string            `json:"status"`

	Due     int64 `json:"_due"`     // unix milliseconds at which its card changes its mind; 0 is never
	Release bool  `json:"_release"` // lets held money go; nobody was paid back
}

type dispute struct {
	ID                  string               `json:"id"`
	Object              string               `json:"object"`
	Amount              int64                `json:"amount"`
	BalanceTransactions []balanceTransaction `json:"balance_transactions"`
	Charge              string               `json:"charge"`
	Created             int64                `json:"created"`
	Currency            string               `json:"currency"`
	EvidenceDetails     map[string]any       `json:"evidence_details"`
	IsChargeRefundable  bool                 `json:"is_charge_refundable"`
	Livemode            bool                 `json:"livemode"`
	Metadata            map[string]string    `json:"metadata"`
	PaymentIntent       text                 `json:"payment_intent"`
	Reason              string               `json:"reason"`
	Status              string               `json:"status"`
}

type event struct {
	ID              string    `json:"id"`
	Object          string    `json:"object"`
	APIVersion      string    `json:"api_version"`
	Created         int64     `json:"created"`
	Data            eventData `json:"data"`
	Livemode        bool      `json:"livemode"`
	PendingWebhooks int       `json:"pending_webhooks"`
	Request         eventFrom `json:"request"`
	Type            string    `json:"type"`
}

type eventData struct {
	Object             json.RawMessage `json:"object"`
	PreviousAttributes map[string]any  `json:"previous_attributes,omitempty"`
}

type eventFrom struct {
	ID             text `json:"id"`
	IdempotencyKey text `json:"idempotency_key"`
}

type webhookEndpoint struct {
	ID            string            `json:"id"`
	Object        string            `json:"object"`
	APIVersion    text              `json:"api_version"`
	Created       int64             `json:"created"`
	Description   text              `json:"description"`
	EnabledEvents []string          `json:"enabled_events"`
	Livemode      bool              `json:"livemode"`
	Metadata      map[string]string `json:"metadata"`
	Status        string            `json:"status"`
	URL           string            `json:"url"`

	Secret string `json:"_secret"` // shown once, in the answer that created it
	Thin   bool   `json:"_thin"`   // an event destination of API v2, which gets thin events
	Name   string `json:"_name"`   // of an event destination
}

func (o *session) key() string         { return o.ID }
func (o *paymentIntent) key() string   { return o.ID }
func (o *charge) key() string          { return o.ID }
func (o *refund) key() string          { return o.ID }
func (o *dispute) key() string         { return o.ID }
func (o *event) key() string           { return o.ID }
func (o *webhookEndpoint) key() string { return o.ID }

func (o *session) made() int64         { return o.Created }
func (o *paymentIntent) made() int64   { return o.Created }
func (o *charge) made() int64          { return o.Created }
func (o *refund) made() int64          { return o.Created }
func (o *dispute) made() int64         { return o.Created }
func (o *event) made() int64           { return o.Created }
func (o *webhookEndpoint) made() int64 { return o.Created }
