package main

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/superpayhub/superpay/plugins/paypal/sandbox"
	"github.com/superpayhub/superpay/sdk"
	"github.com/superpayhub/superpay/sdk/plugintest/standin"
)

const elsewhere = "http://127.0.0.1:1/elsewhere"

// newLot is a house whose REST app has one webhook, of another system.
func newLot(t *testing.T, change ...func(*sandbox.Options)) *house {
	t.Helper()
	return newHouse(t, append([]func(*sandbox.Options){func(o *sandbox.Options) {
		o.WebhookID, o.WebhookURL = "1PRESETWEBHOOK001", elsewhere
	}}, change...)...)
}

// tryConnect connects with a webhook id, and finds no secret in what comes of it.
func (h *house) tryConnect(id string, repair bool, change ...func(*sdk.ConnectRequest)) (*sdk.Connection, error) {
	h.t.Helper()
	r := sdk.ConnectRequest{Settings: maps.Clone(h.in), Callback: h.hook, Repair: repair}
	r.Settings["webhook_id"] = id
	for _, c := range change {
		c(&r)
	}
	got, err := New().Connect(h.t.Context(), r)
	if all := fmt.Sprintf("%+v %v", got, err); strings.Contains(all, r.Settings["client_secret"]) || strings.Contains(all, "A21AA") || strings.Contains(all, "Bearer") {
		h.t.Errorf("tells a secret: %s", all)
	}
	return got, err
}

func (h *house) connect(id string, repair bool, change ...func(*sdk.ConnectRequest)) *sdk.Connection {
	h.t.Helper()
	got, err := h.tryConnect(id, repair, change...)
	if err != nil {
		h.t.Fatal(err)
	}
	return got
}

// fine fails unless all is good; it returns what the last finding says.
func (h *house) fine(got *sdk.Connection) string {
	h.t.Helper()
	subjects := ""
	for _, f := range got.Findings {
		subjects += f.Subject + " "
		if !f.OK {
			h.t.Fatalf("%+v", got.Findings)
		}
	}
	if subjects != "credentials permission endpoint " {
		h.t.Fatalf("%+v", got.Findings)
	}
	return got.Findings[2].Text
}

// faults fails unless exactly these texts are in what is wrong, one in each.
func (h *house) faults(got *sdk.Connection, subject string, texts ...string) {
	h.t.Helper()
	bad := slices.DeleteFunc(slices.Clone(got.Findings), func(f sdk.Finding) bool { return f.OK })
	if len(bad) != len(texts) {
		h.t.Fatalf("%+v", got.Findings)
	}
	for i, f := range bad {
		if f.Subject != subject || !strings.Contains(f.Text, texts[i]) {
			h.t.Errorf("%+v, want %s: %q", f, subject, texts[i])
		}
	}
}

func (h *house) list() []webhook {
	h.t.Helper()
	c := connection{api: h.api}
	list, err := c.webhooks(h.t.Context())
	if err != nil {
		h.t.Fatal(err)
	}
	return list
}

func (h *house) add(address string, types ...string) webhook {
	h.t.Helper()
	var made webhook
	if err := h.api.send(h.t.Context(), post(webhooksPath, "", webhook{URL: address, Types: typesOf(types)}), &made); err != nil {
		h.t.Fatal(err)
	}
	return made
}

// unchanged fails if f asks for more than tokens and reads.
func (h *house) unchanged(f func()) {
	h.t.Helper()
	before, _ := h.doors.Requests(h.t.Context())
	f()
	after, err := h.doors.Requests(h.t.Context())
	if err != nil || len(after) <= len(before) {
		h.t.Fatal(len(after), err)
	}
	for _, r := range after[len(before):] {
		if r.Method != http.MethodGet && r.Path != "/v1/oauth2/token" {
			h.t.Errorf("%s %s", r.Method, r.Path)
		}
	}
}

func (h *house) fault(f standin.Fault) {
	h.t.Helper()
	if err := h.doors.AddFault(h.t.Context(), f); err != nil {
		h.t.Fatal(err)
	}
}

