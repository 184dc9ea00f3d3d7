package sandbox

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"strings"
	"time"
)

const (
	certPath = "/v1/notifications/certs/"
	certName = "messageverificationcerts.sandbox.paypal.com"
)

// identity signs callbacks. Its certificate chains to a root of its own, which a
// reader must be told of: the door "ca" shows it.
type identity struct {
	RootPEM string `json:"root"`
	LeafPEM string `json:"leaf"`
	KeyPEM  string `json:"key"`

	key *rsa.PrivateKey
}

// openIdentity takes what is saved, or makes it anew if there is none or its
// time is over.
func openIdentity(saved *identity, now time.Time) (*identity, error) {
	if block, _ := pem.Decode([]byte(saved.LeafPEM)); block != nil {
		leaf, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("the stand-in's saved certificate: %w", err)
		}
		if now.Before(leaf.NotAfter) {
			return saved, saved.open()
		}
	}
	made, err := newIdentity(now)
	if err != nil {
		return nil, fmt.Errorf("make the stand-in's certificate: %w", err)
	}
	*saved = *made
	return saved, nil
}

func (i *identity) open() error {
	block, _ := pem.Decode([]byte(i.KeyPEM))
	if block == nil {
		return errors.New("the stand-in's saved key is not PEM")
	}
	key, err := x509.ParsePKCS1PrivateKey(block.Bytes)
	i.key = key
	return err
}

func newIdentity(now time.Time) (*identity, error) {
	rootKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	root := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "PayPal stand-in root"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(10, 0, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()), Subject: pkix.Name{CommonName: certName}, DNSNames: []string{certName},
		NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(1, 0, 0), KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	rootDER, err := x509.CreateCertificate(rand.Reader, root, root, rootKey.Public(), rootKey)
	if err != nil {
		return nil, err
	}
	leafDER, err := x509.CreateCertificate(rand.Reader, leaf, root, key.Public(), rootKey)
	if err != nil {
		return nil, err
	}
	inPEM := func(kind string, der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	return &identity{
		RootPEM: inPEM("CERTIFICATE", rootDER), LeafPEM: inPEM("CERTIFICATE", leafDER),
		KeyPEM: inPEM("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(key)), key: key,
	}, nil
}

// name is the certificate's in its URL. It follows the content, as PayPal's
// does, so a reader may cache by URL.
func (i *identity) name() string {
	sum := sha256.Sum256([]byte(i.LeafPEM))
	text := hex.EncodeToString(sum[:12])
	return strings.Join([]string{"CERT", text[:8], text[8:16], text[16:]}, "-")
}

func (i *identity) sign(message string) []byte {
	sum := sha256.Sum256([]byte(message))
	signature, err := rsa.SignPKCS1v15(nil, i.key, crypto.SHA256, sum[:])
	if err != nil {
		panic(err) // the key is our own
	}
	return signature
}

func (i *identity) signed(message string, signature []byte) bool {
	sum := sha256.Sum256([]byte(message))
	return rsa.VerifyPKCS1v15(&i.key.PublicKey, crypto.SHA256, sum[:], signature) == nil
}

// serveCertificate needs no token, as anyone may check a signature.
func (s *Server) serveCertificate(w http.ResponseWriter, r *http.Request) {
	if r.PathValue("name") != s.sender.identity.name() {
		writeError(w, missing(r.PathValue("name")))
		return
	}
	w.Header().Set("Content-Type", "application/x-pem-file")
	_, _ = w.Write([]byte(s.sender.identity.LeafPEM))
}
