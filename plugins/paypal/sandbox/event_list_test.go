package sandbox_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/plugins/paypal/sandbox"
	"github.com/superpayhub/superpay/sdk/plugintest/standin"
)

const eventsPath = "/v1/notifications/webhooks-events"

func (s *stand) events() (list []event) {
	s.t.Helper()
	var page struct{ Events []event }
	require.NoError(s.t, json.Unmarshal([]byte(s.ask("GET", eventsPath+"?page_size=100", "").raw), &page))
	return page.Events
}

func (h *hook) times(id string) (n int) {
	for _, d := range h.all() {
		if d.ID == id {
			n++
		}
	}
	return n
}

func TestEvents_OutliveARestartAndAreSentAgain(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "paypal.json")
	first := newStand(t, func(o *sandbox.Options) { o.StateFile = file })
	first.paid("10", "USD", "approve")
	before := first.events()
	require.Len(t, before, 2)
	require.NoError(t, first.server.Close())

	s := newStand(t, func(o *sandbox.Options) { o.StateFile = file })
	require.Equal(t, before, s.events())
	path := eventsPath + "/" + before[0].ID
	one := s.ask("GET", path, "")
	require.Equal(t, before[0].ID, one.ID, one.raw)
	require.Equal(t, "INVALID_RESOURCE_ID", s.ask("GET", eventsPath+"/WH-1", "").Name)
	require.Equal(t, "INVALID_RESOURCE_ID", s.ask("POST", eventsPath+"/WH-1/resend", "{}").Name)

	again := s.ask("POST", path+"/resend", "{}")
	require.Equal(t, http.StatusAccepted, again.status, again.raw)
	require.Equal(t, before[0].ID, again.ID)
	require.Eventually(t, func() bool { return s.hook.times(before[0].ID) >= 1 }, 30*time.Second, 5*time.Millisecond) // and perhaps by its first delivery
	require.NoError(t, s.genuine(s.hook.all()[0]))
}

// A webhook that was not subscribed to an event can be sent it by name; one that
// still waits for its first delivery is not sent it twice.
func TestEvents_AreSentAgainToTheWebhooksNamed(t *testing.T) {
	t.Parallel()
	s, second := newStand(t), &hook{}
	receiver := httptest.NewServer(second)
	defer receiver.Close()
	made := s.webhook("POST", webhooksPath, subscription(receiver.URL, "CUSTOMER.DISPUTE.CREATED"), 201)
	require.NoError(t, s.doors.AddFault(t.Context(), standin.Fault{Callback: "PAYMENT.", Action: standin.Postpone, DelayMS: 4000}))
	s.paid("10", "USD", "approve")
	list := s.events()
	i := slices.IndexFunc(list, func(e event) bool { return e.Type == "PAYMENT.CAPTURE.COMPLETED" })
	path := eventsPath + "/" + list[i].ID + "/resend"
	require.Equal(t, "INVALID_RESOURCE_ID", s.ask("POST", path, `{"webhook_ids":["NONE"]}`).Name)
	require.Equal(t, http.StatusAccepted, s.ask("POST", path, `{"webhook_ids":["`+webhook+`","`+made.ID+`"]}`).status)
	s.event("PAYMENT.CAPTURE.COMPLETED")
	require.Eventually(t, func() bool { return second.times(list[i].ID) == 1 }, 30*time.Second, 5*time.Millisecond, "it is postponed, too")
	require.Equal(t, 1, s.hook.times(list[i].ID))
}

func TestEvents_OrderCompletedIsForPlatforms(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	s.paid("10", "USD", "approve")
	s.eventually("CHECKOUT.ORDER.APPROVED", "PAYMENT.CAPTURE.COMPLETED")
	platform := newStand(t, func(o *sandbox.Options) { o.Platform = true })
	platform.paid("10", "USD", "approve")
	platform.authorized("approve")
	platform.eventually("CHECKOUT.ORDER.APPROVED", "PAYMENT.CAPTURE.COMPLETED", "CHECKOUT.ORDER.COMPLETED",
		"CHECKOUT.ORDER.APPROVED", "PAYMENT.AUTHORIZATION.CREATED", "CHECKOUT.ORDER.COMPLETED")
	require.Equal(t, "checkout-order", platform.event("CHECKOUT.ORDER.COMPLETED").ResourceType)
}
