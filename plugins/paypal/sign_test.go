package main

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"hash/crc32"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/superpayhub/superpay/sdk"
)

// ca is a certificate authority with one signing certificate.
type ca struct {
	pem, leaf string
	key       *rsa.PrivateKey
}

var signingKey = func() *rsa.PrivateKey {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return k
}()

func newCA(t testing.TB, change ...func(leaf *x509.Certificate)) *ca {
	t.Helper()
	rootKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	root := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "root"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: testNow.AddDate(-1, 0, 0), NotAfter: testNow.AddDate(9, 0, 0), KeyUsage: x509.KeyUsageCertSign,
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: certNames[sdk.Test]}, DNSNames: []string{certNames[sdk.Test]},
		NotBefore: testNow.AddDate(0, -1, 0), NotAfter: testNow.AddDate(1, 0, 0),
	}
	for _, f := range change {
		f(leaf)
	}
	inPEM := func(der []byte, err error) string {
		if err != nil {
			t.Fatal(err)
		}
		return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	}
	return &ca{
		pem:  inPEM(x509.CreateCertificate(rand.Reader, root, root, rootKey.Public(), rootKey)),
		leaf: inPEM(x509.CreateCertificate(rand.Reader, leaf, root, signingKey.Public(), rootKey)),
		key:  signingKey,
	}
}

// hook is a provider whose callbacks are signed by a CA of its own.
type hook struct {
	*Provider
	ca      *ca
	certURL string
	fetched *atomic.Int64
	api     *fake
}

func newHook(t testing.TB, authority *ca, trusted string, change func(sdk.Settings), verify http.HandlerFunc) *hook {
	t.Helper()
	h := &hook{Provider: New(), ca: authority, fetched: &atomic.Int64{}}
	certs := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.fetched.Add(1)
		switch r.URL.Path {
		case certsPath + "CERT-1":
			io.WriteString(w, authority.leaf)
		case certsPath + "CERT-BIG":
			io.WriteString(w, authority.leaf+strings.Repeat("\n", maxCert))
		case certsPath + "CERT-MOVED":
			http.Redirect(w, r, certsPath+"CERT-1", http.StatusFound)
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(certs.Close)
	if verify == nil {
		verify = say(500, "")
	}
	h.api = newFake(t, verify)
	in := testSettings(h.api.URL)
	in["callback_certs"], in["callback_cert_host"] = trusted, strings.TrimPrefix(certs.URL, "http://")
	if change != nil {
		change(in)
	}
	if _, err := h.Configure(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	h.certURL = certs.URL + certsPath + "CERT-1"
	return h
}

func (h *hook) request(body string) sdk.CallbackRequest {
	id, at := "69cd13f0-d67a-11e5-baa3-778b53f4ae55", testNow.Add(-time.Minute).Format(time.RFC3339)
	message := fmt.Sprintf("%s|%s|%s|%d", id, at, h.settings.webhookID, crc32.ChecksumIEEE([]byte(body)))
	sum := sha256.Sum256([]byte(message))
	signature, err := rsa.SignPKCS1v15(nil, h.ca.key, crypto.SHA256, sum[:])
	if err != nil {
		panic(err)
	}
	return sdk.CallbackRequest{ReceivedAt: testNow, Method: "POST", Path: "/callback/paypal", Body: []byte(body), Headers: []sdk.Header{
		{Name: "Paypal-Transmission-Id", Value: id},
		{Name: "PAYPAL-TRANSMISSION-TIME", Value: at},
		{Name: "paypal-transmission-sig", Value: base64.StdEncoding.EncodeToString(signature)},
		{Name: "Paypal-Cert-Url", Value: h.certURL},
		{Name: "Paypal-Auth-Algo", Value: "SHA256withRSA"},
	}}
}

func (h *hook) judge(t *testing.T, r sdk.CallbackRequest) *sdk.CallbackResult {
	t.Helper()
	out, err := h.HandleCallback(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// collide pads prefix+pad+suffix with 64 letters so that its CRC32 is want: the
// lowest bit of each letter is chosen by elimination, as a CRC is linear.
func collide(prefix, suffix string, want uint32) []byte {
	pad := bytes.Repeat([]byte("B"), 64) // B and C differ in one bit
	sum := func() uint32 { return crc32.ChecksumIEEE([]byte(prefix + string(pad) + suffix)) }
	base := sum()
	type row struct {
		effect uint32
		bits   uint64
	}
	var basis []row
	reduce := func(r row) row {
		for _, b := range basis {
			if r.effect^b.effect < r.effect {
				r.effect, r.bits = r.effect^b.effect, r.bits^b.bits
			}
		}
		return r
	}
	for i := range pad {
		pad[i] ^= 1
		r := reduce(row{sum() ^ base, 1 << i})
		pad[i] ^= 1
		if r.effect != 0 {
			basis = append(basis, r)
			slices.SortFunc(basis, func(a, b row) int { return int(int64(b.effect) - int64(a.effect)) })
		}
	}
	got := reduce(row{effect: base ^ want})
	for i := range pad {
		pad[i] ^= byte(got.bits >> i & 1)
	}
	return []byte(prefix + string(pad) + suffix)
}
