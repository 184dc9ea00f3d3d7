package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/superpayhub/superpay/sdk"
	"github.com/superpayhub/superpay/sdk/once"
)

const (
	maxEvent = 1 << 20
	// PayPal tries "up to 25 times over the course of 3 days". A replayed call is
	// harmless, for it only makes the hub read; its age is bounded all the same.
	oldest   = 3*24*time.Hour + time.Hour
	earliest = 5 * time.Minute // between PayPal's clock and the hub's
)

// transmission is what PayPal's headers say of a call.
type transmission struct {
	ID        string `json:"transmission_id"`
	Time      string `json:"transmission_time"`
	Signature string `json:"transmission_sig"`
	CertURL   string `json:"cert_url"`
	Algorithm string `json:"auth_algo"`
	WebhookID string `json:"webhook_id"`
}

// HandleCallback implements sdk.Provider. The signature is checked offline, by
// PayPal's certificate, and proves no content: it covers a CRC32 of the body,
// to which anybody can fit another body. So no fact is ever proven; each only
// says "go and read".
func (p *Provider) HandleCallback(ctx context.Context, r sdk.CallbackRequest) (*sdk.CallbackResult, error) {
	if p.api == nil {
		return &sdk.CallbackResult{Verdict: sdk.CannotCheck, Reason: "the provider is not configured"}, nil
	}
	ctx, done := once.Within(ctx)
	defer done()
	e, ok := parseEvent(r.Body)
	if !ok {
		return forged("the body is no event of PayPal's"), nil
	}
	t, reason := p.transmission(r)
	if reason != "" {
		return forged(reason), nil
	}
	switch verdict, reason := p.judge(ctx, t, r); verdict {
	case sdk.Genuine:
	case sdk.Forged:
		return forged(reason), nil
	default:
		return &sdk.CallbackResult{Verdict: verdict, Reason: reason}, nil
	}
	return &sdk.CallbackResult{Verdict: sdk.Genuine, EventID: e.ID, Type: e.Type, Facts: e.facts()}, nil
}

func forged(reason string) *sdk.CallbackResult {
	return &sdk.CallbackResult{Verdict: sdk.Forged, Reason: reason, Ack: sdk.Ack{Status: http.StatusBadRequest}}
}

// transmissionForm has no "|": it joins the parts of what is signed.
var transmissionForm = regexp.MustCompile(`^[A-Za-z0-9_-]{1,50}$`)

// transmission reads the headers, or says why they are not PayPal's.
func (p *Provider) transmission(r sdk.CallbackRequest) (transmission, string) {
	t := transmission{WebhookID: p.settings.webhookID}
	for name, to := range map[string]*string{
		"Paypal-Transmission-Id": &t.ID, "Paypal-Transmission-Time": &t.Time, "Paypal-Transmission-Sig": &t.Signature,
		"Paypal-Cert-Url": &t.CertURL, "Paypal-Auth-Algo": &t.Algorithm,
	} {
		for _, h := range r.Headers {
			if !strings.EqualFold(h.Name, name) {
				continue
			}
			if *to != "" || len(h.Value) > 1000 {
				return t, "the header " + name + " is there twice, or too long"
			}
			*to = h.Value
		}
		if *to == "" {
			return t, "the header " + name + " is missing"
		}
	}
	at, err := time.Parse(time.RFC3339, t.Time)
	switch {
	case !transmissionForm.MatchString(t.ID):
		return t, "the transmission id is malformed"
	case err != nil:
		return t, "the transmission time is malformed"
	case at.After(r.ReceivedAt.Add(earliest)), at.Before(r.ReceivedAt.Add(-oldest)):
		return t, fmt.Sprintf("sent more than %s before its arrival, or %s after it", oldest, earliest)
	case t.Algorithm != "SHA256withRSA":
		return t, "the algorithm is not SHA256withRSA"
	case !p.certs.isPinned(t.CertURL):
		return t, "the certificate is not at PayPal's address"
	}
	return t, ""
}

// judge checks the signature. Where the certificate cannot be had, or its chain
// not be followed (PayPal's file has been seen without intermediates), PayPal
// itself is asked.
func (p *Provider) judge(ctx context.Context, t transmission, r sdk.CallbackRequest) (sdk.Verdict, string) {
	key, err := p.certs.get(ctx, t.CertURL, r.ReceivedAt)
	switch {
	case err == nil && isSigned(key, t, r.Body):
		return sdk.Genuine, ""
	case err == nil:
		return sdk.Forged, "the signature does not match"
	case errors.Is(err, errNoCert): // then PayPal did not sign it, and need not be asked
		return sdk.Forged, err.Error()
	case !p.settings.askPayPal || errors.Is(err, errBudget):
		return sdk.CannotCheck, "the certificate cannot be used: " + err.Error()
	}
	if !p.asks.take(r.ReceivedAt) {
		return sdk.CannotCheck, "more calls came in this minute than PayPal is asked about"
	}
	verdict, reason := p.ask(ctx, t, r.Body)
	if verdict == sdk.Genuine {
		p.asks.back()
	}
	return verdict, reason
}

// ask lets PayPal check. The event goes into the question as it came, byte by
// byte: re-marshalled it would have another checksum.
func (p *Provider) ask(ctx context.Context, t transmission, event []byte) (sdk.Verdict, string) {
	question, err := json.Marshal(t)
	if err != nil {
		return sdk.CannotCheck, "the question cannot be written"
	}
	question = append(bytes.TrimSuffix(question, []byte("}")), `,"webhook_event":`...)
	question = append(append(question, event...), '}')
	var answer struct {
		Status string `json:"verification_status"`
	}
	err = p.api.send(ctx, post("/v1/notifications/verify-webhook-signature", "", question), &answer)
	switch {
	case err != nil:
		return sdk.CannotCheck, outcome("verify callback", err).Error()
	case answer.Status == "SUCCESS":
		return sdk.Genuine, ""
	case answer.Status == "FAILURE":
		return sdk.Forged, "PayPal does not know the signature"
	}
	return sdk.CannotCheck, once.ErrUnreadable.Error()
}
