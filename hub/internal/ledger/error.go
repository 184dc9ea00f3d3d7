package ledger

import (
	"fmt"
	"time"

	"github.com/superpayhub/superpay/sdk"
)

// Kind is the class of an error; the API maps each to one HTTP status.
type Kind int

const (
	Invalid      Kind = iota + 1 // 422: the request is wrong
	Conflict                     // 409: right, but not in this state
	NotFound                     // 404: no such thing, or another app's
	Unauthorized                 // 401
	Forbidden                    // 403
	TooMany                      // 429
	Rejected                     // 422 provider_rejected: the provider answered no
	Unavailable                  // 503: nothing happened, try again
)

// Error is what a person or program can be told: what is wrong, where, and
// what to do. It never holds a secret.
type Error struct {
	Kind         Kind
	Code         string // stable, snake_case
	Param        string // the field to blame
	Message      string
	ProviderCode string
	OrderID      string        // the order in the way, if one is
	AttemptID    string        // the attempt in the way, if one is
	Held         sdk.Money     // the money in the way, if some is
	RetryAfter   time.Duration // for Conflict in flight, TooMany, Unavailable
}

func (e *Error) Error() string {
	if e.Param != "" {
		return fmt.Sprintf("%s: %s: %s", e.Code, e.Param, e.Message)
	}
	return e.Code + ": " + e.Message
}

// Invalidf blames one field of a request.
func Invalidf(param, format string, args ...any) *Error {
	return &Error{Kind: Invalid, Code: "invalid_request", Param: param, Message: fmt.Sprintf(format, args...)}
}

// Conflictf says that the request does not fit the state of things.
func Conflictf(code, format string, args ...any) *Error {
	return &Error{Kind: Conflict, Code: code, Message: fmt.Sprintf(format, args...)}
}

// ErrNotFound is the same for what does not exist and for what another app owns.
func ErrNotFound(noun string) *Error {
	return &Error{Kind: NotFound, Code: "not_found", Message: "no such " + noun}
}
