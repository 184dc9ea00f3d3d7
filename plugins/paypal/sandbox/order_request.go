package sandbox

import (
	"encoding/json"
	"fmt"
	"net/url"
)

// orderRequest is the body of POST /v2/checkout/orders. What the stand-in does
// not look into is kept raw.
type orderRequest struct {
	Intent  string          `json:"intent"`
	Payer   json.RawMessage `json:"payer"`
	Units   []unitRequest   `json:"purchase_units"`
	Source  *paymentSource  `json:"payment_source"`
	Context *appContext     `json:"application_context"`
}

type unitRequest struct {
	ReferenceID    string          `json:"reference_id"`
	Amount         *amountRequest  `json:"amount"`
	Payee          *payee          `json:"payee"`
	Description    string          `json:"description"`
	CustomID       string          `json:"custom_id"`
	InvoiceID      string          `json:"invoice_id"`
	SoftDescriptor string          `json:"soft_descriptor"`
	Items          []itemRequest   `json:"items"`
	Shipping       json.RawMessage `json:"shipping"`
	Instruction    json.RawMessage `json:"payment_instruction"`
	Supplementary  json.RawMessage `json:"supplementary_data"`
}

type amountRequest struct {
	wireMoney
	Breakdown *breakdown `json:"breakdown"`
}

type breakdown struct {
	ItemTotal        *wireMoney `json:"item_total,omitempty"`
	Shipping         *wireMoney `json:"shipping,omitempty"`
	Handling         *wireMoney `json:"handling,omitempty"`
	TaxTotal         *wireMoney `json:"tax_total,omitempty"`
	Insurance        *wireMoney `json:"insurance,omitempty"`
	ShippingDiscount *wireMoney `json:"shipping_discount,omitempty"`
	Discount         *wireMoney `json:"discount,omitempty"`
}

type itemRequest struct {
	Name        string          `json:"name"`
	UnitAmount  *wireMoney      `json:"unit_amount,omitempty"`
	Tax         *wireMoney      `json:"tax,omitempty"`
	Quantity    string          `json:"quantity"`
	Description string          `json:"description,omitempty"`
	SKU         string          `json:"sku,omitempty"`
	Category    string          `json:"category,omitempty"`
	URL         string          `json:"url,omitempty"`
	ImageURL    string          `json:"image_url,omitempty"`
	UPC         json.RawMessage `json:"upc,omitempty"`
}

// paymentSource names every source. The stand-in plays PayPal's wallet alone; of
// cards it says what PayPal says to a merchant without advanced cards.
type paymentSource struct {
	PayPal    *wallet         `json:"paypal"`
	Card      json.RawMessage `json:"card"`
	Token     json.RawMessage `json:"token"`
	ApplePay  json.RawMessage `json:"apple_pay"`
	GooglePay json.RawMessage `json:"google_pay"`
	Venmo     json.RawMessage `json:"venmo"`
}

type wallet struct {
	Experience *experience     `json:"experience_context"`
	Email      string          `json:"email_address"`
	Name       json.RawMessage `json:"name"`
	Phone      json.RawMessage `json:"phone"`
	BirthDate  string          `json:"birth_date"`
	TaxInfo    json.RawMessage `json:"tax_info"`
	Address    json.RawMessage `json:"address"`
}

type experience struct {
	BrandName  string `json:"brand_name"`
	Locale     string `json:"locale"`
	Shipping   string `json:"shipping_preference"`
	ReturnURL  string `json:"return_url"`
	CancelURL  string `json:"cancel_url"`
	Landing    string `json:"landing_page"`
	UserAction string `json:"user_action"`
	Preference string `json:"payment_method_preference"`
}

