package sandbox_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/plugins/paypal/sandbox"
)

const webhooksPath = "/v1/notifications/webhooks"

type hooked struct {
	ID, URL string
	Types   []struct{ Name, Status string } `json:"event_types"`
}

func (s *stand) webhook(method, path, body string, status int) (w hooked) {
	s.t.Helper()
	r := s.ask(method, path, body)
	require.Equal(s.t, status, r.status, r.raw)
	require.NoError(s.t, json.Unmarshal([]byte(r.raw), &w), r.raw)
	return w
}

func (s *stand) webhooks() []hooked {
	s.t.Helper()
	var list struct{ Webhooks []hooked }
	require.NoError(s.t, json.Unmarshal([]byte(s.ask("GET", webhooksPath, "").raw), &list))
	return list.Webhooks
}

func subscription(address string, types ...string) string {
	out := fmt.Sprintf(`{"url":%q,"event_types":[`, address)
	for i, name := range types {
		if i > 0 {
			out += ","
		}
		out += fmt.Sprintf(`{"name":%q}`, name)
	}
	return out + "]}"
}

func TestWebhooks_AreMadeChangedAndDeleted(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	list := s.webhooks()
	require.Len(t, list, 1)
	require.Equal(t, webhook, list[0].ID)
	require.Equal(t, "*", list[0].Types[0].Name)

	made := s.webhook("POST", webhooksPath, subscription("https://pay.example.com/x", "PAYMENT.CAPTURE.COMPLETED"), 201)
	require.Regexp(t, "^[A-Z0-9]{17}$", made.ID)
	require.Equal(t, "ENABLED", made.Types[0].Status)
	one := webhooksPath + "/" + made.ID
	require.Equal(t, made, s.webhook("GET", one, "", 200))
	patch := `[{"op":"replace","path":"/url","value":"https://pay.example.com/y"},{"op":"replace","path":"/event_types","value":[{"name":"*"}]}]`
	changed := s.webhook("PATCH", one, patch, 200)
	require.Equal(t, "https://pay.example.com/y", changed.URL)
	require.Equal(t, "*", changed.Types[0].Name)

	refused := func(method, path, body string, status int, name string) {
		t.Helper()
		r := s.ask(method, path, body)
		require.Equal(t, status, r.status, r.raw)
		require.Equal(t, name, r.Name, r.raw)
	}
	refused("PATCH", one, patch, 400, "WEBHOOK_PATCH_REQUEST_NO_CHANGE")
	refused("PATCH", one, `[{"op":"replace","path":"/url","value":`+fmt.Sprintf("%q", list[0].URL)+`}]`, 400, "WEBHOOK_URL_ALREADY_EXISTS")
	refused("PATCH", one, `[{"op":"add","path":"/url","value":"https://pay.example.com/z"}]`, 400, "VALIDATION_ERROR")
	refused("PATCH", one, `[{"op":"replace","path":"/id","value":"1"}]`, 400, "VALIDATION_ERROR")
	refused("POST", webhooksPath, subscription("https://pay.example.com/y", "*"), 400, "WEBHOOK_URL_ALREADY_EXISTS")
	refused("POST", webhooksPath, subscription("pay.example.com", "*"), 400, "VALIDATION_ERROR")
	refused("POST", webhooksPath, subscription("https://pay.example.com/z", "NO.SUCH.EVENT"), 400, "VALIDATION_ERROR")
	refused("POST", webhooksPath, subscription("https://pay.example.com/z"), 400, "VALIDATION_ERROR")
	for i := range 8 {
		s.webhook("POST", webhooksPath, subscription(fmt.Sprint("https://pay.example.com/", i), "*"), 201)
	}
	refused("POST", webhooksPath, subscription("https://pay.example.com/z", "*"), 400, "WEBHOOK_NUMBER_LIMIT_EXCEEDED")
	require.Equal(t, http.StatusNoContent, s.ask("DELETE", one, "").status)
	for _, method := range []string{"GET", "PATCH", "DELETE"} {
		refused(method, one, patch, 404, "INVALID_RESOURCE_ID")
	}
	require.Len(t, s.webhooks(), 9)
}

