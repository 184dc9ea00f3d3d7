package sandbox_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/plugins/paypal/sandbox"
)

// door bends the stand-in, and returns the status that it answered with.
func (s *stand) door(name, body string) int {
	s.t.Helper()
	req, err := http.NewRequest("PUT", s.base+"/_sandbox/"+name, strings.NewReader(body))
	require.NoError(s.t, err)
	resp, err := web.Do(req)
	require.NoError(s.t, err)
	resp.Body.Close()
	return resp.StatusCode
}

func (s *stand) refundPath(paid thing) string { return "/v2/payments/captures/" + paid.ID + "/refund" }

func TestRefund_GivesThePercentageOfTheFeeBack(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	paid := s.paid("100", "USD", "approve") // 3.49 and 0.49
	var fees []string
	for _, value := range []string{"33.33", "33.33", "33.34"} {
		r := s.ask("POST", s.refundPath(paid), money(value, "USD"))
		fees = append(fees, r.Breakdown.Fee.Value+" "+r.Breakdown.Net.Value)
		require.Equal(t, r.Breakdown, s.ask("GET", "/v2/payments/refunds/"+r.ID, "").Breakdown)
	}
	require.Equal(t, []string{"1.16 32.17", "1.16 32.17", "1.17 32.17"}, fees, "3.49 in all")

	require.Equal(t, http.StatusNoContent, s.door("refunds", `{"keep_fees":true}`))
	kept := s.ask("POST", s.refundPath(s.paid("100", "USD", "approve")), "")
	require.Equal(t, "0.00", kept.Breakdown.Fee.Value)
	require.Equal(t, "100.00", kept.Breakdown.Net.Value)
	keeps := newStand(t, func(o *sandbox.Options) { o.Refunds.KeepFees = true })
	require.Equal(t, "0.00", keeps.ask("POST", keeps.refundPath(keeps.paid("100", "USD", "approve")), "").Breakdown.Fee.Value)
}

func TestRefund_PendingArrivesOrFails(t *testing.T) {
	t.Parallel()
	s := newStand(t, func(o *sandbox.Options) { o.Refunds.Status = "PENDING" })
	paid := s.paid("10", "USD", "approve")
	body := func(value, invoice string) string {
		return fmt.Sprintf(`{"amount":{"currency_code":"USD","value":%q},"invoice_id":%q}`, value, invoice)
	}
	waits := s.ask("POST", s.refundPath(paid), body("4", "inv-1"))
	require.Equal(t, "PENDING", waits.Status)
	require.Equal(t, "ECHECK", waits.StatusDetails.Reason)
	require.Contains(t, string(s.event("PAYMENT.REFUND.PENDING").Resource), waits.ID)
	require.Equal(t, "REFUND_AMOUNT_EXCEEDED", s.ask("POST", s.refundPath(paid), body("6.01", "")).issue(), "it is on its way")
	require.Equal(t, "DUPLICATE_INVOICE_ID", s.ask("POST", s.refundPath(paid), body("1", "inv-1")).issue())
	require.Equal(t, "PARTIALLY_REFUNDED", s.ask("GET", "/v2/payments/captures/"+paid.ID, "").Status)
	s.press("refunds/" + waits.ID + "/fail")
	require.Equal(t, "FAILED", s.ask("GET", "/v2/payments/refunds/"+waits.ID, "").Status)
	require.Contains(t, string(s.event("PAYMENT.REFUND.FAILED").Resource), waits.ID)
	require.Equal(t, "COMPLETED", s.ask("GET", "/v2/payments/captures/"+paid.ID, "").Status)

	again := s.ask("POST", s.refundPath(paid), body("10", "inv-1"))
	require.Equal(t, http.StatusCreated, again.status, again.raw)
	s.press("refunds/" + again.ID + "/settle")
	require.Contains(t, string(s.event("PAYMENT.CAPTURE.REFUNDED").Resource), again.ID)
	require.Equal(t, "REFUNDED", s.ask("GET", "/v2/payments/captures/"+paid.ID, "").Status)
	status, _, _ := s.post("/dashboard/refunds/" + again.ID + "/fail")
	require.Equal(t, http.StatusConflict, status)
	refunds := s.server.Books().Refunds
	require.Equal(t, []string{"failed", "succeeded"}, []string{refunds[0].Status, refunds[1].Status})

	require.Equal(t, http.StatusNoContent, s.door("refunds", `{"status":"FAILED"}`))
	require.Equal(t, "FAILED", s.ask("POST", s.refundPath(s.paid("10", "USD", "approve")), "").Status)
	require.Equal(t, http.StatusBadRequest, s.door("refunds", `{"status":"LOST"}`))
}

