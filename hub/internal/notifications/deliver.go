package notifications

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/superpayhub/superpay/hub/internal/postgres"
)

const (
	maxAnswer = 4 << 10  // kept of it, in the delivery log
	maxRead   = 16 << 10 // read of it, to keep the connection
)

// ErrCut is the cause of a context that ends because the hub does.
var ErrCut = errors.New("the hub is shutting down")

// Deliver tries one notification and records how it went. An app answers 2xx
// when it has the notification; 410 for an hour says that the endpoint is gone. A try
// that ErrCut ends counts for nothing: the notification is due again at once.
func (s *Sender) Deliver(ctx context.Context, n postgres.Outgoing) error {
	began := s.Now()
	status, answer, wish, err := s.send(ctx, n, began)
	if err != nil && errors.Is(context.Cause(ctx), ErrCut) {
		return s.DB.ReturnNotification(context.WithoutCancel(ctx), n, s.Now().UTC())
	}
	d := postgres.Delivery{
		NotificationID: n.ID, EndpointID: n.EndpointID, Leased: n.DueAt, At: began.UTC(), URL: n.URL, Status: status, Answer: clean(answer, maxAnswer),
		Took: s.Now().Sub(began), State: "delivered", GiveUpBefore: began.UTC().Add(-s.Scale(giveUp)), SaidGone: status == http.StatusGone,
	}
	d.Gone = d.SaidGone && n.GoneSince != nil && began.Sub(*n.GoneSince) >= s.Scale(goneAfter)
	if err == nil && status/100 != 2 {
		err = fmt.Errorf("the endpoint answered %d", status)
	}
	if err != nil {
		d.Error = reason(err)
		if d.State = "failed"; n.Tries <= len(Retries) {
			wait := max(s.Scale(Retries[n.Tries-1]), wish)
			// A little later each time, so that an app that comes back is not met by all at once.
			d.State, d.DueAt = "pending", began.UTC().Add(wait+rand.N(wait/10+1))
		}
		if d.Reason = "every delivery failed for three days; the last: " + d.Error; d.Gone {
			d.Reason = "the endpoint answered 410 for an hour: it is gone"
		}
		d.Notice = disabledNotice(n, began, d.Reason)
	}
	disabled, err := s.DB.RecordDelivery(ctx, d)
	if disabled {
		s.Logger.WarnContext(ctx, "a webhook endpoint is disabled: the app hears nothing there until it enables it again", "app", n.AppID, "endpoint", n.EndpointID, "reason", d.Reason)
	}
	return err
}

// disabledNotice tells an app's other endpoints of one that is disabled.
func disabledNotice(n postgres.Outgoing, at time.Time, reason string) string {
	since := at
	if n.FailingSince != nil {
		since = *n.FailingSince
	}
	b, _ := json.Marshal(map[string]any{ // plain data: cannot fail
		"type": "webhook_endpoint.disabled", "timestamp": at.UTC(),
		"data": map[string]any{"id": n.EndpointID, "url": n.URL, "status": "disabled", "failing_since": since.UTC(), "disabled_reason": reason},
	})
	return string(b)
}

// Scale compresses a delay as all schedules are, in dev and tests.
func (s *Sender) Scale(d time.Duration) time.Duration { return time.Duration(float64(d) / s.TimeScale) }

// send posts a notification, signed with each of the endpoint's secrets, and
// reads the beginning of the answer; wish is how long the receiver asks to be left
// alone. Nothing is sent unsigned.
func (s *Sender) send(ctx context.Context, n postgres.Outgoing, at time.Time) (status int, answer string, wish time.Duration, err error) {
	if len(n.Secrets) == 0 {
		return 0, "", 0, errors.New("the endpoint's secret cannot be read with the hub's encryption keys")
	}
	body := []byte(n.Payload)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, n.URL, bytes.NewReader(body))
	if err != nil {
		return 0, "", 0, err
	}
	var signatures []string
	for _, secret := range n.Secrets {
		w, err := standardwebhooks.NewWebhook(secret)
		if err != nil {
			return 0, "", 0, fmt.Errorf("the endpoint's secret cannot sign: %w", err)
		}
		signature, err := w.Sign(n.ID, at, body)
		if err != nil {
			return 0, "", 0, fmt.Errorf("sign: %w", err)
		}
		signatures = append(signatures, signature)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "Superpay")
	req.Header.Set(standardwebhooks.HeaderWebhookID, n.ID)
	req.Header.Set(standardwebhooks.HeaderWebhookTimestamp, strconv.FormatInt(at.Unix(), 10))
	req.Header.Set(standardwebhooks.HeaderWebhookSignature, strings.Join(signatures, " "))
	res, err := s.client.Do(req)
	if err != nil {
		return 0, "", 0, err
	}
	defer res.Body.Close()
	said, _ := io.ReadAll(io.LimitReader(res.Body, maxRead)) // the status is the answer, however the body ends
	return res.StatusCode, string(said), retryAfter(res, at), nil
}

// maxWish bounds what a receiver can ask for: the longest wait between two tries.
const maxWish = 24 * time.Hour

// retryAfter is how long a receiver that refuses asks to be left alone (RFC 9110,
// 10.2.3): seconds, or a date. Zero: it does not say.
func retryAfter(res *http.Response, now time.Time) time.Duration {
	said := res.Header.Get("Retry-After")
	wait := time.Duration(0)
	if seconds, err := strconv.ParseUint(said, 10, 32); err == nil {
		wait = time.Duration(seconds) * time.Second
	} else if at, err := http.ParseTime(said); err == nil {
		wait = at.Sub(now)
	}
	return min(max(wait, 0), maxWish)
}

// reason is an error in few words, for the delivery log, which names the
// address already.
func reason(err error) string {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	return clean(err.Error(), 300)
}

// clean makes a text that others wrote storable, and short.
func clean(text string, limit int) string {
	return strings.ToValidUTF8(strings.ReplaceAll(text[:min(len(text), limit)], "\x00", ""), "?")
}
