package main

import (
	"encoding/json"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/superpayhub/superpay/sdk"
)

func refundDoc(status, custom string) map[string]any {
	return map[string]any{
		"id": testRefund, "status": status, "custom_id": custom, "amount": map[string]any{"currency_code": "EUR", "value": "10.00"},
		"links": []any{map[string]any{"rel": "up", "href": "https://api-m.paypal.com/v2/payments/captures/" + testCapture}},
	}
}

func refundAsk() sdk.RefundRequest {
	return sdk.RefundRequest{
		PaymentRequest: paymentRequest("server", orderRef(), captureRef()), Key: "op_5", RefundID: "ref_1", CaptureID: testCapture,
		Refund: eur(1000), Reason: "we think the payer is a fraud",
	}
}

func TestRefund_ShapeAndStatuses(t *testing.T) {
	for status, want := range map[string]sdk.MovementStatus{
		"COMPLETED": sdk.MovementSucceeded, "PENDING": sdk.MovementPending, "FAILED": sdk.MovementFailed, "CANCELLED": sdk.MovementFailed,
	} {
		f := newFake(t, routes(t, map[string]http.HandlerFunc{
			"POST /v2/payments/captures/" + testCapture + "/refund": say(201, `{"id":"`+testRefund+`","status":"`+status+`"}`), // minimal: read
			"GET /v2/payments/refunds/" + testRefund:                say(200, encoded(t, refundDoc(status, "ref_1:hub1"))),
		}))
		out, err := newTestProvider(t, f).Refund(t.Context(), refundAsk())
		if err != nil || out.Status != want || out.ID != testRefund || out.RefundID != "ref_1" || out.CaptureID != testCapture || !out.Amount.Equal(eur(1000)) {
			t.Errorf("%s: %+v %v", status, out, err)
		}
		c := f.seen()[0]
		if c.Path != "/v2/payments/captures/"+testCapture+"/refund" || c.Key != "op_5" || !sameJSON(c.Body, `{"amount":{"currency_code":"EUR","value":"10.00"},"custom_id":"ref_1.hub1"}`) {
			t.Errorf("sent %+v", c)
		}
	}
}

// TestRefund_TellsWhatItFound: PayPal replays what a key made before, whatever is
// asked now. Nothing of the question stands in the answer.
func TestRefund_TellsWhatItFound(t *testing.T) {
	ask := refundAsk()
	ask.KeyHash, ask.Digest = "4b", "d1"
	other := refundDoc("COMPLETED", "ref_0:hub1:4b:d0")
	other["amount"] = map[string]any{"currency_code": "EUR", "value": "7.00"}
	for name, c := range map[string]struct {
		answer map[string]any
		refund sdk.Refund
	}{
		"another of ours":  {other, sdk.Refund{RefundID: "ref_0", InstanceID: "hub1", KeyHash: "4b", Digest: "d0", Amount: eur(700)}},
		"the payment's id": {refundDoc("COMPLETED", testAttempt+":hub1"), sdk.Refund{Amount: eur(1000)}},
		"no id":            {refundDoc("COMPLETED", ""), sdk.Refund{Amount: eur(1000)}},
	} {
		f := newFake(t, say(201, encoded(t, c.answer)))
		out, err := newTestProvider(t, f).Refund(t.Context(), ask)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		c.refund.ID, c.refund.CaptureID, c.refund.Status = testRefund, testCapture, sdk.MovementSucceeded
		if !reflect.DeepEqual(*out, c.refund) {
			t.Errorf("%s: %+v", name, out)
		}
		if sent := f.seen()[0]; !sameJSON(sent.Body, `{"amount":{"currency_code":"EUR","value":"10.00"},"custom_id":"ref_1.hub1.4b.d1"}`) {
			t.Errorf("sent %+v", sent)
		}
	}
	f := newFake(t, routes(t, map[string]http.HandlerFunc{
		"POST /v2/payments/captures/" + testCapture + "/refund": say(201, `{"id":"`+testRefund+`","status":"COMPLETED"}`),
		"GET /v2/payments/refunds/" + testRefund:                say(401, ""),
	}))
	if out, err := newTestProvider(t, f).Refund(t.Context(), ask); class(err) != "unknown" {
		t.Errorf("an answer that names nothing, and cannot be read: %+v %v", out, err)
	}
}