func TestConnect_MakesTheWebhookThatCallsTheHub(t *testing.T) {
	t.Parallel()
	h := newLot(t)
	h.unchanged(func() {
		h.faults(h.connect("", false), sdk.FindingEndpoint, "no webhook that calls the hub at "+h.hook)
	})
	got := h.connect("", true)
	id := got.Settings["webhook_id"]
	if text := h.fine(got); len(got.Settings) != 1 || id == "" || !strings.Contains(text, id) || !strings.Contains(text, "new") {
		t.Fatalf("%+v", got)
	}
	list := h.list()
	wanted := append(slices.Clone(eventTypes), "PAYMENT.REFUND.PENDING", "PAYMENT.REFUND.FAILED")
	if len(list) != 2 || list[0].URL != elsewhere || list[1].ID != id || !slices.Equal(list[1].Types, typesOf(wanted)) {
		t.Fatalf("%+v", list)
	}
	for _, repair := range []bool{false, true} {
		h.unchanged(func() {
			again := h.connect(id, repair)
			if h.fine(again); again.Settings != nil {
				t.Errorf("%+v", again)
			}
		})
	}
	in := maps.Clone(h.in)
	in["webhook_id"] = id
	if _, err := h.Configure(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	p := h.checkout("op_1")
	h.approve(p, "approve")
	if _, err := h.confirm("op_2", p, sdk.CaptureAutomatic); err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{"CHECKOUT.ORDER.APPROVED", "PAYMENT.CAPTURE.COMPLETED"} { // judged by house.callback
		if f := h.hint(kind); f.AttemptID != testAttempt {
			t.Errorf("%+v", f)
		}
	}
}

func TestConnect_ALostAnswerLeavesOneWebhook(t *testing.T) {
	t.Parallel()
	h := newLot(t)
	h.fault(standin.Fault{Method: "POST", Path: webhooksPath, Action: standin.DropAfter, Times: 1})
	if got, err := h.tryConnect("", true); err == nil {
		t.Fatalf("%+v", got)
	}
	first, second := h.connect("", true), h.connect("", true) // the settings are still the old ones
	h.fine(first)
	h.fine(second)
	if list := h.list(); len(list) != 2 || first.Settings["webhook_id"] != list[1].ID || second.Settings["webhook_id"] != list[1].ID {
		t.Errorf("%+v %+v %+v", list, first, second)
	}
}

func TestConnect_MendsAddressAndEvents(t *testing.T) {
	t.Parallel()
	h := newLot(t)
	old := h.add("http://127.0.0.1:1/moved", "PAYMENT.CAPTURE.COMPLETED", "CUSTOMER.DISPUTE.CREATED")
	h.unchanged(func() {
		h.faults(h.connect(old.ID, false), sdk.FindingEndpoint, "another address than the hub's, "+h.hook, "CHECKOUT.ORDER.APPROVED, CHECKOUT.ORDER.COMPLETED")
	})
	got := h.connect(old.ID, true)
	if text := h.fine(got); got.Settings != nil || !strings.Contains(text, "corrected") {
		t.Errorf("%+v", got)
	}
	if list := h.list(); len(list) != 2 || list[1].ID != old.ID || list[1].URL != h.hook || len(list[1].lacks(eventTypes)) > 0 {
		t.Errorf("%+v", list)
	}
	h = newLot(t)
	all := h.add(h.hook, everyType)
	h.unchanged(func() {
		if text := h.fine(h.connect(all.ID, true)); !strings.Contains(text, "(*), which is more than is needed") {
			t.Error(text)
		}
	})
}

func TestConnect_TheIDOfTheSettingsIsAnother(t *testing.T) {
	t.Parallel()
	h := newLot(t)
	h.unchanged(func() {
		h.faults(h.connect("0UNKNOWN", false), sdk.FindingEndpoint, "0UNKNOWN, is of no webhook of this REST app, so every genuine callback is refused", "no webhook that calls the hub")
	})
	got := h.connect("0UNKNOWN", true)
	h.fine(got)
	id := got.Settings["webhook_id"]
	h.unchanged(func() {
		h.faults(h.connect("1PRESETWEBHOOK001", false), sdk.FindingEndpoint, "is of a webhook with another address; the one that calls the hub is "+id)
		h.faults(h.connect("", false), sdk.FindingEndpoint, "webhook_id is empty; PayPal's webhook for the hub is "+id)
		if got := h.connect("1PRESETWEBHOOK001", true); got.Settings["webhook_id"] != id {
			t.Errorf("%+v", got)
		}
	})
	if list := h.list(); len(list) != 2 || list[0].URL != elsewhere {
		t.Errorf("%+v", list)
	}
}

func TestConnect_WebhooksChangeMeanwhile(t *testing.T) {
	t.Parallel()
	h := newLot(t)
	made := h.add(h.hook, everyType)
	none := standin.Fault{Method: "GET", Path: webhooksPath, Match: webhooksPath, Action: standin.Replace, Fields: map[string]any{"webhooks": []any{}}, Times: 1}
	none.After = 2 // the events and their types come first
	h.fault(none)
	got := h.connect("", true)
	if h.fine(got); got.Settings["webhook_id"] != made.ID {
		t.Errorf("%+v", got)
	}
	asked, err := h.doors.Requests(t.Context())
	if last := asked[len(asked)-2:]; err != nil || last[0].Method != http.MethodPost || last[1].Method != http.MethodGet {
		t.Errorf("%+v %v", last, err)
	}
	none.After, none.Times = 0, 0
	h.fault(none)
	h.faults(h.connect("", true), sdk.FindingEndpoint, "shows it not among those of this REST app")
	if err := h.doors.ClearFaults(t.Context()); err != nil {
		t.Fatal(err)
	}
	for len(h.list()) < 10 {
		h.add(fmt.Sprintf("http://127.0.0.1:1/%d", len(h.list())), everyType)
	}
	h.hook += "/other"
	h.faults(h.connect("", true), sdk.FindingEndpoint, "PayPal takes ten webhooks")
	if got := h.connect(made.ID, true); len(h.list()) != 10 || got.Settings != nil { // an address may change
		t.Errorf("%+v", got)
	}
}

func TestConnect_CredentialsAndPermissions(t *testing.T) {
	t.Parallel()
	h := newLot(t, func(o *sandbox.Options) { o.NoDisputes = true })
	h.unchanged(func() {
		wrong := func(r *sdk.ConnectRequest) { r.Settings["client_secret"] = "another-secret" }
		got := h.connect("", true, wrong)
		if h.faults(got, sdk.FindingCredentials, "PayPal refuses client_id and client_secret. Both must be of one REST app of this mode (test)"); len(got.Findings) != 1 {
			t.Errorf("%+v", got)
		}
	})
	got := h.connect("", true)
	h.faults(got, sdk.FindingPermission, "Switch the feature Disputes on")
	if len(got.Findings) != 3 || got.Settings["webhook_id"] == "" {
		t.Errorf("the rest is looked at all the same: %+v", got)
	}
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodPut, h.base+standin.DoorPrefix+"permissions", strings.NewReader(`{"disputes":true}`))
	if res, err := http.DefaultClient.Do(req); err != nil || res.StatusCode != http.StatusNoContent {
		t.Fatal(res, err)
	}
	h.fine(h.connect(got.Settings["webhook_id"], true))
	h.fault(standin.Fault{Path: eventsPath, Action: standin.Status, StatusCode: 403, Body: problemBody("NOT_AUTHORIZED", "PERMISSION_DENIED"), Times: 1})
	h.faults(h.connect("", true), sdk.FindingPermission, "webhook events")
	h.fault(standin.Fault{Path: webhooksPath, Match: webhooksPath, Action: standin.Status, StatusCode: 403, Body: problemBody("NOT_AUTHORIZED", "PERMISSION_DENIED"), After: 2, Times: 1})
	h.faults(h.connect("", true), sdk.FindingEndpoint, "does not let this REST app look after its webhooks")
}

