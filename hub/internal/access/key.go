// Package access says who may do what: API keys of apps, and the people of the
// console with their roles, sessions and audit.
package access

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
)

// NewKey makes an API key: 256 random bits, shown once and stored only as a hash.
func NewKey() string {
	raw := make([]byte, 32)
	_, _ = rand.Read(raw) // never fails
	return "spk_" + base64.RawURLEncoding.EncodeToString(raw)
}

// HashKey is what is stored of a key. A key has 256 random bits: it needs
// neither salt nor a slow hash.
func HashKey(key string) []byte {
	sum := sha256.Sum256([]byte(key))
	return sum[:]
}

// Hint is enough of a key to tell it from others, and too little to use it.
func Hint(key string) string { return key[:min(len(key), 8)] }
