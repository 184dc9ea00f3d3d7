package sandbox_test

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/plugins/paypal/sandbox"
	"github.com/superpayhub/superpay/sdk/plugintest/standin"
)

func fetch(t *testing.T, address string) []byte {
	t.Helper()
	resp, err := http.Get(address)
	require.NoError(t, err)
	defer resp.Body.Close()
	require.Equal(t, http.StatusOK, resp.StatusCode)
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return body
}

// genuine checks a delivery as PayPal documents it, with nothing of the
// stand-in's own code.
func (s *stand) genuine(d delivery) error {
	s.t.Helper()
	roots := x509.NewCertPool()
	require.True(s.t, roots.AppendCertsFromPEM(fetch(s.t, s.base+"/_sandbox/ca")))
	address := d.header.Get("Paypal-Cert-Url")
	require.True(s.t, strings.HasPrefix(address, s.base+"/v1/notifications/certs/CERT-"), address)
	block, _ := pem.Decode(fetch(s.t, address))
	leaf, err := x509.ParseCertificate(block.Bytes)
	require.NoError(s.t, err)
	_, err = leaf.Verify(x509.VerifyOptions{Roots: roots, DNSName: "messageverificationcerts.sandbox.paypal.com"})
	require.NoError(s.t, err)
	require.Equal(s.t, "messageverificationcerts.sandbox.paypal.com", leaf.Subject.CommonName)
	require.Equal(s.t, "SHA256withRSA", d.header.Get("Paypal-Auth-Algo"))
	sum := sha256.Sum256(fmt.Appendf(nil, "%s|%s|%s|%d", d.header.Get("Paypal-Transmission-Id"),
		d.header.Get("Paypal-Transmission-Time"), webhook, crc32.ChecksumIEEE(d.body)))
	signature, err := base64.StdEncoding.DecodeString(d.header.Get("Paypal-Transmission-Sig"))
	require.NoError(s.t, err)
	return rsa.VerifyPKCS1v15(leaf.PublicKey.(*rsa.PublicKey), crypto.SHA256, sum[:], signature)
}

func TestWebhook_IsSignedAndRepeated(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	s.hook.mu.Lock()
	s.hook.fails = 2
	s.hook.mu.Unlock()
	s.approved("CAPTURE", "10", "USD", "approve")
	require.Eventually(t, func() bool { return len(s.hook.all()) == 3 }, 30*time.Second, 5*time.Millisecond)
	for _, d := range s.hook.all() {
		require.NoError(t, s.genuine(d))
		require.Equal(t, "CHECKOUT.ORDER.APPROVED", d.Type)
		require.Equal(t, "checkout-order", d.ResourceType)
		require.True(t, strings.HasPrefix(d.ID, "WH-"))
		require.Equal(t, s.hook.all()[0].header.Get("Paypal-Transmission-Id"), d.header.Get("Paypal-Transmission-Id"))
	}

	careless := newStand(t, func(o *sandbox.Options) { o.Disable = []string{"signing"} })
	careless.approved("CAPTURE", "10", "USD", "approve")
	require.Error(t, careless.genuine(careless.event("CHECKOUT.ORDER.APPROVED")))
}

func TestWebhook_PostbackTakesTheBytesAsTheyAre(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	body := strings.Replace(orderBody("CAPTURE", "USD", "1"), "att_1", "a&b", 1)
	o := s.ask("POST", "/v2/checkout/orders", body)
	_, _, _ = s.post("/checkoutnow", "token", o.ID, "choice", "approve")
	d := s.event("CHECKOUT.ORDER.APPROVED")
	verify := func(event []byte) string {
		r := s.ask("POST", "/v1/notifications/verify-webhook-signature", fmt.Sprintf(
			`{"auth_algo":%q,"cert_url":%q,"transmission_id":%q,"transmission_sig":%q,"transmission_time":%q,"webhook_id":%q,"webhook_event":%s}`,
			d.header.Get("Paypal-Auth-Algo"), d.header.Get("Paypal-Cert-Url"), d.header.Get("Paypal-Transmission-Id"),
			d.header.Get("Paypal-Transmission-Sig"), d.header.Get("Paypal-Transmission-Time"), webhook, event))
		var out struct {
			Status string `json:"verification_status"`
		}
		require.NoError(t, json.Unmarshal([]byte(r.raw), &out), r.raw)
		return out.Status
	}
	require.Equal(t, "SUCCESS", verify(d.body))
	var decoded any
	require.NoError(t, json.Unmarshal(d.body, &decoded))
	encoded, err := json.Marshal(decoded)
	require.NoError(t, err)
	require.Equal(t, "FAILURE", verify(encoded))
	require.Equal(t, "MISSING_REQUIRED_PARAMETER", s.ask("POST", "/v1/notifications/verify-webhook-signature", "{}").issue())

	req, err := http.NewRequest("POST", "http://localhost/callback", bytes.NewReader(d.body))
	require.NoError(t, err)
	req.Header = d.header
	got, err := s.api.VerifyWebhookSignature(t.Context(), req, webhook)
	require.NoError(t, err)
	require.Equal(t, "FAILURE", got.VerificationStatus, "the library escapes the ampersand")
	s.choose(s.create("CAPTURE", "1", "USD").ID, "approve")
	require.Eventually(t, func() bool { return len(s.hook.all()) == 2 }, 30*time.Second, 5*time.Millisecond)
	d = s.hook.all()[1]
	req.Body, req.Header = io.NopCloser(bytes.NewReader(d.body)), d.header
	got, err = s.api.VerifyWebhookSignature(t.Context(), req, webhook)
	require.NoError(t, err)
	require.Equal(t, "SUCCESS", got.VerificationStatus)
}

func TestWebhook_FaultsReachIt(t *testing.T) {
	t.Parallel()
	s, ctx := newStand(t), t.Context()
	require.NoError(t, s.doors.AddFault(ctx, standin.Fault{Callback: "*", Action: standin.Withhold}))
	s.paid("10", "USD", "approve")
	require.Empty(t, s.hook.all())
	n, err := s.doors.Release(ctx, standin.ReleaseOrder{Reverse: true})
	require.NoError(t, err)
	require.Equal(t, 2, n)
	s.event("CHECKOUT.ORDER.APPROVED")
	require.Equal(t, "PAYMENT.CAPTURE.COMPLETED", s.hook.all()[0].Type)
	require.NoError(t, s.doors.SetWebhook(ctx, ""))
	require.Error(t, s.doors.SetWebhook(ctx, "nowhere"))
}
