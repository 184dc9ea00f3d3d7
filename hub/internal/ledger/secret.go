package ledger

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"sync"

	"github.com/superpayhub/superpay/sdk"
)

// Secret derives the names under which a provider knows what apps asked of it,
// and signs what the hub writes into a provider's metadata. It is made once and
// kept in the database, so a restored backup still has it. It never changes: with
// another one, no repeat is recognized. The zero value knows and signs nothing.
type Secret struct{ macs *sync.Pool } // of HMACs with the key set up, which is half of their work

// NewSecret returns the secret of that key; of an empty one, the zero value.
func NewSecret(key []byte) Secret {
	if len(key) == 0 {
		return Secret{}
	}
	return Secret{&sync.Pool{New: func() any { return hmac.New(sha256.New, key) }}}
}

// Known tells whether there is a key.
func (s Secret) Known() bool { return s.macs != nil }

// derived is the size of keys, hashes and digests in bytes, half of an HMAC. In
// hex they fit into every provider's fields, and 128 bits are not guessed.
const derived = 16

// derive returns an HMAC of the parts in hex. Each part has its length before
// it, so no two lists of parts read alike; purpose keeps the uses apart. Without
// a key it is empty.
func (s Secret) derive(purpose string, parts ...string) string {
	if !s.Known() {
		return ""
	}
	text := appendPart(make([]byte, 0, 512), purpose)
	for _, p := range parts {
		text = appendPart(text, p)
	}
	mac := s.macs.Get().(hash.Hash)
	defer s.macs.Put(mac)
	mac.Reset()
	mac.Write(text)
	return hex.EncodeToString(mac.Sum(nil)[:derived])
}

func appendPart(text []byte, part string) []byte {
	text = binary.BigEndian.AppendUint64(text, uint64(len(part)))
	return append(text, part...)
}

// ProviderKey returns the provider's idempotency key for what an app asks under
// its own key. It depends on nothing that a restored database forgets: neither
// on a try nor on an id that the hub made.
func (s Secret) ProviderKey(appID string, verb sdk.OperationKind, key string) string {
	return s.derive("provider key", appID, string(verb), key)
}

// KeyHash returns what a provider's metadata tell of an app's key. The key
// itself may name what nobody else should read.
func (s Secret) KeyHash(appID, key string) string {
	return s.derive("key hash", appID, key)
}

// HashOf returns what providers' metadata tell of the key of an operation: of a
// part's own key at the provider, else of the app's. It is empty where the hub
// itself asks.
func (s Secret) HashOf(o *Order, op *Operation) string {
	if op.KeyHash != nil {
		return *op.KeyHash
	}
	if op.RefundID != nil {
		if r := o.Refund(*op.RefundID); r != nil && r.PartKey != "" {
			return s.KeyHash(op.AppID, r.PartKey)
		}
	}
	if op.IdempotencyKey != nil {
		return s.KeyHash(op.AppID, *op.IdempotencyKey)
	}
	return ""
}

// ProviderKey returns the operation's idempotency key at the provider: derived
// from the app's key, or the operation's id where the hub itself asks, and where
// the operation is older than derived keys, so that its repeat is the same.
func (op *Operation) ProviderKey() string {
	if op.DerivedKey != nil {
		return *op.DerivedKey
	}
	return op.ID
}

// PartKey returns the provider's key of one part of the operation, where it is
// carried out in several calls: providerID is the provider's id of what the part
// acts on, such as a capture that is refunded.
func (op *Operation) PartKey(providerID string) string {
	return NewSecret([]byte(op.ProviderKey())).derive("part", providerID)
}