func TestConnect_WhatPayPalCannotCall(t *testing.T) {
	t.Parallel()
	h := newLot(t)
	h.unchanged(func() {
		h.faults(h.connect("", true, func(r *sdk.ConnectRequest) { r.Callback = "" }), sdk.FindingEndpoint, "server.public_url (HUB_SERVER__PUBLIC_URL)")
	})
	for address, want := range map[string]bool{
		"https://pay.example.com/callback/paypal": true, "https://pay.example.com:443/x": true,
		"http://pay.example.com/x": false, "https://pay.example.com:8443/x": false, "nonsense": false,
	} {
		c := connection{settings: settings{mode: sdk.Live}, callback: address}
		if reason := c.uncallable(); (reason == "") != want {
			t.Errorf("%s: %q", address, reason)
		}
	}
	refusal := `{"name":"VALIDATION_ERROR","details":[{"field":"url","issue":"Not a valid webhook URL"}],"debug_id":"4172f7dad935c","message":"Invalid data provided"}`
	h.fault(standin.Fault{Method: "POST", Path: webhooksPath, Action: standin.Status, StatusCode: 400, Body: refusal})
	h.faults(h.connect("", true), sdk.FindingEndpoint, "VALIDATION_ERROR: Invalid data provided: url Not a valid webhook URL (PayPal debug id")
}

