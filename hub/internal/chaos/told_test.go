package chaos

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stretchr/testify/require"
)

const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

// orderJSON is an order as an answer or a notification shows it.
func orderJSON(version int, status string, captured int) string {
	return fmt.Sprintf(`{"id":"ord_1","reference":"chaos-1","version":%d,"status":%q,"captured":%d,"attempts":[]}`, version, status, captured)
}

// notify posts an order's notification to a receiver, signed with a secret.
func notify(t *testing.T, r *receiver, signedWith, order string) {
	t.Helper()
	body := fmt.Sprintf(`{"type":"order.updated","data":%s}`, order)
	signer, err := standardwebhooks.NewWebhook(signedWith)
	require.NoError(t, err)
	at := time.Now()
	signature, err := signer.Sign("ntf_1", at, []byte(body))
	require.NoError(t, err)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.url, strings.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("webhook-id", "ntf_1")
	req.Header.Set("webhook-timestamp", fmt.Sprint(at.Unix()))
	req.Header.Set("webhook-signature", signature)
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, http.StatusOK, res.StatusCode)
}

func newApp(t *testing.T) *app {
	t.Helper()
	r, err := openReceiver(1)
	require.NoError(t, err)
	t.Cleanup(r.close)
	require.NoError(t, r.expect(secret))
	r.relent() // no faults
	return &app{name: "shop", receiver: r}
}

func decoded(t *testing.T, order string) *view {
	t.Helper()
	v := &view{}
	require.NoError(t, decode(order, v))
	return v
}

// TestReceiver: wrong signatures and versions that mean two things are found.
func TestReceiver(t *testing.T) {
	t.Parallel()
	a := newApp(t)
	notify(t, a.receiver, secret, orderJSON(3, "paid", 1000))
	notify(t, a.receiver, secret, orderJSON(3, "paid", 1000))
	a.receiver.answered(decoded(t, orderJSON(3, "paid", 1000)))
	require.Empty(t, a.receiver.findings())

	a.receiver.answered(decoded(t, orderJSON(3, "paid", 900)))
	require.Len(t, a.receiver.findings(), 1)
	require.Contains(t, a.receiver.findings()[0], "version 3 of order ord_1 was shown in two ways")
	notify(t, a.receiver, "whsec_"+strings.Repeat("A", 32), orderJSON(4, "paid", 1000))
	require.Len(t, a.receiver.findings(), 2)
	require.Contains(t, a.receiver.findings()[1], "signature is wrong")
}

// TestChecker_Misled: what an app was told last must be how it ended.
func TestChecker_Misled(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		notified []string
		end      string
		asks     []*ask
		canceled bool
		found    string // "" is nothing
	}{
		"told in the end":          {notified: []string{orderJSON(2, "open", 0), orderJSON(3, "paid", 1000)}, end: orderJSON(4, "paid", 1000)},
		"told in another order":    {notified: []string{orderJSON(3, "paid", 1000), orderJSON(2, "open", 0)}, end: orderJSON(3, "paid", 1000)},
		"the end was not notified": {notified: []string{orderJSON(2, "open", 0)}, end: orderJSON(3, "paid", 1000), found: "is not as the newest notification says"},
		"never notified":           {end: orderJSON(3, "paid", 1000), found: "is not as the newest notification says"},
		"versions went back":       {notified: []string{orderJSON(6, "paid", 1000)}, end: orderJSON(4, "paid", 1000), found: "shown in version 6"},
		"refused the capture": {
			notified: []string{orderJSON(3, "paid", 1000)}, end: orderJSON(3, "paid", 1000),
			asks: []*ask{{verb: "capture", final: answer{status: 409}}}, found: "refused the capture",
		},
		"refused, then captured": {
			notified: []string{orderJSON(3, "paid", 1000)}, end: orderJSON(3, "paid", 1000),
			asks: []*ask{{verb: "capture", final: answer{status: 409}}, {verb: "capture", final: answer{status: 200}}},
		},
		"refused the checkout": {
			notified: []string{orderJSON(3, "paid", 1000)}, end: orderJSON(3, "paid", 1000),
			asks: []*ask{{verb: "checkout", final: answer{status: 422}}}, found: "refused the checkout",
		},
		"refused the cancel": {
			notified: []string{orderJSON(3, "canceled", 0)}, end: orderJSON(3, "canceled", 0),
			asks: []*ask{{verb: "cancel", final: answer{status: 422}}}, found: "refused the cancel",
		},
		"canceled, then paid": {
			notified: []string{orderJSON(3, "paid", 1000)}, end: orderJSON(3, "paid", 1000), canceled: true, found: "told that the order is canceled",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newApp(t)
			for _, order := range c.notified {
				notify(t, a.receiver, secret, order)
			}
			o := &order{c: &campaign{}, app: a, asks: c.asks, canceled: c.canceled, last: *decoded(t, orderJSON(1, "open", 0))}
			check := &trial{r: &Report{}, o: o, v: decoded(t, c.end)}
			check.contradicted()
			check.notified()
			if c.found == "" {
				require.Empty(t, check.r.Findings)
				return
			}
			require.Len(t, check.r.Findings, 1)
			require.Contains(t, check.r.Findings[0].Text, c.found)
			require.Equal(t, misled, check.r.Findings[0].Kind)
		})
	}
}

// TestChecker_UnclaimedRefund: a refund that was made although the app was told
// that nothing is done.
func TestChecker_UnclaimedRefund(t *testing.T) {
	t.Parallel()
	refunded := refund{ID: "ref_1", Status: "succeeded", Origin: "hub", Amount: 300}
	for name, c := range map[string]struct {
		asks     []*ask
		operated []int64
		found    int
	}{
		"answered with it": {asks: []*ask{{verb: "refund", id: "ref_1", final: answer{status: 201}}}},
		"never answered":   {asks: []*ask{{verb: "refund"}}},
		"refused":          {asks: []*ask{{verb: "refund", final: answer{status: 409}}}, found: 1},
		"by an operator":   {asks: []*ask{{verb: "refund", final: answer{status: 409}}}, operated: []int64{300}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			check := &trial{r: &Report{}, o: &order{asks: c.asks, operated: c.operated}, v: &view{Refunds: []refund{refunded}}}
			check.unclaimed()
			require.Len(t, check.r.Findings, c.found)
		})
	}
}
