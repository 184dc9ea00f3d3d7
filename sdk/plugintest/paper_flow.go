package plugintest

// FlowPaper are the cases of one flow. Success and Decline are required.
type FlowPaper struct {
	Success     *Case `json:"success"`
	Decline     *Case `json:"decline"`                // the payment is refused
	Action      *Case `json:"action,omitempty"`       // the payer must do more first (3-D Secure), then it succeeds
	RefundFails *Case `json:"refund_fails,omitempty"` // paid so that a refund fails, at once or later

	// What follows happens at the provider: by the steps of Case.Then.
	Pending       *Case `json:"pending,omitempty"`        // the payer did all and the provider takes its time; then it is paid
	PendingFails  *Case `json:"pending_fails,omitempty"`  // likewise; then it fails
	Expired       *Case `json:"expired,omitempty"`        // nobody pays, and then the payment's time is over
	RefundPending *Case `json:"refund_pending,omitempty"` // paid so that a refund is pending; then it succeeds
	Dispute       *Case `json:"dispute,omitempty"`        // paid, and then disputed: the money is withdrawn
	DisputeWon    *Case `json:"dispute_won,omitempty"`    // likewise, and won: the money is back
	DisputeLost   *Case `json:"dispute_lost,omitempty"`   // likewise, and lost
	DisputePart   *Case `json:"dispute_part,omitempty"`   // likewise, and lost; part of the money is back

	OtherAmount   *Case `json:"other_amount,omitempty"`   // the payer pays another amount than was asked for
	OtherCurrency *Case `json:"other_currency,omitempty"` // the payer pays in another currency

	// NoSearch says that the provider cannot find a payment by the attempt id in
	// its metadata, and why one whose answer was lost takes no money unnoticed.
	// GetPayment without refs must then be an error.
	NoSearch string `json:"no_search,omitempty"`

	// NoClose says why the provider cannot close a payment that nobody paid.
	// Cancel is then only asked to release what is held.
	NoClose string `json:"no_close,omitempty"`
}

// Case is one way a payment goes.
type Case struct {
	Before []Step            `json:"before,omitempty"` // what the client does before the checkout
	Input  map[string]string `json:"input,omitempty"`  // of the checkout
	Payer  []Step            `json:"payer,omitempty"`  // what the payer and the client do after it
	Then   []Step            `json:"then,omitempty"`   // what happens at the provider after that: its staff's buttons
}

// Step is one HTTP request of a payer's browser, or a Confirm by the app. A
// redirect is not followed.
type Step struct {
	Method  string            `json:"method,omitempty"` // POST with a form or a body, else GET
	URL     string            `json:"url,omitempty"`
	Form    map[string]string `json:"form,omitempty"`
	Body    string            `json:"body,omitempty"`
	Headers map[string]string `json:"headers,omitempty"`

	// Keep finds later placeholders in the answer: a regular expression each,
	// whose first group is kept. Looked through are the Location and the body.
	Keep map[string]string `json:"keep,omitempty"`

	// Confirm, if it is there, is the input of a Confirm instead of a request.
	Confirm map[string]string `json:"confirm,omitempty"`
}

func (s Step) confirms() bool { return s.Confirm != nil }
