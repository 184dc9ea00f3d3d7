package standin

import (
	"errors"
	"net/http"
	"sync/atomic"
	"time"
)

// Clock is a stand-in's time. A test can put it ahead: what the provider keeps for
// a day, an idempotency key say, it has then forgotten. The zero value goes by the
// machine's.
type Clock struct {
	Machine func() time.Time // nil is time.Now
	ahead   atomic.Int64
}

// Now returns the time.
func (c *Clock) Now() time.Time {
	now := time.Now
	if c.Machine != nil {
		now = c.Machine
	}
	return now().Add(time.Duration(c.ahead.Load()))
}

// set is a door: it puts the clock ahead of the machine's by a duration, "25h"
// say, or back to it, "0s".
func (c *Clock) set(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Ahead string `json:"ahead"`
	}
	if !ReadJSON(w, r, &body) {
		return
	}
	ahead, err := time.ParseDuration(body.Ahead)
	if err == nil && ahead < 0 {
		err = errors.New("a provider's time does not go back behind the machine's")
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	c.ahead.Store(int64(ahead))
	w.WriteHeader(http.StatusNoContent)
}