// Each is called with the types that it asked for, signed over its own id.
func TestWebhooks_EachIsCalledAndSignedForItself(t *testing.T) {
	t.Parallel()
	s, second := newStand(t), &hook{}
	receiver := httptest.NewServer(second)
	defer receiver.Close()
	made := s.webhook("POST", webhooksPath, subscription(receiver.URL, "PAYMENT.CAPTURE.COMPLETED"), 201)
	s.paid("10", "USD", "approve")
	s.eventually("CHECKOUT.ORDER.APPROVED", "PAYMENT.CAPTURE.COMPLETED")
	require.Eventually(t, func() bool { return len(second.all()) == 1 }, 30*time.Second, 5*time.Millisecond)
	d := second.all()[0]
	require.Equal(t, "PAYMENT.CAPTURE.COMPLETED", d.Type)
	verify := func(d delivery, id string) string {
		r := s.ask("POST", "/v1/notifications/verify-webhook-signature", fmt.Sprintf(
			`{"auth_algo":%q,"cert_url":%q,"transmission_id":%q,"transmission_sig":%q,"transmission_time":%q,"webhook_id":%q,"webhook_event":%s}`,
			d.header.Get("Paypal-Auth-Algo"), d.header.Get("Paypal-Cert-Url"), d.header.Get("Paypal-Transmission-Id"),
			d.header.Get("Paypal-Transmission-Sig"), d.header.Get("Paypal-Transmission-Time"), id, d.body))
		var out struct {
			Status string `json:"verification_status"`
		}
		require.NoError(t, json.Unmarshal([]byte(r.raw), &out), r.raw)
		return out.Status
	}
	require.Equal(t, "SUCCESS", verify(d, made.ID))
	require.Equal(t, "FAILURE", verify(d, webhook))
	require.Equal(t, "SUCCESS", verify(s.event("PAYMENT.CAPTURE.COMPLETED"), webhook))
	require.NoError(t, s.genuine(s.event("PAYMENT.CAPTURE.COMPLETED")))
}

func TestWebhooks_OutliveARestart(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "paypal.json")
	first := newStand(t, func(o *sandbox.Options) { o.StateFile = file })
	made := first.webhook("POST", webhooksPath, subscription("https://pay.example.com/x", "CUSTOMER.DISPUTE.CREATED"), 201)
	preset := first.webhook("PATCH", webhooksPath+"/"+webhook, `[{"op":"replace","path":"/event_types","value":[{"name":"PAYMENT.CAPTURE.DENIED"}]}]`, 200)
	require.NoError(t, first.server.Close())
	second := newStand(t, func(o *sandbox.Options) { o.StateFile, o.WebhookURL = file, "" })
	require.Equal(t, []hooked{preset, made}, second.webhooks())
	require.NoError(t, second.server.Close())
	third := newStand(t, func(o *sandbox.Options) { o.StateFile, o.WebhookID = file, "ANOTHER" })
	require.Equal(t, []string{"ANOTHER", made.ID}, []string{third.webhooks()[0].ID, third.webhooks()[1].ID})
}

func TestDisputes_NeedThePermission(t *testing.T) {
	t.Parallel()
	s := newStand(t, func(o *sandbox.Options) { o.NoDisputes = true })
	for _, path := range []string{"/v1/customer/disputes?page_size=1", "/v1/customer/disputes/PP-R-1"} {
		r := s.ask("GET", path, "")
		require.Equal(t, http.StatusForbidden, r.status)
		require.Equal(t, "NOT_AUTHORIZED", r.Name)
		require.Equal(t, "PERMISSION_DENIED", r.issue())
	}
}
