package main

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// message is a page that says what happened and what can be done.
type message struct {
	Title, Text string
	Mood        string // as in look; bad when empty
	Lines       []string
	Order       string    // an order to look at
	Retry       *formPost // the same form once more, with the same key
}

// formPost is a form made of what is already known: its only control is a button.
type formPost struct {
	Action, Button string
	Fields         []field
}

type field struct{ Name, Value string }

// again is the form that was just posted here, to be posted once more.
func (s *shop) again(r *http.Request) *formPost {
	if r.Method != http.MethodPost {
		return nil
	}
	return &formPost{Action: s.base + r.URL.Path, Button: "Try again", Fields: fieldsOf(r.PostForm)}
}

func fieldsOf(form url.Values) []field {
	var fields []field
	for _, name := range slices.Sorted(maps.Keys(form)) {
		fields = append(fields, field{name, form.Get(name)})
	}
	return fields
}

func (s *shop) message(w http.ResponseWriter, r *http.Request, status int, m message) {
	if m.Mood == "" {
		m.Mood = "bad"
	}
	s.render(w, r, status, "message", m)
}

// failedAs is what the shop was about when the hub said no.
type failedAs struct {
	What  string
	Order string    // its order, if there is one
	Retry *formPost // how to repeat it
}

// failed tells of a refusal. Where the same request may succeed later, or may
// already have had its effect, the button repeats it under the same key.
func (s *shop) failed(w http.ResponseWriter, r *http.Request, err error, as failedAs) {
	s.logProblem(r, err)
	p := problemOf(err)
	m := message{Title: as.What, Order: as.Order, Text: p.words()}
	if m.Order == "" && orderIDs.MatchString(p.OrderID) {
		m.Order = p.OrderID
	}
	if p.RequestID != "" {
		m.Lines = append(m.Lines, "If you ask us about it, name "+p.RequestID)
	}
	status := http.StatusBadGateway
	switch {
	case p.passing():
		m.Mood, m.Retry = "wait", as.Retry
		status = http.StatusServiceUnavailable
		if r.Method == http.MethodPost {
			if p.Maybe {
				m.Title = "We do not know the outcome yet"
			}
			m.Lines = slices.Insert(m.Lines, 0, "Trying again is safe: it is the same request under the same key, so it never happens twice.")
		}
		if p.RetryAfter > 0 {
			w.Header().Set("Retry-After", fmt.Sprint(p.RetryAfter))
			m.Lines = append(m.Lines, fmt.Sprintf("Give it %d seconds.", p.RetryAfter))
		}
	case p.Status == http.StatusNotFound:
		status, m.Order = http.StatusNotFound, ""
	case p.Status == http.StatusConflict, p.Status == http.StatusUnprocessableEntity:
		status = p.Status
	case p.Status == http.StatusUnauthorized, p.Status == http.StatusForbidden:
		m.Text = "The hub does not accept this shop's key. The shopkeeper has to look at SHOP_API_KEY."
	}
	s.message(w, r, status, m)
}

// logProblem tells the shopkeeper. What the hub refuses for good is everyday;
// an address's query is never logged, for it may carry a payer's token.
func (s *shop) logProblem(r *http.Request, err error) {
	p := problemOf(err)
	switch {
	case r.Context().Err() != nil:
		s.log.Info("the visitor left before the hub answered", "path", r.URL.Path)
	case p.Status/100 == 4 && p.Status != http.StatusUnauthorized && p.Status != http.StatusForbidden && !p.passing():
		s.log.Info("the hub refused", "path", r.URL.Path, "status", p.Status, "code", clip(p.Code), "request", p.RequestID)
	default:
		s.log.Warn("the hub could not do it", "path", r.URL.Path, "error", err)
	}
}

func problemOf(err error) *problem {
	p := &problem{Title: "Something went wrong in the shop"}
	errors.As(err, &p)
	return p
}

// words are what the hub says about it, as a sentence for a person.
func (p *problem) words() string {
	if p.Detail == "" {
		return p.Title + "."
	}
	text := p.Detail
	if p.Code == "provider_rejected" { // "failure_code: what the provider says"
		if _, said, ok := strings.Cut(text, ": "); ok {
			text = said
		}
	}
	text = sentence(text)
	if !strings.HasSuffix(text, ".") {
		text += "."
	}
	return text
}
