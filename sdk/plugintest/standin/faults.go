package standin

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// Action is what a fault does to a matching request or callback.
type Action string

// Actions on API requests.
const (
	Delay      Action = "delay"       // wait DelayMS while the request is in flight, then answer normally
	Status     Action = "status"      // answer StatusCode and Body; nothing happens
	DropBefore Action = "drop_before" // close the connection; nothing happens
	DropAfter  Action = "drop_after"  // it happens, then the connection closes without an answer
	Cut        Action = "cut"         // it happens; headers and half of the body arrive
	Empty      Action = "empty"       // it happens; 200 with an empty body
	HTML       Action = "html"        // it happens; 200 with an HTML page
	Replace    Action = "replace"     // it happens; the answer lies as Fields, Find and With say
	Stale      Action = "stale"       // for DelayMS after its answer changed, a GET answers as before the change; no Times, no After
)

// Actions on callbacks.
const (
	Withhold  Action = "withhold"  // keep callbacks until they are released
	Duplicate Action = "duplicate" // deliver each Count times
	Reorder   Action = "reorder"   // gather Count callbacks, then deliver them shuffled by Seed, or reversed
	Postpone  Action = "postpone"  // deliver DelayMS late
	Lose      Action = "lose"      // never deliver; nothing but a resend of this one callback brings it back
)

// maxFaults bounds the rules in force; one that has bitten as often as it may
// makes room. A test that needs more is lost.
const maxFaults = 1000

// Fault is one rule. It bites matching requests, or matching callbacks if
// Callback is set, after letting After of them pass, and Times in all.
type Fault struct {
	ID       string `json:"id,omitempty"`
	Method   string `json:"method,omitempty"`   // "" is any
	Path     string `json:"path,omitempty"`     // prefix, as the API sees it: "/v1/refunds"
	Callback string `json:"callback,omitempty"` // prefix of the event type; "*" is any
	Match    string `json:"match,omitempty"`    // a text in the path or the body: one payment's id, say

	Action Action `json:"action"`
	After  int    `json:"after,omitempty"`
	Times  int    `json:"times,omitempty"` // 0 is every time, until cleared

	DelayMS    int            `json:"delay_ms,omitempty"` // also waited by every other request action
	StatusCode int            `json:"status_code,omitempty"`
	Body       string         `json:"body,omitempty"`
	Fields     map[string]any `json:"fields,omitempty"` // "amount", "data.0.amount", or "*.currency" at any depth
	Find       string         `json:"find,omitempty"`
	With       string         `json:"with,omitempty"`
	Count      int            `json:"count,omitempty"`
	Seed       uint64         `json:"seed,omitempty"` // 0 reverses
}

// check refuses a rule that could never bite, so that a test does not pass
// because of a spelling mistake.
func (f Fault) check() error {
	api := []Action{Delay, Status, DropBefore, DropAfter, Cut, Empty, HTML, Replace, Stale}
	callback := []Action{Withhold, Duplicate, Reorder, Postpone, Lose}
	switch {
	case f.Callback == "" && !slices.Contains(api, f.Action):
		return fmt.Errorf("%q is not an action on requests", f.Action)
	case f.Callback != "" && !slices.Contains(callback, f.Action):
		return fmt.Errorf("%q is not an action on callbacks", f.Action)
	case f.After < 0 || f.Times < 0 || f.DelayMS < 0 || f.DelayMS > 120_000:
		return fmt.Errorf("after, times and delay_ms must be in range")
	case f.Action == Status && (f.StatusCode < 200 || f.StatusCode > 599):
		return fmt.Errorf("status needs a status_code from 200 to 599")
	case f.Action == Stale && (f.DelayMS == 0 || f.Times != 0 || f.After != 0 || f.Method != "" && f.Method != http.MethodGet):
		return fmt.Errorf("stale needs a delay_ms, is of GET, and has no times and after")
	case (f.Action == Duplicate || f.Action == Reorder) && (f.Count < 2 || f.Count > 100):
		return fmt.Errorf("%s needs a count from 2 to 100", f.Action)
	}
	return nil
}

// Faults is the set of rules in force. Its zero value is ready.
type Faults struct {
	mu     sync.Mutex
	rules  []*armed
	number int
	bitten map[Action]int
}

type armed struct {
	Fault
	seen  int
	pasts map[string]*past // of a stale rule, by read
}

func (a *armed) spent() bool { return a.Times > 0 && a.seen >= a.After+a.Times }

// Add puts a rule in force and returns its id.
func (s *Faults) Add(f Fault) (string, error) {
	if err := f.check(); err != nil {
		return "", err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rules = slices.DeleteFunc(s.rules, (*armed).spent)
	if len(s.rules) >= maxFaults {
		return "", fmt.Errorf("more than %d faults", maxFaults)
	}
	s.number++
	f.ID = fmt.Sprintf("fault_%d", s.number)
	s.rules = append(s.rules, &armed{Fault: f})
	return f.ID, nil
}

// Clear lifts the rules for what carries that text, or every rule if it is
// empty. What is withheld stays so until it is released.
func (s *Faults) Clear(match string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rules = slices.DeleteFunc(s.rules, func(a *armed) bool { return match == "" || a.Match == match })
}

// Bitten counts how often each action was done.
func (s *Faults) Bitten() map[Action]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.bitten)
}

func (s *Faults) forRequest(r *http.Request, path string, body []byte) (Fault, bool) {
	return s.bite(func(f Fault) bool {
		return f.Callback == "" && (f.Method == "" || f.Method == r.Method) && strings.HasPrefix(path, f.Path) &&
			(strings.Contains(path, f.Match) || bytes.Contains(body, []byte(f.Match)))
	})
}

func (s *Faults) forCallback(kind string, body []byte) (Fault, bool) {
	return s.bite(func(f Fault) bool {
		return (f.Callback == "*" || f.Callback != "" && strings.HasPrefix(kind, f.Callback)) && bytes.Contains(body, []byte(f.Match))
	})
}

// bite returns the first matching rule whose turn it is. Every matching rule
// counts what it sees, so that "after 2" means the third match whatever else
// is in force.
func (s *Faults) bite(match func(Fault) bool) (Fault, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found *armed
	for _, rule := range s.rules {
		if rule.spent() || rule.Action == Stale || !match(rule.Fault) {
			continue
		}
		due := rule.seen >= rule.After && (rule.Times == 0 || rule.seen < rule.After+rule.Times)
		if due && found != nil {
			continue // another rule bites this one; wait for the next
		}
		rule.seen++
		if due {
			found = rule
		}
	}
	if found == nil {
		return Fault{}, false
	}
	s.count(found.Action)
	return found.Fault, true
}

type pauseKey struct{}

// Pause waits as long as a fault on this request says. A stand-in calls it once
// its idempotency key is taken and before it does anything, because that is
// where a slow provider is slow: a second request with the key meets the first.
// The wait outlives the client on purpose: giving up does not undo.
func Pause(ctx context.Context) {
	if wait, ok := ctx.Value(pauseKey{}).(time.Duration); ok {
		time.Sleep(wait)
	}
}
