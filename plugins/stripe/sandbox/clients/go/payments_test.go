package samples_test

import (
	"testing"

	"github.com/stripe/stripe-go/v85"
)

func checkout() *stripe.CheckoutSessionCreateParams {
	return &stripe.CheckoutSessionCreateParams{
		Mode: stripe.String(stripe.CheckoutSessionModePayment), SuccessURL: stripe.String("https://example.com/success"),
		LineItems: []*stripe.CheckoutSessionCreateLineItemParams{{
			Quantity: stripe.Int64(2),
			PriceData: &stripe.CheckoutSessionCreateLineItemPriceDataParams{
				Currency: stripe.String("usd"), UnitAmount: stripe.Int64(2000),
				ProductData: &stripe.CheckoutSessionCreateLineItemPriceDataProductDataParams{Name: stripe.String("T-shirt")},
			},
		}},
	}
}

func TestCheckoutSession_CreateRetrieveListExpire(t *testing.T) {
	sc := client(t)
	session := must(sc.V1CheckoutSessions.Create(background(), checkout()))(t)
	equal(t, "status", session.Status, stripe.CheckoutSessionStatusOpen)
	equal(t, "amount", session.AmountTotal, 4000)
	if session.URL == "" {
		t.Fatal("there is no page to pay on")
	}
	read := must(sc.V1CheckoutSessions.Retrieve(background(), session.ID, nil))(t)
	equal(t, "id", read.ID, session.ID)
	items := all(t, sc.V1CheckoutSessions.ListLineItems(background(), &stripe.CheckoutSessionListLineItemsParams{Session: &session.ID}).All(background()))
	equal(t, "line item", items[0].Description, "T-shirt")
	found := false
	for _, one := range all(t, sc.V1CheckoutSessions.List(background(), &stripe.CheckoutSessionListParams{Status: stripe.String("open")}).All(background())) {
		found = found || one.ID == session.ID
	}
	equal(t, "listed", found, true)
	expired := must(sc.V1CheckoutSessions.Expire(background(), session.ID, &stripe.CheckoutSessionExpireParams{}))(t)
	equal(t, "status", expired.Status, stripe.CheckoutSessionStatusExpired)
}

func intent(capture string) *stripe.PaymentIntentCreateParams {
	return &stripe.PaymentIntentCreateParams{
		Amount: stripe.Int64(2000), Currency: stripe.String(stripe.CurrencyUSD), CaptureMethod: stripe.String(capture),
		PaymentMethodTypes: []*string{stripe.String("card")}, Metadata: map[string]string{"order_id": "6735"},
	}
}

func TestPaymentIntent_CreateConfirmCaptureCancel(t *testing.T) {
	sc := client(t)
	made := must(sc.V1PaymentIntents.Create(background(), intent("manual")))(t)
	equal(t, "status", made.Status, stripe.PaymentIntentStatusRequiresPaymentMethod)
	held := must(sc.V1PaymentIntents.Confirm(background(), made.ID, &stripe.PaymentIntentConfirmParams{
		PaymentMethod: stripe.String("pm_card_visa"), ReturnURL: stripe.String("https://www.example.com"),
	}))(t)
	equal(t, "status", held.Status, stripe.PaymentIntentStatusRequiresCapture)
	taken := must(sc.V1PaymentIntents.Capture(background(), made.ID, &stripe.PaymentIntentCaptureParams{AmountToCapture: stripe.Int64(750)}))(t)
	equal(t, "status", taken.Status, stripe.PaymentIntentStatusSucceeded)
	equal(t, "received", taken.AmountReceived, 750)
	equal(t, "metadata", taken.Metadata["order_id"], "6735")

	other := must(sc.V1PaymentIntents.Create(background(), intent("automatic")))(t)
	canceled := must(sc.V1PaymentIntents.Cancel(background(), other.ID, &stripe.PaymentIntentCancelParams{
		CancellationReason: stripe.String("abandoned"),
	}))(t)
	equal(t, "status", canceled.Status, stripe.PaymentIntentStatusCanceled)
	read := must(sc.V1PaymentIntents.Retrieve(background(), other.ID, nil))(t)
	equal(t, "reason", read.CancellationReason, stripe.PaymentIntentCancellationReasonAbandoned)
}

