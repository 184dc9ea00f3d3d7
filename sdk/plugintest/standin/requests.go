package standin

import (
	"net/http"
	"regexp"
	"sync"
	"time"
)

// maxRequests bounds the log; older requests make room.
const maxRequests = 1000

// Request is one API request as it arrived. The Authorization header is never
// kept, and card numbers are masked, so a log attached to a report is harmless.
type Request struct {
	Time           time.Time `json:"time"`
	Method         string    `json:"method"`
	Path           string    `json:"path"`
	Query          string    `json:"query,omitempty"`
	IdempotencyKey string    `json:"idempotency_key,omitempty"`
	Body           string    `json:"body,omitempty"`
	Fault          Action    `json:"fault,omitempty"` // what bit it, if anything
}

// Requests is the bounded log of API requests. Its zero value is ready.
type Requests struct {
	mu   sync.Mutex
	list []Request
}

// List returns the log, oldest first.
func (l *Requests) List() []Request {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]Request{}, l.list...)
}

var cardLike = regexp.MustCompile(`\b\d{12,19}\b|\b\d{4}(?:(?:[ +-]|%20)\d{4}){2}(?:[ +-]|%20)\d{1,7}\b`)

func (l *Requests) add(r *http.Request, path string, body []byte, fault Action) {
	key := r.Header.Get("Idempotency-Key")
	if key == "" {
		key = r.Header.Get("PayPal-Request-Id")
	}
	if len(body) > 16<<10 {
		body = body[:16<<10]
	}
	entry := Request{
		Time: time.Now().UTC(), Method: r.Method, Path: path, Query: r.URL.RawQuery,
		IdempotencyKey: key, Body: cardLike.ReplaceAllString(string(body), "[number]"), Fault: fault,
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.list) >= maxRequests {
		l.list = append(l.list[:0:0], l.list[maxRequests/4:]...)
	}
	l.list = append(l.list, entry)
}
