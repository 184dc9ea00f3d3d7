package ledger

import (
	"time"
)

// Callback is one line of the inbox: an inbound call that was proven genuine.
type Callback struct {
	ID         string      `json:"id"`
	Provider   string      `json:"provider"`
	EventID    string      `json:"event_id"`
	Type       string      `json:"type"`
	OrderID    string      `json:"order_id,omitempty"`
	Outcome    CallbackOut `json:"outcome"`
	Note       string      `json:"note"`
	DueAt      time.Time   `json:"due_at,omitzero"`
	Tries      int         `json:"tries"`
	ReceivedAt time.Time   `json:"received_at"`
	UpdatedAt  time.Time   `json:"updated_at"`

	Raw []byte `json:"-"` // the request as received; encrypted
}

// CallbackOut is what came of a callback.
type CallbackOut string

const (
	CallbackApplied   CallbackOut = "applied"
	CallbackNoNews    CallbackOut = "no_news"   // genuine, and everything in it was known
	CallbackIgnored   CallbackOut = "ignored"   // an event that means nothing to a hub
	CallbackUnmatched CallbackOut = "unmatched" // of no attempt yet; tried again
	CallbackForeign   CallbackOut = "foreign"   // of no attempt of ours
)