// charge pays with a token, as the documentation of charges does.
func charge(t *testing.T, sc *stripe.Client, token string, capture bool) *stripe.Charge {
	t.Helper()
	params := &stripe.ChargeCreateParams{Amount: stripe.Int64(1099), Currency: stripe.String("usd"), Capture: stripe.Bool(capture)}
	if err := params.SetSource(token); err != nil {
		t.Fatal(err)
	}
	return must(sc.V1Charges.Create(background(), params))(t)
}

func TestCharge_TokenThenCapture(t *testing.T) {
	sc := client(t)
	token := must(sc.V1Tokens.Create(background(), &stripe.TokenCreateParams{Card: &stripe.CardParams{
		Number: stripe.String("4242424242424242"), ExpMonth: stripe.String("5"), ExpYear: stripe.String("2030"), CVC: stripe.String("314"),
	}}))(t)
	paid := charge(t, sc, token.ID, true)
	equal(t, "paid", paid.Paid && paid.Captured, true)
	equal(t, "last digits", paid.PaymentMethodDetails.Card.Last4, "4242")

	held := charge(t, sc, "tok_visa", false)
	equal(t, "captured", held.Captured, false)
	taken := must(sc.V1Charges.Capture(background(), held.ID, &stripe.ChargeCaptureParams{}))(t)
	equal(t, "captured", taken.Captured, true)
}

func TestRefund_CreateRetrieveListPageAfterPage(t *testing.T) {
	sc := client(t)
	paid := charge(t, sc, "tok_visa", true)
	made := map[string]bool{}
	for range 5 {
		refund := must(sc.V1Refunds.Create(background(), &stripe.RefundCreateParams{Charge: &paid.ID, Amount: stripe.Int64(100)}))(t)
		read := must(sc.V1Refunds.Retrieve(background(), refund.ID, nil))(t)
		equal(t, "status", read.Status, stripe.RefundStatusSucceeded)
		made[refund.ID] = true
	}
	params := &stripe.RefundListParams{Charge: &paid.ID}
	params.Limit = stripe.Int64(2)
	for _, refund := range all(t, sc.V1Refunds.List(background(), params).All(background())) {
		delete(made, refund.ID)
	}
	equal(t, "refunds that were not listed", len(made), 0)
}

func TestBalanceTransactions_ListAndRetrieve(t *testing.T) {
	sc := client(t)
	paid := charge(t, sc, "tok_visa", true)
	lines := all(t, sc.V1BalanceTransactions.List(background(), &stripe.BalanceTransactionListParams{Source: &paid.ID}).All(background()))
	equal(t, "lines", len(lines), 1)
	line := must(sc.V1BalanceTransactions.Retrieve(background(), lines[0].ID, nil))(t)
	equal(t, "amount", line.Amount, 1099)
	equal(t, "net", line.Net, line.Amount-line.Fee)
	equal(t, "fee", line.Fee > 0, true)
}

func TestDispute_ListAndRetrieve(t *testing.T) {
	sc := client(t)
	paid := charge(t, sc, "tok_createDispute", true)
	list := all(t, sc.V1Disputes.List(background(), &stripe.DisputeListParams{Charge: &paid.ID}).All(background()))
	equal(t, "disputes", len(list), 1)
	dispute := must(sc.V1Disputes.Retrieve(background(), list[0].ID, nil))(t)
	equal(t, "status", dispute.Status, stripe.DisputeStatusNeedsResponse)
	equal(t, "withdrawn", dispute.BalanceTransactions[0].Amount, -1099)
}
