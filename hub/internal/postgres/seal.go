package postgres

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// Keys encrypt the columns that may hold secrets, with AES-256-GCM. The first
// key seals; all of them open, so that a key can be rolled.
type Keys struct{ aeads []cipher.AEAD }

// ParseKeys reads keys of 32 bytes in base64, separated by commas, the newest first.
func ParseKeys(s string) (*Keys, error) {
	k := &Keys{}
	for _, part := range strings.Split(s, ",") {
		raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(part))
		if err != nil || len(raw) != 32 {
			return nil, errors.New("encryption key: want 32 bytes in base64, as `openssl rand -base64 32` prints them; several may be joined by commas, the newest first")
		}
		block, err := aes.NewCipher(raw)
		if err != nil {
			return nil, err
		}
		aead, err := cipher.NewGCM(block)
		if err != nil {
			return nil, err
		}
		k.aeads = append(k.aeads, aead)
	}
	return k, nil
}

// seal encrypts; context (table, column and row) is bound to it, so that a
// value cannot be moved to another row. Nil stays nil.
func (k *Keys) seal(context string, plain []byte) []byte {
	if plain == nil {
		return nil
	}
	nonce := make([]byte, k.aeads[0].NonceSize(), k.aeads[0].NonceSize()+len(plain)+k.aeads[0].Overhead())
	_, _ = rand.Read(nonce) // never fails
	return k.aeads[0].Seal(nonce, nonce, plain, []byte(context))
}

// open decrypts with whichever key fits.
func (k *Keys) open(context string, sealed []byte) ([]byte, error) {
	plain, _, err := k.unseal(context, sealed)
	return plain, err
}

// unseal is open, and tells whether the newest key sealed it.
func (k *Keys) unseal(context string, sealed []byte) (plain []byte, newest bool, err error) {
	if sealed == nil {
		return nil, true, nil
	}
	for i, a := range k.aeads {
		if len(sealed) < a.NonceSize() {
			break
		}
		if plain, err := a.Open(nil, sealed[:a.NonceSize()], sealed[a.NonceSize():], []byte(context)); err == nil {
			if plain == nil {
				plain = []byte{}
			}
			return plain, i == 0, nil
		}
	}
	return nil, false, fmt.Errorf("open %s: %w", context, errSealed)
}

var errSealed = errors.New("none of the encryption keys fits")

// bytea is a bytea column, which in JSON is in PostgreSQL's hex form.
type bytea []byte

func (b *bytea) UnmarshalJSON(in []byte) error {
	var s *string
	if err := json.Unmarshal(in, &s); err != nil || s == nil {
		return err
	}
	raw, err := hex.DecodeString(strings.TrimPrefix(*s, `\x`))
	*b = raw
	return err
}
