package chaos

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// receiver is an app's webhook receiver. It verifies each notification, keeps
// what it took, and sometimes refuses one or never answers.
type receiver struct {
	url    string
	seed   uint64
	server *http.Server

	mu      sync.Mutex
	verify  *standardwebhooks.Webhook
	tries   map[string]int // by the notification's id
	orders  map[string]*heard
	wrong   []string
	faults  map[string]int
	patient chan struct{} // closed when faults end
	lost    atomic.Bool   // the database went back in time
}

// heard is what one order's app was told of it: in notifications that it took,
// and in answers.
type heard struct {
	versions map[int64]fingerprint
	newest   int64          // version of the newest notification that was taken; 0 is none
	content  map[string]any // of that notification
}

// openReceiver listens on loopback. Which notifications are refused depends on
// the seed and the notification.
func openReceiver(seed uint64) (*receiver, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	r := &receiver{
		url: "http://" + listener.Addr().String() + "/notifications", seed: seed, tries: map[string]int{},
		orders: map[string]*heard{}, faults: map[string]int{}, patient: make(chan struct{}),
	}
	r.server = &http.Server{Handler: http.HandlerFunc(r.receive)}
	go func() { _ = r.server.Serve(listener) }()
	return r, nil
}

// expect sets the secret that notifications are signed with.
func (r *receiver) expect(secret string) (err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.verify, err = standardwebhooks.NewWebhook(secret)
	return err
}

// relent ends the receiver's faults: what hangs is answered.
func (r *receiver) relent() {
	r.mu.Lock()
	defer r.mu.Unlock()
	select {
	case <-r.patient:
	default:
		close(r.patient)
	}
}

func (r *receiver) close() {
	r.relent()
	_ = r.server.Close()
}

// Of a hundred tries: how many are refused, and how many are taken and never
// answered.
const (
	refusedTries = 5
	hungTries    = 1
)

func (r *receiver) receive(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return // the hub died while it sent
	}
	dice := r.dice(req.Header.Get("webhook-id"))
	if dice < refusedTries {
		http.Error(w, "not now", http.StatusInternalServerError)
		return
	}
	r.take(body, req.Header)
	if dice < refusedTries+hungTries {
		select {
		case <-r.patient:
		case <-req.Context().Done():
		}
	}
}

// dice draws a number below 100 for a try of a notification, and counts the
// fault that comes of it.
func (r *receiver) dice(id string) uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tries[id]++
	select {
	case <-r.patient:
		return 100
	default:
	}
	h := fnv.New64a()
	fmt.Fprint(h, r.seed, id, r.tries[id])
	n := h.Sum64() % 100
	if n < refusedTries {
		r.faults["notification refused"]++
	} else if n < refusedTries+hungTries {
		r.faults["notification never answered"]++
	}
	return n
}

// take keeps a notification.
func (r *receiver) take(body []byte, header http.Header) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.verify.Verify(body, header); err != nil {
		r.complain("a notification's signature is wrong: %v: %.200s", err, body)
		return
	}
	var n struct {
		Type string
		Data json.RawMessage
	}
	var order struct {
		ID      string
		Version int64
	}
	if err := json.Unmarshal(body, &n); err != nil {
		r.complain("a notification cannot be read: %v: %.200s", err, body)
		return
	}
	if err := json.Unmarshal(n.Data, &order); err != nil || order.Version == 0 {
		return // about an endpoint
	}
	content := shown(n.Data)
	h := r.of(order.ID)
	r.compare(h, order.ID, order.Version, content)
	if order.Version > h.newest {
		h.newest, h.content = order.Version, content
	}
}

// answered keeps what an answer of the API showed of an order.
func (r *receiver) answered(v *view) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.compare(r.of(v.ID), v.ID, v.Version, v.content)
}

// leastFloor is below any floor that versions get when a database went back.
// Before a hub has noticed that, for a second, it tells by versions that were told
// before; what it told so it tells again.
const leastFloor = 1_000_000_000_000

// compare complains if a version of an order means two things.
func (r *receiver) compare(h *heard, order string, version int64, content map[string]any) {
	print := fingerprintOf(content)
	was, known := h.versions[version]
	if known && was != print && !(r.lost.Load() && version < leastFloor) {
		r.complain("version %d of order %s was shown in two ways; the second beside the newest notification: %s", version, order, differences(h.content, content))
	}
	h.versions[version] = print
}

func (r *receiver) of(order string) *heard {
	if r.orders[order] == nil {
		r.orders[order] = &heard{versions: map[int64]fingerprint{}}
	}
	return r.orders[order]
}

// newest returns the newest notification that was taken of an order, nil if
// none was.
func (r *receiver) newest(order string) (version int64, content map[string]any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	h := r.of(order)
	return h.newest, h.content
}

func (r *receiver) complain(format string, args ...any) {
	if len(r.wrong) < 20 {
		r.wrong = append(r.wrong, fmt.Sprintf(format, args...))
	}
}

// findings returns what must not be, whatever the faults.
func (r *receiver) findings() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string{}, r.wrong...)
}
