package sandbox

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const authAlgo = "SHA256withRSA"

// sender signs callbacks and knows where they go.
type sender struct {
	identity *identity
	certURL  string
	webhooks *webhooks
	now      func() time.Time
	wrong    bool // sign for a webhook nobody has, for mutation tests
}

// Target implements standin.Sender.
func (s *sender) Target(endpoint string) string {
	to, _ := s.webhooks.byEndpoint(endpoint)
	return to.URL
}

// message is what a signature covers. Of the body that is a checksum only.
func message(id, at, webhook string, body []byte) string {
	return strings.Join([]string{id, at, webhook, strconv.FormatUint(uint64(crc32.ChecksumIEEE(body)), 10)}, "|")
}

// Sign implements standin.Sender. Every try of a callback carries the same
// transmission id, as PayPal's log of transmissions has one per receiver, and
// the time of the try.
func (s *sender) Sign(endpoint string, body []byte, _ time.Time) http.Header {
	sum := sha256.Sum256(append([]byte(endpoint), body...))
	id := fmt.Sprintf("%x-%x-%x-%x-%x", sum[:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
	at := s.now().UTC().Format(time.RFC3339)
	to, _ := s.webhooks.byEndpoint(endpoint)
	if s.wrong {
		to.ID = "WRONG"
	}
	header := http.Header{}
	for name, value := range map[string]string{
		"PAYPAL-TRANSMISSION-ID": id, "PAYPAL-TRANSMISSION-TIME": at, "PAYPAL-CERT-URL": s.certURL,
		"PAYPAL-TRANSMISSION-SIG": base64.StdEncoding.EncodeToString(s.identity.sign(message(id, at, to.ID, body))),
		"PAYPAL-AUTH-ALGO":        authAlgo, "PAYPAL-AUTH-VERSION": "v2", "User-Agent": "PayPal/AUHR-1.0-1",
	} {
		header.Set(name, value)
	}
	return header
}

// verifySignature takes webhook_event byte for byte as it stands in the request:
// a caller that decoded and encoded the event on the way is told FAILURE.
func (s *Server) verifySignature(c *call) (answer, *apiError) {
	var req struct {
		Algo      string          `json:"auth_algo"`
		CertURL   string          `json:"cert_url"`
		ID        string          `json:"transmission_id"`
		Signature string          `json:"transmission_sig"`
		Time      string          `json:"transmission_time"`
		WebhookID string          `json:"webhook_id"`
		Event     json.RawMessage `json:"webhook_event"`
	}
	if e := c.read(&req); e != nil {
		return answer{}, e
	}
	for name, value := range map[string]string{
		"auth_algo": req.Algo, "cert_url": req.CertURL, "transmission_id": req.ID, "transmission_sig": req.Signature,
		"transmission_time": req.Time, "webhook_id": req.WebhookID, "webhook_event": string(req.Event),
	} {
		if value == "" {
			return answer{}, malformed("MISSING_REQUIRED_PARAMETER", name, "")
		}
	}
	_, known := s.webhooks.byID(req.WebhookID)
	signature, err := base64.StdEncoding.DecodeString(req.Signature)
	status := "FAILURE"
	if err == nil && req.Algo == authAlgo && req.CertURL == s.sender.certURL && known &&
		s.sender.identity.signed(message(req.ID, req.Time, req.WebhookID, req.Event), signature) {
		status = "SUCCESS"
	}
	return answer{status: http.StatusOK, body: fields{"verification_status": status}}, nil
}
