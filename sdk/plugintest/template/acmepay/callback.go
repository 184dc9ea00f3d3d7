package main

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/superpayhub/superpay/sdk"
)

// tolerance is how far the signed time may lie from the arrival.
const tolerance = 5 * time.Minute

// HandleCallback implements sdk.Provider, offline. The signature covers the
// body, so what the body says is proven.
func (p *Provider) HandleCallback(_ context.Context, r sdk.CallbackRequest) (*sdk.CallbackResult, error) {
	if p.client == nil {
		return &sdk.CallbackResult{Verdict: sdk.CannotCheck, Reason: "the provider is not configured"}, nil
	}
	if reason := p.verify(r); reason != "" {
		return &sdk.CallbackResult{Verdict: sdk.Forged, Reason: reason, Ack: sdk.Ack{Status: http.StatusBadRequest}}, nil
	}
	var event struct {
		ID      string  `json:"id"`
		Type    string  `json:"type"`
		Payment payment `json:"payment"`
	}
	if err := json.Unmarshal(r.Body, &event); err != nil {
		return &sdk.CallbackResult{Verdict: sdk.Genuine, Reason: "signed, but not an event"}, nil
	}
	out := &sdk.CallbackResult{Verdict: sdk.Genuine, EventID: event.ID, Type: event.Type}
	if event.Payment.Live != (p.settings.mode == sdk.Live) {
		out.Verdict, out.Reason = sdk.NotOurs, "of another mode"
		return out, nil
	}
	told, err := event.Payment.read()
	if err != nil {
		out.Reason = "the event's payment could not be read"
		return out, nil
	}
	out.Facts = []sdk.Fact{{Proven: true, Payment: *told, Expect: expected(told)}}
	return out, nil
}

// verify returns why the call is not to be believed, "" if it is.
func (p *Provider) verify(r sdk.CallbackRequest) string {
	stamp := r.Get("Acmepay-Time")
	given, err := hex.DecodeString(r.Get("Acmepay-Signature"))
	if stamp == "" || len(given) == 0 || err != nil {
		return "not signed"
	}
	mac := hmac.New(sha256.New, []byte(p.settings.signingSecret))
	mac.Write([]byte(stamp + "."))
	mac.Write(r.Body)
	if !hmac.Equal(given, mac.Sum(nil)) {
		return "the signature does not match"
	}
	unix, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || r.ReceivedAt.Sub(time.Unix(unix, 0)).Abs() > tolerance {
		return "signed at another time"
	}
	return ""
}

// expected says what a read must show once it has caught up with an event: the
// movements that it names. What the hub applies at once is not waited for; an
// event that takes something back is, for that only a read may do.
func expected(p *sdk.Payment) (out []sdk.Expectation) {
	for _, c := range p.Captures.Items {
		out = append(out, sdk.Expectation{Kind: sdk.ExpectCapture, ID: c.ID, AtLeast: string(c.Status)})
	}
	for _, r := range p.Refunds.Items {
		out = append(out, sdk.Expectation{Kind: sdk.ExpectRefund, ID: r.ID, AtLeast: string(r.Status)})
	}
	for _, d := range p.Disputes.Items {
		out = append(out, sdk.Expectation{Kind: sdk.ExpectDispute, ID: d.ID, AtLeast: string(d.Status)})
	}
	return out
}
