package ledger

import (
	"time"

	"github.com/superpayhub/superpay/sdk"
)

// Callback is one line of the inbox: an inbound call that was proven genuine.
type Callback struct {
	ID         string      `json:"id"`
	Provider   string      `json:"provider"`
	EventID    string      `json:"event_id"`
	Type       string      `json:"type"`
	OrderID    string      `json:"order_id,omitempty"`
	Verdict    sdk.Verdict `json:"verdict"` // the plugin's last word; genuine when it came
	Outcome    CallbackOut `json:"outcome"`
	Note       string      `json:"note"`             // why, for an operator
	DueAt      time.Time   `json:"due_at,omitzero"`  // when it is tried again; zero is never
	Tries      int         `json:"tries"`            // with this outcome
	Replays    []Replay    `json:"replays,omitzero"` // the last few, the oldest first; written by the replay alone
	ReceivedAt time.Time   `json:"received_at"`
	UpdatedAt  time.Time   `json:"updated_at"`

	Recorded bool   `json:"-"` // this very version of it was written with an order's change
	Raw      []byte `json:"-"` // the request as received; encrypted, erased after a while; nil leaves what is on record
}

// Replay is one time that somebody had a callback worked on again.
type Replay struct {
	At  time.Time `json:"at"`
	Who string    `json:"who"`
	Why string    `json:"why"`
}

// CallbackOut is what came of a callback.
type CallbackOut string

const (
	CallbackApplied   CallbackOut = "applied"
	CallbackNoNews    CallbackOut = "no_news"   // genuine, and everything in it was known
	CallbackIgnored   CallbackOut = "ignored"   // an event that means nothing to a hub
	CallbackUnmatched CallbackOut = "unmatched" // of no attempt yet; tried again
	CallbackForeign   CallbackOut = "foreign"   // of no attempt of ours
	CallbackFailed    CallbackOut = "failed"    // it could not be applied; tried again
	CallbackParked    CallbackOut = "parked"    // nor after many tries: a person has to look

	CallbackOwed        CallbackOut = "owed"        // genuine, and no read shows yet what it says
	CallbackUnconfirmed CallbackOut = "unconfirmed" // nor did any in time
)

// CallbackOutcomes are all of them.
var CallbackOutcomes = []CallbackOut{
	CallbackApplied, CallbackNoNews, CallbackIgnored, CallbackUnmatched, CallbackForeign, CallbackFailed, CallbackParked,
	CallbackOwed, CallbackUnconfirmed,
}

// Settled reports whether everything in it is on record: what repeats it is
// absorbed.
func (c CallbackOut) Settled() bool {
	return c == CallbackApplied || c == CallbackNoNews || c == CallbackIgnored
}

// Kept reports whether it was applied as far as it can be: what goes wrong when
// it is worked on once more takes nothing back.
func (c CallbackOut) Kept() bool {
	return c.Settled() || c == CallbackOwed || c == CallbackUnconfirmed
}