func TestConnect_ErrorsWhereNothingCouldBeAsked(t *testing.T) {
	t.Parallel()
	h := newLot(t)
	for _, f := range []standin.Fault{
		{Path: "/v1/oauth2/token", StatusCode: 503},
		{Path: "/v1/oauth2/token", StatusCode: 429},
		{Path: disputesPath, StatusCode: 500},
		{Path: disputesPath, StatusCode: 403, Body: "<html>not PayPal's</html>"},
		{Path: eventsPath, StatusCode: 429},
		{Path: webhooksPath + "-event-types", StatusCode: 500},
		{Path: webhooksPath, Match: webhooksPath, StatusCode: 502, After: 2},
		{Path: webhooksPath, Method: "POST", StatusCode: 500},
	} {
		f.Action = standin.Status
		h.fault(f)
		if got, err := h.tryConnect("", true); err == nil {
			t.Errorf("%+v: %+v", f, got)
		}
		if err := h.doors.ClearFaults(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := h.tryConnect("", true, func(r *sdk.ConnectRequest) { r.Settings["mode"] = "" }); err == nil {
		t.Errorf("%+v", got)
	} else if wrong := (*sdk.SettingsError)(nil); !errors.As(err, &wrong) || wrong.Field != "mode" {
		t.Error(err)
	}
	if len(h.list()) != 1 {
		t.Errorf("%+v", h.list())
	}
}

// Every type that the webhook is subscribed to means something to the hub.
func TestEventTypes_AreUnderstood(t *testing.T) {
	t.Parallel()
	body := `{"id":"WH-1","event_type":%q,"resource":{"id":"5O190127TN364715T","order_id":"5O190127TN364715T","status":"OPEN",` +
		`"dispute_id":"PP-D-1","disputed_transactions":[{"seller_transaction_id":"2GG279541U471931P"}],` +
		`"links":[{"rel":"up","href":"https://api-m.paypal.com/v2/payments/captures/2GG279541U471931P"}]}}`
	for _, kind := range slices.Concat(eventTypes, maybeTypes) {
		e, ok := parseEvent(fmt.Appendf(nil, body, kind))
		facts := e.facts()
		if !ok || len(facts) != 1 || len(facts[0].Expect) == 0 && kind != "CHECKOUT.PAYMENT-APPROVAL.REVERSED" {
			t.Errorf("%s: %v %+v", kind, ok, facts)
		}
	}
}
