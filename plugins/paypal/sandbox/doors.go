package sandbox

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/superpayhub/superpay/sdk/plugintest/standin"
)

func (s *Server) doors() http.Handler {
	doors := standin.Doors{
		Faults: &s.faults, Callbacks: s.callbacks, Requests: &s.requests, Books: s.Books, SetWebhook: s.setWebhook, Clock: s.clock,
	}.Handler()
	doors.HandleFunc("GET "+standin.DoorPrefix+"ca", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/x-pem-file")
		_, _ = w.Write(s.CA())
	})
	doors.HandleFunc("POST "+standin.DoorPrefix+"tokens/revoke", func(w http.ResponseWriter, _ *http.Request) {
		s.revokeTokens()
		w.WriteHeader(http.StatusNoContent)
	})
	doors.HandleFunc("PUT "+standin.DoorPrefix+"permissions", s.setPermissions)
	doors.HandleFunc("PUT "+standin.DoorPrefix+"refunds", s.setRefunds)
	return doors
}

// setPermissions is the door that gives and takes what the REST app may do.
func (s *Server) setPermissions(w http.ResponseWriter, r *http.Request) {
	var may struct {
		Disputes *bool `json:"disputes"`
	}
	if !standin.ReadJSON(w, r, &may) {
		return
	}
	if may.Disputes != nil {
		s.mu.Lock()
		s.locked = !*may.Disputes
		s.mu.Unlock()
	}
	w.WriteHeader(http.StatusNoContent)
}

func (s *Server) setWebhook(address string) error {
	if u, err := url.Parse(address); address != "" && (err != nil || u.Host == "") {
		return errors.New("not an absolute URL")
	}
	preset, ok := s.webhooks.byEndpoint("")
	if !ok {
		return errors.New("the webhook of the options was deleted by the API")
	}
	preset.URL = address
	s.webhooks.put(preset)
	s.file.Touch()
	return nil
}

// setRefunds is the door that decides what becomes of the refunds from now on.
func (s *Server) setRefunds(w http.ResponseWriter, r *http.Request) {
	var rules RefundRules
	if !standin.ReadJSON(w, r, &rules) {
		return
	}
	if err := rules.Check(); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	s.refunds = rules
	s.mu.Unlock()
	w.WriteHeader(http.StatusNoContent)
}