func TestRefund_InvoiceIDsAreUnique(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	first, second := s.paid("10", "USD", "approve"), s.paid("10", "USD", "approve")
	body := `{"amount":{"currency_code":"USD","value":"1"},"invoice_id":"back-1"}`
	require.Equal(t, http.StatusCreated, s.ask("POST", s.refundPath(first), body).status)
	refused := s.ask("POST", s.refundPath(second), body)
	require.Equal(t, http.StatusUnprocessableEntity, refused.status)
	require.Equal(t, "DUPLICATE_INVOICE_ID", refused.issue())
}

func TestReversal_InPartAndForOtherReasons(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	for _, c := range []struct{ form, reason, left string }{
		{"BUYER_COMPLAINT", "BUYER_COMPLAINT", ""}, {"none", "", ""}, {"CHARGEBACK", "CHARGEBACK", "REFUND_NOT_PERMITTED_DUE_TO_CHARGEBACK"},
	} {
		paid := s.paid("10", "USD", "approve")
		status, _, _ := s.post("/dashboard/captures/"+paid.ID+"/reverse", "amount", "10.01")
		require.Equal(t, http.StatusConflict, status)
		s.press("captures/"+paid.ID+"/reverse", "amount", "4", "reason", c.form)
		now := s.ask("GET", "/v2/payments/captures/"+paid.ID, "")
		require.Equal(t, "PARTIALLY_REFUNDED", now.Status)
		require.Equal(t, c.reason, now.StatusDetails.Reason)
		require.Equal(t, c.left, s.ask("POST", s.refundPath(paid), money("6", "USD")).issue())
	}
	require.Contains(t, string(s.event("PAYMENT.CAPTURE.REVERSED").Resource), `"4.00"`)
	status, _, _ := s.post("/dashboard/captures/"+s.paid("10", "USD", "approve").ID+"/reverse", "reason", "WHIM")
	require.Equal(t, http.StatusConflict, status)
}

// A state file from before refunds had a status and a fee is still read.
func TestRefund_OfAnOlderStateFileIsCompleted(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "paypal.json")
	first := newStand(t, func(o *sandbox.Options) { o.StateFile = file })
	made := first.ask("POST", first.refundPath(first.paid("100", "USD", "approve")), money("10", "USD"))
	require.NoError(t, first.server.Close())
	state, err := os.ReadFile(file)
	require.NoError(t, err)
	fresh := fmt.Sprintf(`{"id":%q,"status":"COMPLETED","amount":{"currency_code":"USD","value":"10.00"},"paypal_fee":{"currency_code":"USD","value":"0.34"},`, made.ID)
	require.Contains(t, string(state), fresh)
	older := fmt.Sprintf(`{"id":%q,"amount":{"currency_code":"USD","value":"10.00"},`, made.ID)
	require.NoError(t, os.WriteFile(file, []byte(strings.Replace(string(state), fresh, older, 1)), 0o600))

	s := newStand(t, func(o *sandbox.Options) { o.StateFile = file })
	got := s.ask("GET", "/v2/payments/refunds/"+made.ID, "")
	require.Equal(t, "COMPLETED", got.Status)
	require.Equal(t, "0.00", got.Breakdown.Fee.Value)
	require.Equal(t, "10.00", got.Breakdown.Net.Value)
	require.Equal(t, "succeeded", s.server.Books().Refunds[0].Status)
}