// appContext is the older place for the same, still what the Go library sends.
type appContext struct {
	BrandName  string `json:"brand_name"`
	Locale     string `json:"locale"`
	Shipping   string `json:"shipping_preference"`
	ReturnURL  string `json:"return_url"`
	CancelURL  string `json:"cancel_url"`
	Landing    string `json:"landing_page"`
	UserAction string `json:"user_action"`
	Method     struct {
		Preferred string `json:"payee_preferred"`
		Class     string `json:"standard_entry_class_code"`
	} `json:"payment_method"`
	Stored json.RawMessage `json:"stored_payment_source"`
}

// build checks a request and makes the order of it.
func (s *Server) build(req *orderRequest, requestID string) (*order, *apiError) {
	switch {
	case req.Intent == "":
		return nil, malformed("MISSING_REQUIRED_PARAMETER", "/intent", "")
	case req.Intent != "CAPTURE" && req.Intent != "AUTHORIZE":
		return nil, malformed("INVALID_PARAMETER_VALUE", "/intent", req.Intent)
	case len(req.Units) == 0:
		return nil, malformed("MISSING_REQUIRED_PARAMETER", "/purchase_units", "")
	case len(req.Units) > 10:
		return nil, malformed("INVALID_ARRAY_MAX_ITEMS", "/purchase_units", "")
	}
	now := s.now()
	o := &order{
		ID: newID(), Intent: req.Intent, Status: created, Created: now, Updated: now, Deadline: now.Add(approvalWindow),
	}
	if e := o.takeContext(req, requestID); e != nil {
		return nil, e
	}
	references := map[string]bool{}
	for i := range req.Units {
		u, e := s.buildUnit(&req.Units[i], fmt.Sprintf("/purchase_units/%d", i))
		if e != nil {
			return nil, e
		}
		switch {
		case u.ReferenceID == "" && len(req.Units) > 1:
			return nil, unprocessable("REFERENCE_ID_REQUIRED", "Each of several purchase units needs a reference_id.")
		case references[u.ReferenceID]:
			return nil, unprocessable("DUPLICATE_REFERENCE_ID", "reference_id must be unique.").at("/purchase_units", u.ReferenceID)
		case i > 0 && u.Amount.Currency != o.Units[0].Amount.Currency:
			return nil, unprocessable("MULTI_CURRENCY_ORDER", "The entire order must have the same currency_code.")
		}
		references[u.ReferenceID] = true
		if u.ReferenceID == "" {
			u.ReferenceID = "default"
		}
		o.Units = append(o.Units, u)
	}
	if o.Intent == "AUTHORIZE" && len(o.Units) > 1 {
		return nil, unprocessable("UNSUPPORTED_INTENT", "intent=AUTHORIZE is not supported for multiple purchase units.")
	}
	return o, nil
}

// takeContext reads how the payer is led there and back. An order made with
// payment_source.paypal begins in another status, with another link.
func (o *order) takeContext(req *orderRequest, requestID string) *apiError {
	var where string
	x := experience{}
	switch source := req.Source; {
	case source != nil && req.Context != nil:
		return unprocessable("INCOMPATIBLE_PARAMETER_VALUE", "application_context is redundant with payment_source.")
	case source != nil && source.PayPal == nil:
		return source.refused()
	case source != nil && requestID == "":
		return malformed("PAYPAL_REQUEST_ID_REQUIRED", "PayPal-Request-Id", "").in("header")
	case source != nil:
		o.BySource, o.Status, where = true, payerActionRequired, "/payment_source/paypal/experience_context"
		if source.PayPal.Experience != nil {
			x = *source.PayPal.Experience
		}
	case req.Context != nil:
		c := req.Context
		where = "/application_context"
		x = experience{
			BrandName: c.BrandName, Locale: c.Locale, Shipping: c.Shipping, ReturnURL: c.ReturnURL, CancelURL: c.CancelURL,
			Landing: c.Landing, UserAction: c.UserAction, Preference: c.Method.Preferred,
		}
	}
	o.ReturnURL, o.CancelURL, o.Immediate = x.ReturnURL, x.CancelURL, x.Preference == "IMMEDIATE_PAYMENT_REQUIRED"
	for name, address := range map[string]string{"return_url": x.ReturnURL, "cancel_url": x.CancelURL} {
		if u, err := url.Parse(address); address != "" && (err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http") {
			return malformed("INVALID_PARAMETER_SYNTAX", where+"/"+name, address)
		}
	}
	for _, f := range []struct{ name, value, allowed string }{
		{"shipping_preference", x.Shipping, "GET_FROM_FILE NO_SHIPPING SET_PROVIDED_ADDRESS"},
		{"landing_page", x.Landing, "LOGIN BILLING GUEST_CHECKOUT NO_PREFERENCE"},
		{"user_action", x.UserAction, "CONTINUE PAY_NOW"},
		{"payment_method_preference", x.Preference, "UNRESTRICTED IMMEDIATE_PAYMENT_REQUIRED"},
	} {
		if f.value != "" && !isOneOf(f.allowed, f.value) {
			return malformed("INVALID_PARAMETER_VALUE", where+"/"+f.name, f.value)
		}
	}
	return checkLength(where+"/brand_name", x.BrandName, 127)
}

