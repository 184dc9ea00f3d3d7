//go:build !break_signature

package main

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"hash/crc32"
)

// isSigned reports whether the key signed what the headers say, and a body of
// this CRC32.
func isSigned(key *rsa.PublicKey, t transmission, body []byte) bool {
	signature, err := base64.StdEncoding.DecodeString(t.Signature)
	if err != nil {
		return false
	}
	message := fmt.Sprintf("%s|%s|%s|%d", t.ID, t.Time, t.WebhookID, crc32.ChecksumIEEE(body))
	digest := sha256.Sum256([]byte(message))
	return rsa.VerifyPKCS1v15(key, crypto.SHA256, digest[:], signature) == nil
}
