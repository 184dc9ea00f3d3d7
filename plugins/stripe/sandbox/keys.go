package sandbox

import (
	"encoding/json"
	"net/http"
	"sync"
	"time"
)

const (
	keyLifetime = 24 * time.Hour
	maxKeys     = 50_000
)

// kept is the first answer to an idempotency key.
type kept struct {
	Method string    `json:"method"`
	Path   string    `json:"path"`
	Params string    `json:"params"`
	Status int       `json:"status"`
	Body   []byte    `json:"body"` // byte for byte
	At     time.Time `json:"at"`
}

// keyring keeps the answers by key, and which keys are in use just now. It has
// its own lock because a key is held while the request waits its turn.
type keyring struct {
	mu    sync.Mutex
	Kept  map[string]*kept `json:"kept"`
	Order []string         `json:"order"` // oldest first
	inUse map[string]bool
}

// take reserves a key. It returns the kept answer to replay, or the error that
// refuses the request, or neither: then the caller must give the key back. It
// compares the request with the key's first one, unless an unlike one will do.
func (k *keyring) take(key string, now kept, unlike bool) (*kept, *apiError) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.expire(now.At)
	if k.inUse[key] {
		return nil, &apiError{
			Type: "idempotency_error", Code: "idempotency_key_in_use", status: http.StatusConflict,
			Message: "There is currently another in-progress request using this Idempotent Key (that probably means you " +
				"submitted twice, and the other request is still going through): " + key + ".",
		}
	}
	if first := k.Kept[key]; first != nil {
		if !unlike && (first.Method != now.Method || first.Path != now.Path || first.Params != now.Params) {
			return nil, &apiError{
				Type: "idempotency_error", status: http.StatusBadRequest,
				Message: "Keys for idempotent requests can only be used with the same parameters they were first used with. " +
					"Try using a key other than '" + key + "' if you meant to execute a different request.",
			}
		}
		return first, nil
	}
	if k.inUse == nil {
		k.inUse = map[string]bool{}
	}
	k.inUse[key] = true
	return nil, nil
}

// give ends the use of a key. A nil answer leaves it as if it was never used.
func (k *keyring) give(key string, answer *kept) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.inUse, key)
	if answer == nil {
		return
	}
	if k.Kept == nil {
		k.Kept = map[string]*kept{}
	}
	k.Kept[key] = answer
	k.Order = append(k.Order, key)
}

func (k *keyring) expire(now time.Time) {
	for len(k.Order) > 0 {
		oldest := k.Kept[k.Order[0]]
		if oldest != nil && now.Sub(oldest.At) < keyLifetime && len(k.Order) < maxKeys {
			return
		}
		delete(k.Kept, k.Order[0])
		k.Order = k.Order[1:]
	}
}

// MarshalJSON saves the answers, not what is in use: a request that a restart
// cut off holds no key afterwards.
func (k *keyring) MarshalJSON() ([]byte, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return json.Marshal(map[string]any{"kept": k.Kept, "order": k.Order})
}