// refused says why there is no paying with a source that is not PayPal's wallet.
func (s *paymentSource) refused() *apiError {
	if len(s.Card) > 0 {
		return unprocessable("PAYEE_NOT_ENABLED_FOR_CARD_PROCESSING",
			"Payee account is not setup to be able to process card payments. Please contact PayPal customer support.").
			at("/payment_source/card", "")
	}
	return malformed("NOT_SUPPORTED", "/payment_source", "")
}

func checkLength(field, value string, most int) *apiError {
	if len([]rune(value)) > most {
		return malformed("INVALID_STRING_LENGTH", field, value)
	}
	return nil
}

func (s *Server) buildUnit(req *unitRequest, field string) (*unit, *apiError) {
	for _, f := range []struct {
		name, value string
		most        int
	}{
		{"reference_id", req.ReferenceID, 256},
		{"description", req.Description, 127},
		{"custom_id", req.CustomID, 127},
		{"invoice_id", req.InvoiceID, 127},
		{"soft_descriptor", req.SoftDescriptor, 22},
	} {
		if e := checkLength(field+"/"+f.name, f.value, f.most); e != nil {
			return nil, e
		}
	}
	if req.Amount == nil {
		return nil, malformed("MISSING_REQUIRED_PARAMETER", field+"/amount", "")
	}
	u := &unit{
		ReferenceID: req.ReferenceID, Description: req.Description, CustomID: req.CustomID, InvoiceID: req.InvoiceID,
		SoftDescriptor: req.SoftDescriptor, Shipping: req.Shipping,
	}
	var e *apiError
	if u.Amount, e = req.Amount.positive(field + "/amount"); e != nil {
		return nil, e
	}
	if e := addsUp(req, u.Amount, field); e != nil {
		return nil, e
	}
	if req.Amount.Breakdown != nil {
		u.Breakdown = encode(req.Amount.Breakdown)
	}
	if len(req.Items) > 0 {
		u.Items = encode(req.Items)
	}
	if u.Payee, e = s.payeeOf(req.Payee); e != nil {
		e.at(field+"/payee", "")
	}
	return u, e
}

// payeeOf is whom a unit pays: the merchant, or anyone the request names. In the
// client flow the request is the browser's.
func (s *Server) payeeOf(named *payee) (payee, *apiError) {
	own := payee{Email: merchantEmail, MerchantID: s.opts.MerchantID}
	switch {
	case named == nil || *named == (payee{}) || *named == (payee{Email: own.Email}) || named.MerchantID == own.MerchantID:
		return own, nil
	case named.MerchantID != "" && !accountID.MatchString(named.MerchantID):
		return payee{}, unprocessable("PAYEE_ACCOUNT_INVALID", "Payee account specified is invalid.")
	}
	return *named, nil
}
