package chaos

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"time"

	"github.com/superpayhub/superpay/sdk"
)

// transmission is a callback of PayPal's as anybody on its way may have seen it.
type transmission struct {
	header http.Header
	body   []byte
}

// overhear makes a payment at PayPal that is nobody's, and keeps a callback of
// it: genuine headers to forge others by.
func (c *campaign) overhear() error {
	heard := make(chan *transmission, 1)
	ear := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		select {
		case heard <- &transmission{r.Header.Clone(), body}:
		default:
		}
		if err != nil {
			panic(http.ErrAbortHandler)
		}
	}))
	defer ear.Close()
	stand := c.stands["paypal"]
	if err := stand.SetWebhook(c.ctx, ear.URL); err != nil {
		return err
	}
	res, err := c.web.PostForm(stand.BaseURL+"/client", url.Values{
		"client_id": {c.house.PayPal.ClientID}, "amount": {"1.00"}, "currency": {"USD"}, "custom_id": {"nobody"},
		"merchant_id": {c.house.PayPal.MerchantID}, "choice": {"approve"}, "return": {"http://localhost:9/"},
	})
	if err != nil {
		return err
	}
	_ = res.Body.Close()
	select {
	case c.seen = <-heard:
		return nil
	case <-time.After(10 * time.Second):
		return errors.New("none came")
	}
}

// nobody is the payment that was made to overhear a callback.
const nobody = "nobody"

// forge tells the hubs that an order was paid which was not, in every way that
// somebody without the providers' keys can.
func (c *campaign) forge(o *order) {
	a := o.attempt()
	if a == nil {
		return
	}
	if o.way.provider == "paypal" {
		c.forgePayPal(o, a)
		return
	}
	intent := a.ref("payment_intent")
	if intent == "" {
		intent = "pi_forged_" + a.ID
	}
	body := fmt.Appendf(nil, `{"id":"evt_forged_%s","object":"event","api_version":"2023-10-16","created":%d,"livemode":false,"type":"payment_intent.succeeded",`+
		`"data":{"object":{"id":%q,"object":"payment_intent","amount":%d,"amount_received":%d,"currency":%q,"status":"succeeded","livemode":false,`+
		`"latest_charge":"ch_forged_%s","metadata":{%q:%q,%q:%q,"superpay_flow":%q}}}}`,
		a.ID, time.Now().Unix(), intent, o.amount, o.amount, strings.ToLower(o.currency), a.ID,
		sdk.MetadataAttempt, a.ID, sdk.MetadataInstance, c.instance, o.way.flow)
	for _, secret := range []string{"whsec_of_somebody_else_entirely", ""} {
		mac := hmac.New(sha256.New, []byte(secret))
		fmt.Fprintf(mac, "%d.%s", time.Now().Unix(), body)
		signature := fmt.Sprintf("t=%d,v1=%s", time.Now().Unix(), hex.EncodeToString(mac.Sum(nil)))
		c.mustRefuse(o, "stripe", http.Header{"Stripe-Signature": {signature}}, body)
	}
}

// forgePayPal sends another body under a genuine signature, which it does not
// match; and one that it does: the signature covers a CRC32 of the body, to
// which any body can be fitted.
func (c *campaign) forgePayPal(o *order, a *attempt) {
	for nonce := range 1000 {
		body := fmt.Appendf(nil, `{"id":"WH-FORGED-%s-%d","event_version":"1.0","event_type":"PAYMENT.CAPTURE.COMPLETED","resource_type":"capture","resource_version":"2.0",`+
			`"resource":{"id":"FORGED%d","status":"COMPLETED","amount":{"currency_code":%q,"value":%q},"custom_id":%q,"supplementary_data":{"related_ids":{"order_id":%q}}},"summary":"`,
			a.ID, nonce, nonce, o.currency, sdk.Money{Amount: o.amount, Currency: o.currency, Exponent: o.last.Exponent}.Decimal(), a.ID+":"+c.instance, a.ref("order"))
		if fitted := fit(body, []byte(`"}`), crc32.ChecksumIEEE(c.seen.body)); fitted != nil {
			c.mustRefuse(o, "paypal", c.seen.header, append(body, `"}`...))
			c.tell(o, "paypal", c.seen.header, fitted)
			return
		}
	}
}

// fit puts four bytes between head and tail so that the whole has that CRC32;
// nil where they could not stand in a JSON string.
func fit(head, tail []byte, want uint32) []byte {
	// The register that the tail turns into what is wanted, going backwards.
	var origin [256]byte // of each highest byte of the table, its index
	for i, v := range crc32.IEEETable {
		origin[v>>24] = byte(i)
	}
	back := func(register uint32, b byte) uint32 {
		i := origin[register>>24]
		return (register^crc32.IEEETable[i])<<8 | uint32(i^b)
	}
	register := ^want
	for i := len(tail) - 1; i >= 0; i-- {
		register = back(register, tail[i])
	}
	for range 4 {
		register = back(register, 0)
	}
	register ^= ^crc32.ChecksumIEEE(head)
	patch := []byte{byte(register), byte(register >> 8), byte(register >> 16), byte(register >> 24)}
	for _, b := range patch {
		if b < 0x20 || b == '"' || b == '\\' {
			return nil
		}
	}
	out := append(append(append([]byte{}, head...), patch...), tail...)
	if crc32.ChecksumIEEE(out) != want {
		return nil
	}
	return out
}

// mustRefuse posts a callback that no signature covers.
func (c *campaign) mustRefuse(o *order, provider string, header http.Header, body []byte) {
	if status := c.tell(o, provider, header, body); status >= 200 && status < 300 {
		o.fail("a forged callback was answered %d", status)
	}
}

// tell posts a callback to a hub; the status is 0 where none answered.
func (c *campaign) tell(o *order, provider string, header http.Header, body []byte) (status int) {
	req, err := http.NewRequestWithContext(c.ctx, http.MethodPost, o.hub()+"/callback/"+provider, bytes.NewReader(body))
	if err != nil {
		return 0
	}
	req.Header = header.Clone()
	req.Header.Set("Content-Type", "application/json")
	res, err := c.web.Do(req)
	if err != nil {
		return 0
	}
	_ = res.Body.Close()
	c.faults.add("forged callback", 1)
	return res.StatusCode
}
