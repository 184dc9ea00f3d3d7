package sandbox

import (
	"crypto/rand"
	"crypto/subtle"
	"net/http"
	"time"
)

const (
	tokenLife = 9 * time.Hour
	maxTokens = 10_000
)

// issueToken is POST /v1/oauth2/token. A token lives until its time or the door
// that revokes all: then a client that trusts expires_in meets a 401.
func (s *Server) issueToken(w http.ResponseWriter, r *http.Request) {
	id, secret, ok := r.BasicAuth()
	if !ok || !same(id, s.opts.ClientID) || !same(secret, s.opts.ClientSecret) {
		writeError(w, oauthError("invalid_client", "Client Authentication failed"))
		return
	}
	if r.PostFormValue("grant_type") != "client_credentials" {
		e := oauthError("unsupported_grant_type", "Grant Type is NULL or unsupported")
		e.status = http.StatusBadRequest
		writeError(w, e)
		return
	}
	token, now := "A21AA"+rand.Text()+rand.Text(), s.opts.Now()
	s.mu.Lock()
	if s.state.Tokens == nil || len(s.state.Tokens) >= maxTokens {
		s.state.Tokens = map[string]time.Time{}
	}
	s.state.Tokens[token] = now.Add(tokenLife)
	s.mu.Unlock()
	s.saved()
	write(w, http.StatusOK, map[string]any{
		"scope": "https://uri.paypal.com/services/payments/payment/authcapture", "access_token": token,
		"token_type": "Bearer", "app_id": "APP-80W284485P519543T", "expires_in": int(tokenLife.Seconds()),
		"nonce": now.UTC().Format(time.RFC3339) + rand.Text(),
	})
}

func (s *Server) knowsToken(token string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	until, ok := s.state.Tokens[token]
	return ok && s.opts.Now().Before(until)
}

func (s *Server) revokeTokens() {
	s.mu.Lock()
	s.state.Tokens = nil
	s.mu.Unlock()
	s.saved()
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }
