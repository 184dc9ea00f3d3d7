package sandbox

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/superpayhub/superpay/sdk/plugintest/standin"
)

// tell queues a callback about a payment, as it is now.
func (s *Server) tell(kind string, p *payment) {
	id := newID("evt_")
	s.callbacks.Send(standin.Callback{
		ID: id, Type: kind, Created: time.Now().UTC(), Body: frozen(map[string]any{"id": id, "type": kind, "payment": p}),
	})
}

// Target implements standin.Sender.
func (s *Server) Target(string) string {
	s.hook.Lock()
	defer s.hook.Unlock()
	return s.hook.url
}

// Sign implements standin.Sender, anew at each try.
func (s *Server) Sign(_ string, body []byte, at time.Time) http.Header {
	stamp := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, []byte(s.opts.SigningSecret))
	mac.Write([]byte(stamp + "."))
	mac.Write(body)
	return http.Header{"Acmepay-Time": {stamp}, "Acmepay-Signature": {hex.EncodeToString(mac.Sum(nil))}}
}

func (s *Server) setWebhook(address string) error {
	if u, err := url.Parse(address); address != "" && (err != nil || u.Host == "") {
		return errors.New("not an absolute URL")
	}
	s.hook.Lock()
	defer s.hook.Unlock()
	s.hook.url = address
	return nil
}
