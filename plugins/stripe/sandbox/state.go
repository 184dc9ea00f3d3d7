package sandbox

import (
	"crypto/rand"
	"encoding/json"
	"math/big"
	"slices"

	"github.com/superpayhub/superpay/sdk/plugintest/standin"
)

// Bounds on what is kept. Events make room; of money nothing is forgotten, so a
// full stand-in refuses new objects instead.
const (
	maxRows   = 100_000
	maxEvents = 10_000
)

// object is anything Stripe gives an id.
type object interface {
	key() string
	made() int64
}

// table keeps objects in the order they were made and finds them by id.
type table[T object] struct {
	rows  []T
	index map[string]T
}

func (t *table[T]) add(row T) {
	if t.index == nil {
		t.index = map[string]T{}
	}
	t.rows = append(t.rows, row)
	t.index[row.key()] = row
}

func (t *table[T]) get(id string) (T, bool) {
	row, ok := t.index[id]
	return row, ok
}

func (t *table[T]) remove(id string) {
	delete(t.index, id)
	t.rows = slices.DeleteFunc(t.rows, func(row T) bool { return row.key() == id })
}

// forget drops the oldest rows down to keep.
func (t *table[T]) forget(keep int) {
	drop := max(0, len(t.rows)-keep)
	for _, row := range t.rows[:drop] {
		delete(t.index, row.key())
	}
	t.rows = append(t.rows[:0:0], t.rows[drop:]...)
}

func (t *table[T]) MarshalJSON() ([]byte, error) { return json.Marshal(t.rows) }

func (t *table[T]) UnmarshalJSON(data []byte) error {
	var rows []T
	if err := json.Unmarshal(data, &rows); err != nil {
		return err
	}
	for _, row := range rows {
		t.add(row)
	}
	return nil
}

// state is everything a stand-in remembers between runs.
type state struct {
	Sessions  table[*session]           `json:"sessions"`
	Intents   table[*paymentIntent]     `json:"payment_intents"`
	Charges   table[*charge]            `json:"charges"`
	Refunds   table[*refund]            `json:"refunds"`
	Disputes  table[*dispute]           `json:"disputes"`
	Methods   table[*paymentMethod]     `json:"payment_methods"`
	Tokens    table[*token]             `json:"tokens"`
	Confirms  table[*confirmationToken] `json:"confirmation_tokens"`
	Events    table[*event]             `json:"events"`
	Endpoints table[*webhookEndpoint]   `json:"webhook_endpoints"`
	Keys      keyring                   `json:"idempotency_keys"`
	Callbacks []standin.Callback        `json:"callbacks"` // filled when saved
}

// full tells whether there is no room for another payment.
func (s *state) full() bool {
	return max(len(s.Sessions.rows), len(s.Intents.rows), len(s.Charges.rows), len(s.Refunds.rows),
		len(s.Methods.rows), len(s.Tokens.rows), len(s.Confirms.rows)) >= maxRows
}

const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// newID makes an id that looks like Stripe's. It is random, so ids of two
// stand-ins, or of one whose state was deleted, never meet.
func newID(prefix string) string {
	out := []byte(prefix)
	for range 24 {
		n, _ := rand.Int(rand.Reader, big.NewInt(int64(len(alphabet)))) // never fails, see crypto/rand
		out = append(out, alphabet[n.Int64()])
	}
	return string(out)
}

// get finds an object or says what Stripe says.
func get[T object](t *table[T], kind, param, id string) (T, *apiError) {
	row, ok := t.get(id)
	if !ok {
		return row, missing(kind, param, id)
	}
	return row, nil
}
