package sandbox

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/superpayhub/superpay/sdk/plugintest/standin"
)

// Knobs are habits and troubles of Stripe's that a test, or a person, can set while
// the sandbox runs, by PUT /_sandbox/knobs. The zero value is Stripe on a good day.
type Knobs struct {
	// FeeDelay is how long a charge has no balance transaction after it was taken, and
	// so no fee; charge.updated tells when it has one.
	FeeDelay time.Duration

	ListDelay  time.Duration // before a list is answered
	ListStatus int           // what a list is answered with instead: 403, 429, 500 or 503
	ListMemory time.Duration // a list leaves out what is older; 0 is nothing

	// ReplayAny has a reused idempotency key answer with its first request's object
	// though the parameters are others. Stripe refuses that; other providers do not.
	ReplayAny bool
}

func (k Knobs) check() error {
	switch {
	case k.FeeDelay < 0 || k.ListDelay < 0 || k.ListMemory < 0:
		return fmt.Errorf("fee_delay, list_delay and list_memory must not be negative")
	case k.ListStatus != 0 && !slices.Contains([]int{403, 429, 500, 503}, k.ListStatus):
		return fmt.Errorf("list_status %d is none of 403, 429, 500 and 503", k.ListStatus)
	}
	return nil
}

// knobsDoor sets every knob; one that the body does not name is turned back.
func (s *Server) knobsDoor(w http.ResponseWriter, r *http.Request) {
	var body struct {
		FeeDelay   string `json:"fee_delay"`
		ListDelay  string `json:"list_delay"`
		ListStatus int    `json:"list_status"`
		ListMemory string `json:"list_memory"`
		ReplayAny  bool   `json:"replay_any"`
	}
	if !standin.ReadJSON(w, r, &body) {
		return
	}
	knobs := Knobs{ListStatus: body.ListStatus, ReplayAny: body.ReplayAny}
	err := error(nil)
	for _, d := range []struct {
		text string
		to   *time.Duration
	}{{body.FeeDelay, &knobs.FeeDelay}, {body.ListDelay, &knobs.ListDelay}, {body.ListMemory, &knobs.ListMemory}} {
		if d.text != "" && err == nil {
			*d.to, err = time.ParseDuration(d.text)
		}
	}
	if err == nil {
		err = knobs.check()
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.knobs = knobs
	w.WriteHeader(http.StatusNoContent)
}

func (s *Server) turned() Knobs {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.knobs
}

// troubled waits, and refuses, as the knobs say of lists.
func (s *Server) troubled(ctx context.Context) *apiError {
	knobs := s.turned()
	if knobs.ListDelay > 0 {
		timer := time.NewTimer(knobs.ListDelay)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
		}
	}
	e := &apiError{Type: "api_error", Message: "An unknown error occurred.", status: knobs.ListStatus}
	switch knobs.ListStatus {
	case 0:
		return nil
	case http.StatusForbidden:
		e = invalid("more_permissions_required", "", "The provided key '%s' does not have the required permissions for this endpoint.", masked(s.opts.APIKey))
	case http.StatusTooManyRequests:
		e = invalid("rate_limit", "", "Request rate limit exceeded. Learn more about rate limits here https://stripe.com/docs/rate-limits.")
	}
	e.status = knobs.ListStatus
	return e
}

// forgotten reports whether lists leave out what was made at a time.
func (s *Server) forgotten(made int64) bool {
	return s.knobs.ListMemory > 0 && made < s.now()-int64(s.knobs.ListMemory/time.Second)
}

// bookedAt is when a charge that was taken gets its balance transaction, in unix
// milliseconds; 0 is at once. That of a debit, and of a PaymentIntent that is captured
// asynchronously, always comes later than the money.
func (s *Server) bookedAt(ch *charge) int64 {
	if s.knobs.FeeDelay > 0 {
		return s.dueIn(s.knobs.FeeDelay)
	}
	pi, _ := s.state.Intents.get(string(ch.PaymentIntent))
	_, card := ch.PaymentMethodDetails["card"]
	if !card || pi != nil && pi.CaptureMethod == "automatic_async" {
		return s.due()
	}
	return 0
}
