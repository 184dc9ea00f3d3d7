package sandbox

import (
	"encoding/json"
	"sync"
	"time"
)

// How long PayPal stores request ids, and how many are remembered here.
const (
	ordersKeep   = 6 * time.Hour
	paymentsKeep = 45 * 24 * time.Hour
	maxKeys      = 50_000
)

// kept is what a request id made. PayPal repeats not the first answer but the
// object's latest state.
type kept struct {
	Made  string    `json:"made"`
	Until time.Time `json:"until"`
}

// keyring keeps request ids, and knows what is in progress just now. It has its
// own lock because a request waits its turn while it is in progress.
type keyring struct {
	mu    sync.Mutex
	kept  map[string]kept
	order []string // oldest first
	busy  map[string]bool
}

// take marks the request as in progress and tells what its key made before. It
// is not free if the same is in progress already. If free and nothing was made,
// the caller must give it back.
func (k *keyring) take(key, inProgress string, named bool, now time.Time) (made string, free bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.busy[inProgress] {
		return "", false
	}
	if first, ok := k.kept[key]; named && ok && now.Before(first.Until) {
		return first.Made, true
	}
	if k.busy == nil {
		k.busy = map[string]bool{}
	}
	k.busy[inProgress] = true
	return "", true
}

// give ends a request. One that made nothing leaves its key unused.
func (k *keyring) give(key, inProgress string, named bool, made string, until time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.busy, inProgress)
	if !named || made == "" {
		return
	}
	if k.kept == nil {
		k.kept = map[string]kept{}
	}
	if len(k.order) >= maxKeys {
		delete(k.kept, k.order[0])
		k.order = k.order[1:]
	}
	if _, again := k.kept[key]; !again { // else its lifetime had ended
		k.order = append(k.order, key)
	}
	k.kept[key] = kept{Made: made, Until: until}
}

type savedKey struct {
	Key string `json:"key"`
	kept
}

// MarshalJSON saves what was made, not what is in progress: a request that a
// restart cut off made nothing.
func (k *keyring) MarshalJSON() ([]byte, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	rows := make([]savedKey, len(k.order))
	for i, key := range k.order {
		rows[i] = savedKey{key, k.kept[key]}
	}
	return json.Marshal(rows)
}

func (k *keyring) UnmarshalJSON(data []byte) error {
	var rows []savedKey
	if err := json.Unmarshal(data, &rows); err != nil {
		return err
	}
	k.kept = map[string]kept{}
	for _, row := range rows {
		k.kept[row.Key] = row.kept
		k.order = append(k.order, row.Key)
	}
	return nil
}
