package sandbox

import (
	"crypto/rand"
	"encoding/hex"
	"net/http"
)

// apiError is PayPal's error object.
type apiError struct {
	Name    string   `json:"name"`
	Message string   `json:"message"`
	DebugID string   `json:"debug_id"`
	Details []detail `json:"details,omitempty"`
	Links   []link   `json:"links"`

	Information string `json:"information_link,omitempty"` // only webhooks have it

	status int
	oauth  map[string]string // the other shape, which has neither name nor message
}

type detail struct {
	Field       string `json:"field,omitempty"`
	Value       string `json:"value,omitempty"`
	Location    string `json:"location,omitempty"`
	Issue       string `json:"issue"`
	Description string `json:"description,omitempty"`
}

type link struct {
	Href   string `json:"href"`
	Rel    string `json:"rel"`
	Method string `json:"method"`
}

const documentation = "https://developer.paypal.com/docs/api/orders/v2/#error-"

func problem(status int, name, message string, d detail) *apiError {
	return &apiError{
		Name: name, Message: message, DebugID: newDebugID(), Details: []detail{d}, status: status,
		Links: []link{{documentation + d.Issue, "information_link", "GET"}},
	}
}

// malformed is a request that breaks the schema.
func malformed(issue, field, value string) *apiError {
	why := map[string]string{
		"MALFORMED_REQUEST_JSON":     "The request JSON is not well formed.",
		"MISSING_REQUIRED_PARAMETER": "A required field is missing.",
		"INVALID_STRING_LENGTH":      "The value of a field is either too short or too long.",
		"INVALID_PARAMETER_VALUE":    "The value of a field is invalid.",
		"INVALID_PARAMETER_SYNTAX":   "The value of a field does not conform to the expected format.",
		"NOT_SUPPORTED":              "This field is not currently supported.",
		"PAYPAL_REQUEST_ID_REQUIRED": "A PayPal-Request-Id is required with a payment_source.",
	}[issue]
	return problem(http.StatusBadRequest, "INVALID_REQUEST",
		"Request is not well-formed, syntactically incorrect, or violates schema.",
		detail{Field: field, Value: value, Location: "body", Issue: issue, Description: why})
}

// unprocessable is a well-formed request that a rule or a state forbids.
func unprocessable(issue, why string) *apiError {
	return problem(http.StatusUnprocessableEntity, "UNPROCESSABLE_ENTITY",
		"The requested action could not be performed, semantically incorrect, or failed business validation.",
		detail{Issue: issue, Description: why})
}

// missing is an unknown id. PayPal says so on the path.
func missing(id string) *apiError {
	return problem(http.StatusNotFound, "RESOURCE_NOT_FOUND", "The specified resource does not exist.", detail{
		Location: "path", Value: id, Issue: "INVALID_RESOURCE_ID", Description: "Specified resource ID does not exist.",
	})
}

func conflict(issue, why string) *apiError {
	return problem(http.StatusConflict, "RESOURCE_CONFLICT",
		"The server has detected a conflict while processing this request.", detail{Issue: issue, Description: why})
}

func forbidden() *apiError {
	return problem(http.StatusForbidden, "NOT_AUTHORIZED", "Authorization failed due to insufficient permissions.", detail{
		Issue: "PERMISSION_DENIED", Description: "You do not have permission to access or perform operations on this resource.",
	})
}

// webhookError is a refusal of the webhooks' API: its name is the problem's.
func webhookError(status int, name, message string, details ...detail) *apiError {
	return &apiError{
		Name: name, Message: message, DebugID: newDebugID(), Details: details, Links: []link{}, status: status,
		Information: "https://developer.paypal.com/docs/api/webhooks/#errors",
	}
}

func invalidWebhook(field, issue string) *apiError {
	return webhookError(http.StatusBadRequest, "VALIDATION_ERROR", "Invalid data provided", detail{Field: field, Issue: issue})
}

func missingWebhook() *apiError {
	return webhookError(http.StatusNotFound, "INVALID_RESOURCE_ID", "Resource id is invalid")
}

func unauthenticated() *apiError {
	return &apiError{
		Name: "AUTHENTICATION_FAILURE", DebugID: newDebugID(), Links: []link{}, status: http.StatusUnauthorized,
		Message: "Authentication failed due to missing authorization header, or invalid authentication credentials.",
	}
}

func unsupportedMedia() *apiError {
	return &apiError{
		Name: "UNSUPPORTED_MEDIA_TYPE", DebugID: newDebugID(), Links: []link{}, status: http.StatusUnsupportedMediaType,
		Message: "The server does not support the request payload's media type.",
	}
}

func full() *apiError {
	return &apiError{
		Name: "RATE_LIMIT_REACHED", DebugID: newDebugID(), Links: []link{}, status: http.StatusTooManyRequests,
		Message: "The sandbox is full. Delete its state file to start afresh.",
	}
}

func oauthError(code, description string) *apiError {
	return &apiError{
		DebugID: newDebugID(), status: http.StatusUnauthorized,
		oauth: map[string]string{"error": code, "error_description": description},
	}
}

// at says which field the problem is with.
func (e *apiError) at(field, value string) *apiError {
	e.Details[0].Field, e.Details[0].Value, e.Details[0].Location = field, value, "body"
	return e
}

func (e *apiError) in(location string) *apiError {
	e.Details[0].Location = location
	return e
}

// text is the problem in words for a page.
func (e *apiError) text() string {
	if len(e.Details) == 0 {
		return e.Message
	}
	return e.Details[0].Issue + ": " + e.Details[0].Description
}

func newDebugID() string {
	raw := make([]byte, 7)
	_, _ = rand.Read(raw) // never fails, see crypto/rand
	return hex.EncodeToString(raw)[:13]
}