func encoded(t *testing.T, doc any) string {
	t.Helper()
	b, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestRefund_Refusals(t *testing.T) {
	none := doc("COMPLETED", func(_, u map[string]any) { u["payments"] = paid("COMPLETED") })
	ours := doc("COMPLETED", func(_, u map[string]any) { u["payments"] = paid("REFUNDED", refundDoc("COMPLETED", "ref_1")) })
	for _, c := range []struct{ issue, read, class, code string }{
		{"CAPTURE_FULLY_REFUNDED", none, "rejected", sdk.FailureRefundExceedsBalance},
		{"REFUND_AMOUNT_EXCEEDED", none, "rejected", sdk.FailureRefundExceedsBalance},
		{"CAPTURE_FULLY_REFUNDED", ours, "done", ""}, // by this very refund
		{"PENDING_CAPTURE", none, "rejected", sdk.FailureState},
		{"TRANSACTION_DISPUTED", none, "rejected", sdk.FailureState},
		{"REFUND_TIME_LIMIT_EXCEEDED", none, "rejected", sdk.FailureExpired},
		{"REFUND_FAILED_INSUFFICIENT_FUNDS", none, "rejected", sdk.FailureRefundExceedsBalance},
		{"SOMETHING_NEW", none, "rejected", sdk.FailureInvalidRequest},
	} {
		f := newFake(t, routes(t, map[string]http.HandlerFunc{
			"POST /v2/payments/captures/" + testCapture + "/refund": say(422, problemBody("UNPROCESSABLE_ENTITY", c.issue)),
			"GET /v2/checkout/orders/" + testOrder:                  say(200, c.read),
		}))
		out, err := newTestProvider(t, f).Refund(t.Context(), refundAsk())
		if class(err) != c.class {
			t.Errorf("%s: %+v %v", c.issue, out, err)
			continue
		}
		if r, ok := err.(*sdk.RejectedError); ok && (r.Failure.Code != c.code || r.Failure.ProviderCode != c.issue) {
			t.Errorf("%s: %+v", c.issue, r.Failure)
		}
	}
}

func TestGetRefund_ByIDAndByOurs(t *testing.T) {
	ours := doc("COMPLETED", func(_, u map[string]any) {
		u["payments"] = paid("PARTIALLY_REFUNDED", refundDoc("PENDING", "ref_1"))
	})
	f := newFake(t, routes(t, map[string]http.HandlerFunc{
		"GET /v2/payments/refunds/" + testRefund: say(200, `{"id":"`+testRefund+`","status":"COMPLETED","custom_id":"`+testAttempt+`","amount":{"currency_code":"EUR","value":"10.00"}}`),
		"GET /v2/payments/refunds/NONE":          say(404, problemBody("RESOURCE_NOT_FOUND", "INVALID_RESOURCE_ID")),
		"GET /v2/checkout/orders/" + testOrder:   say(200, ours),
	}))
	p := newTestProvider(t, f)
	r := sdk.GetRefundRequest{PaymentRequest: paymentRequest("server", orderRef()), ProviderID: testRefund}
	if out, err := p.GetRefund(t.Context(), r); err != nil || out.Status != sdk.MovementSucceeded || out.RefundID != "" {
		t.Errorf("%+v %v", out, err)
	}
	r.ProviderID = "NONE"
	if _, err := p.GetRefund(t.Context(), r); err != sdk.ErrNotFound {
		t.Error(err)
	}
	r.ProviderID, r.RefundID = "", "ref_1"
	if out, err := p.GetRefund(t.Context(), r); err != nil || out.ID != testRefund || out.Status != sdk.MovementPending || out.CaptureID != testCapture {
		t.Errorf("%+v %v", out, err)
	}
	r.RefundID = "ref_2"
	if _, err := p.GetRefund(t.Context(), r); err != sdk.ErrNotFound {
		t.Error(err)
	}
}

// Refunds made at PayPal and reversals are in the order's list, under the
// payment's own custom_id, which is no refund of ours.
func TestReadOrder_RefundsAndDisputes(t *testing.T) {
	paidBack := doc("COMPLETED", func(_, u map[string]any) {
		u["payments"] = paid("PARTIALLY_REFUNDED", refundDoc("COMPLETED", testAttempt))
	})
	dispute := func(more string) http.HandlerFunc {
		return say(200, `{"dispute_id":"PP-1","reason":"UNAUTHORISED","dispute_amount":{"currency_code":"EUR","value":"20.00"},"create_time":"2026-03-01T12:00:00.000Z",`+more+`}`)
	}
	for _, c := range []struct {
		name, body string
		status     sdk.DisputeStatus
		withdrawn  bool
	}{
		{"inquiry", `"status":"OPEN","dispute_life_cycle_stage":"INQUIRY"`, sdk.DisputeInquiry, false},
		{"claim", `"status":"WAITING_FOR_SELLER_RESPONSE","dispute_life_cycle_stage":"CHARGEBACK"`, sdk.DisputeOpen, true},
		{"claim, funds back", `"status":"UNDER_REVIEW","dispute_life_cycle_stage":"CHARGEBACK","money_movements":[
			{"affected_party":"SELLER","type":"DEBIT","amount":{"currency_code":"EUR","value":"20.00"},"reason":"DISPUTE_SETTLEMENT"},
			{"affected_party":"SELLER","type":"DEBIT","amount":{"currency_code":"EUR","value":"16.00"},"reason":"CHARGEBACK_FEE"},
			{"affected_party":"SELLER","type":"CREDIT","amount":{"currency_code":"EUR","value":"20.00"},"reason":"DISPUTE_SETTLEMENT"}]`, sdk.DisputeOpen, false},
		{"lost in part", `"status":"RESOLVED","dispute_outcome":{"outcome_code":"RESOLVED_BUYER_FAVOUR"},"money_movements":[
			{"affected_party":"SELLER","type":"DEBIT","amount":{"currency_code":"EUR","value":"20.00"},"reason":"DISPUTE_SETTLEMENT"},
			{"affected_party":"SELLER","type":"CREDIT","amount":{"currency_code":"EUR","value":"5.00"},"reason":"DISPUTE_SETTLEMENT"}]`, sdk.DisputeLost, true},
		{"lost", `"status":"RESOLVED","dispute_life_cycle_stage":"CHARGEBACK","dispute_outcome":{"outcome_code":"RESOLVED_BUYER_FAVOUR"}`, sdk.DisputeLost, true},
		{"lost, and refunded", `"dispute_amount":{"currency_code":"EUR","value":"10.00"},"status":"RESOLVED","dispute_outcome":{"outcome_code":"RESOLVED_BUYER_FAVOUR"}`, sdk.DisputeLost, false}, // money goes out once
		{"won", `"status":"RESOLVED","dispute_outcome":{"outcome_code":"RESOLVED_SELLER_FAVOUR"}`, sdk.DisputeWon, false},
		{"given up", `"status":"RESOLVED","dispute_outcome":{"outcome_code":"CANCELED_BY_BUYER"}`, sdk.DisputeClosed, false},
	} {
		f := newFake(t, routes(t, map[string]http.HandlerFunc{
			"GET /v2/checkout/orders/" + testOrder: say(200, paidBack),
			"GET /v1/customer/disputes":            say(200, `{"items":[{"dispute_id":"PP-1"}],"links":[]}`),
			"GET /v1/customer/disputes/PP-1":       dispute(c.body),
		}))
		out, err := newTestProvider(t, f).GetPayment(t.Context(), paymentRequest("server", orderRef(), captureRef()))
		if err != nil || !out.Refunds.Complete || !out.Disputes.Complete || len(out.Disputes.Items) != 1 {
			t.Fatalf("%s: %+v %v", c.name, out, err)
		}
		if r := out.Refunds.Items[0]; r.RefundID != "" || r.CaptureID != testCapture || !r.Amount.Equal(eur(1000)) {
			t.Errorf("%s: %+v", c.name, r)
		}
		if d := out.Disputes.Items[0]; d.Status != c.status || d.FundsWithdrawn != c.withdrawn || d.CaptureID != testCapture || d.Amount.Currency != "EUR" {
			t.Errorf("%s: %+v", c.name, d)
		}
		gone := sdk.Money{}
		if d := out.Disputes.Items[0]; d.FundsWithdrawn {
			gone = d.Amount
		}
		if c.name == "lost in part" {
			gone = eur(1500)
		}
		if d := out.Disputes.Items[0]; !d.Withdrawn.Equal(gone) {
			t.Errorf("%s: %s is gone", c.name, d.Withdrawn)
		}
		if d := out.Disputes.Items[0]; strings.Contains(c.body, "CHARGEBACK_FEE") != d.Fee.Equal(eur(1600)) {
			t.Errorf("%s: kept %s", c.name, d.Fee)
		}
	}
}

// TestReadOrder_RefundedWithoutRefunds: a capture that calls itself refunded, where
// the order lists too little, says so; the hub reads again.
func TestReadOrder_RefundedWithoutRefunds(t *testing.T) {
	tenEuros, whole, failed := refundDoc("COMPLETED", testAttempt), refundDoc("COMPLETED", testAttempt), refundDoc("FAILED", testAttempt)
	whole["amount"] = map[string]any{"currency_code": "EUR", "value": "99.99"}
	failed["amount"] = whole["amount"]
	for name, c := range map[string]struct {
		status  string
		refunds []any
		expect  int64 // 0: nothing
	}{
		"all, none listed":  {"REFUNDED", nil, 9999},
		"all, a part":       {"REFUNDED", []any{tenEuros}, 9999},
		"all, and failed":   {"REFUNDED", []any{failed}, 9999},
		"all, listed":       {"REFUNDED", []any{whole}, 0},
		"part, none listed": {"PARTIALLY_REFUNDED", nil, 1},
		"part, listed":      {"PARTIALLY_REFUNDED", []any{tenEuros}, 0},
		"not refunded":      {"COMPLETED", nil, 0},
	} {
		body := doc("COMPLETED", func(_, u map[string]any) { u["payments"] = paid(c.status, c.refunds...) })
		f := newFake(t, routes(t, map[string]http.HandlerFunc{"GET /v2/checkout/orders/" + testOrder: say(200, body)}))
		out, err := newTestProvider(t, f).GetPayment(t.Context(), paymentRequest("server", orderRef()))
		if err != nil || out.Refunds.Complete != (c.expect == 0) {
			t.Fatalf("%s: %+v %v", name, out, err)
		}
		var want []sdk.Expectation
		if c.expect > 0 {
			want = []sdk.Expectation{{Kind: sdk.ExpectRefunded, ID: testCapture, Amount: eur(c.expect)}}
		}
		if !slices.Equal(out.Expect, want) {
			t.Errorf("%s: %+v", name, out.Expect)
		}
	}
}

// TestReadOrder_Reversal: PayPal shows what a bank took back as a refund, and
// perhaps as a dispute of another amount. It is told apart from what the
// merchant gave back before, and goes out once.
func TestReadOrder_Reversal(t *testing.T) {
	earlier := refundDoc("COMPLETED", testAttempt)
	earlier["id"], earlier["create_time"] = "EARLIER", "2026-03-01T06:00:00-07:00"
	later := refundDoc("COMPLETED", testAttempt)
	later["create_time"] = "2026-03-02T06:00:00-07:00"
	reversed := doc("COMPLETED", func(_, u map[string]any) {
		u["payments"] = paid("REFUNDED", later, earlier)
		u["payments"].(map[string]any)["captures"].([]any)[0].(map[string]any)["status_details"] = map[string]any{"reason": "CHARGEBACK"}
	})
	f := newFake(t, routes(t, map[string]http.HandlerFunc{
		"GET /v2/checkout/orders/" + testOrder: say(200, reversed),
		"GET /v1/customer/disputes":            say(200, `{"items":[{"dispute_id":"PP-1"}],"links":[]}`),
		"GET /v1/customer/disputes/PP-1": say(200, `{"dispute_id":"PP-1","dispute_amount":{"currency_code":"EUR","value":"99.99"},
			"status":"RESOLVED","dispute_life_cycle_stage":"CHARGEBACK","dispute_outcome":{"outcome_code":"RESOLVED_BUYER_FAVOUR"}}`),
	}))
	out, err := newTestProvider(t, f).GetPayment(t.Context(), paymentRequest("server", orderRef(), captureRef()))
	if err != nil || len(out.Refunds.Items) != 2 || len(out.Disputes.Items) != 1 {
		t.Fatalf("%+v %v", out, err)
	}
	for _, r := range out.Refunds.Items {
		if r.Reversed != (r.ID == testRefund) {
			t.Errorf("%+v", r)
		}
	}
	if out.Disputes.Items[0].FundsWithdrawn {
		t.Errorf("the money goes out twice: %+v", out.Disputes.Items[0])
	}
}

func TestReadOrder_DisputesNotReadable(t *testing.T) {
	body := doc("COMPLETED", func(_, u map[string]any) { u["payments"] = paid("COMPLETED") })
	for status, want := range map[int]string{403: "done", 500: "unknown"} {
		f := newFake(t, routes(t, map[string]http.HandlerFunc{
			"GET /v2/checkout/orders/" + testOrder: say(200, body),
			"GET /v1/customer/disputes":            say(status, problemBody("NOT_AUTHORIZED", "")),
		}))
		out, err := newTestProvider(t, f).GetPayment(t.Context(), paymentRequest("server", orderRef(), captureRef()))
		if class(err) != want || err == nil && out.Disputes.Complete {
			t.Errorf("%d: %+v %v", status, out, err)
		}
		// Money of which the hub does not know yet does not wait for them.
		if out, err := newTestProvider(t, f).GetPayment(t.Context(), paymentRequest("server", orderRef())); err != nil || out.Status != sdk.Succeeded {
			t.Errorf("%d: %v", status, err)
		}
	}
}
