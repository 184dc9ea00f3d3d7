package standin

import (
	"net/http"
	"time"
)

// CallbackState says where a callback stands.
type CallbackState string

// States of a callback.
const (
	Pending   CallbackState = "pending"   // waiting for its first or next try
	Withheld  CallbackState = "withheld"  // kept back by a fault
	Delivered CallbackState = "delivered" // answered 2xx
	Exhausted CallbackState = "exhausted" // every try failed
	Unsent    CallbackState = "unsent"    // no address was set
	Lost      CallbackState = "lost"      // a fault lost it for good
)

// Callback is one message to a webhook, with the fate of its deliveries.
type Callback struct {
	ID         string        `json:"id"`
	Type       string        `json:"type"`
	Endpoint   string        `json:"endpoint"` // the stand-in's name for the receiver
	State      CallbackState `json:"state"`
	Tries      int           `json:"tries"`
	LastStatus int           `json:"last_status"` // 0 is no answer
	Created    time.Time     `json:"created"`
	Body       []byte        `json:"body,omitempty"`

	heldBy string // id of the fault that keeps it back
}

// Sender is what the stand-in knows and the Deliverer does not: where an
// endpoint is and how a body is signed. Sign is called once per try with the
// time of the try, as providers sign every repeat anew. Target is asked while
// the stand-in sends, so neither may take the lock Send is called under.
type Sender interface {
	Target(endpoint string) (url string)
	Sign(endpoint string, body []byte, at time.Time) http.Header
}
