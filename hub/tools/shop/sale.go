package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"sync"
	"time"
)

const (
	maxSales    = 500
	keepSecrets = 15 * time.Minute // what the payer's client made, while the hub has not answered
)

// givens are what a provider's script makes for our server.
var givens = regexp.MustCompile(`^[A-Za-z0-9_]{4,250}$`)

// sale is one request to the hub that may move money: a purchase, or another
// attempt at an order. All that is asked, and under which key, is decided when
// it begins, so that a double click, a reload or a step back asks the same.
type sale struct {
	handle    string // names it where the payer comes back
	visitor   string // who began it
	path, key string
	ask       checkout
	product   string // where a purchase was begun
	pays      string // the order, if it is another attempt at one
	way       way
	began     time.Time
	turn      chan struct{} // one request at a time: a double click waits for the first

	// Under the turn, orderID also under the book's lock.
	orderID string // the hub's, once it said so
	given   string // what the payer's client made; forgotten when the hub has answered
	refused int    // how often the hub refused what was given: the next one is another request
}

// matches reports whether the hub's order is what was sold.
func (sl *sale) matches(o *order) bool {
	return o.Reference == sl.ask.Reference && o.Amount == sl.ask.Amount && o.Currency == sl.ask.Currency
}

// body is what is asked of the hub. An attempt at an order repeats none of it.
func (sl *sale) body() checkout {
	c := sl.ask
	if sl.pays != "" {
		c.Reference, c.Amount, c.Currency = "", 0, ""
	}
	if sl.way.gives != "" {
		c.Input = maps.Clone(c.Input)
		c.Input[sl.way.gives] = sl.given
	}
	return c
}

func (sl *sale) idempotencyKey() string {
	if sl.refused == 0 {
		return sl.key
	}
	return sl.key + "-" + strconv.Itoa(sl.refused)
}

// digest names what was asked for. The form's random key is part of it, so
// nobody can guess it.
func digest(v any) (string, error) {
	b, err := json.Marshal(v)
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:]), err
}

// book holds the latest sales. References and keys follow from the form, so
// that a repeat is harmless even when its sale is gone.
type book struct {
	mu       sync.Mutex
	sales    map[string]*sale
	age      []string // handles, oldest first
	confirms map[string]int
}

func newBook() *book { return &book{sales: map[string]*sale{}, confirms: map[string]int{}} }

func (b *book) find(handle string) *sale {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.sales[handle]
}

// open keeps a new sale, or answers with the one that was there first.
func (b *book) open(sl *sale) *sale {
	b.mu.Lock()
	defer b.mu.Unlock()
	if had, ok := b.sales[sl.handle]; ok {
		return had
	}
	if len(b.age) >= maxSales {
		delete(b.sales, b.age[0])
		b.age = b.age[1:]
	}
	b.sales[sl.handle], b.age = sl, append(b.age, sl.handle)
	b.forget(sl.began.Add(-keepSecrets))
	return sl
}

// forget drops what was given to sales from before then and never answered.
func (b *book) forget(before time.Time) {
	for _, handle := range b.age {
		sl := b.sales[handle]
		if sl.began.After(before) {
			return
		}
		select {
		case sl.turn <- struct{}{}:
			sl.given = ""
			<-sl.turn
		default: // it is being asked right now
		}
	}
}

// bind remembers under which id the hub keeps the order.
func (b *book) bind(sl *sale, orderID string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	sl.orderID = orderID
}

// differs reports whether the hub's order is not what was sold under its id.
func (b *book) differs(o *order) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, sl := range b.sales {
		if sl.orderID == o.ID {
			return !sl.matches(o)
		}
	}
	return false
}

// confirmKey is the Idempotency-Key to confirm an attempt with what the client
// obtained: the same until the hub said that it still waits for the payer.
func (b *book) confirmKey(sum string) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return fmt.Sprintf("shop-confirm-%s-%d", sum[:32], b.confirms[sum])
}

func (b *book) stillWaits(sum string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.confirms) >= maxSales {
		clear(b.confirms)
	}
	b.confirms[sum]++
}

// begin asks the hub, or sends the payer first to the page that makes what the
// hub has to be given.
func (s *shop) begin(w http.ResponseWriter, r *http.Request, sl *sale) {
	if sl.way.before == "" {
		s.conclude(w, r, sl, "")
		return
	}
	q := url.Values{
		"amount": {strconv.FormatInt(sl.ask.Amount, 10)}, "currency": {sl.ask.Currency}, "kind": {sl.way.gives},
		"return": {s.public + "/paid-with?sale=" + sl.handle},
	}
	http.Redirect(w, r, s.sandbox+sl.way.before+"?"+q.Encode(), http.StatusSeeOther)
}

// paidWith is where the payer comes back with what the page before made. Only
// who began the sale may end it, and what it costs is what was written down.
func (s *shop) paidWith(w http.ResponseWriter, r *http.Request) {
	handle := r.FormValue("sale")
	if r.Method == http.MethodPost {
		handle = r.PostForm.Get("key")
	}
	sl, who := s.book.find(handle), ""
	if c, err := r.Cookie(cookieName); err == nil {
		who = c.Value
	}
	if sl == nil || sl.way.gives == "" || who != sl.visitor {
		s.message(w, r, http.StatusNotFound, message{
			Mood: "wait", Title: "We do not know that purchase",
			Text: "It was begun in another browser, or too long ago. Nothing was paid. Please choose again.",
		})
		return
	}
	if r.FormValue("canceled") == "1" {
		to := s.base + "/?canceled=1&product=" + sl.product
		if sl.pays != "" {
			to = s.base + "/order/" + sl.pays + "?from=cancelled"
		}
		http.Redirect(w, r, to, http.StatusSeeOther)
		return
	}
	s.conclude(w, r, sl, r.URL.Query().Get(sl.way.gives))
}

// conclude asks the hub, once.
func (s *shop) conclude(w http.ResponseWriter, r *http.Request, sl *sale, given string) {
	as := failedAs{What: "Your payment could not be started", Order: sl.pays, Retry: s.again(r)}
	if sl.way.gives != "" {
		as.Retry = &formPost{Action: s.base + "/paid-with", Button: "Try again", Fields: []field{{"key", sl.handle}}}
	}
	select {
	case sl.turn <- struct{}{}:
		defer func() { <-sl.turn }()
	case <-r.Context().Done():
		s.failed(w, r, &problem{Title: "Your first click is still being worked on", Maybe: true}, as)
		return
	}
	if sl.way.gives != "" {
		if sl.orderID != "" { // it was given and answered
			http.Redirect(w, r, s.base+"/order/"+sl.orderID, http.StatusSeeOther)
			return
		}
		if sl.given == "" {
			if !givens.MatchString(given) {
				s.message(w, r, http.StatusUnprocessableEntity, message{
					Title: "There is nothing to pay with", Order: sl.pays, Text: "The page you come from gave us no card. Nothing was paid. Please choose again.",
				})
				return
			}
			sl.given = given
		}
	}
	var o order
	status, err := s.hub.post(r.Context(), sl.path, sl.idempotencyKey(), sl.body(), &o)
	if err == nil && (!o.sane() || !sl.matches(&o) || sl.pays != "" && o.ID != sl.pays) {
		err = &problem{Title: "The hub answered about another order", Code: "bad_answer"}
	}
	if err != nil {
		if p := problemOf(err); !p.passing() {
			sl.given = ""
			sl.refused++
			if sl.way.gives != "" && orderIDs.MatchString(p.OrderID) { // it is written down; it can be paid another way
				s.book.bind(sl, p.OrderID)
			}
		}
		s.failed(w, r, err, as)
		return
	}
	sl.given = ""
	s.book.bind(sl, o.ID)
	s.proceed(w, r, &o, status, sl.way.gives == "")
}

// proceed sends the payer where the payment goes on, or to the order's page.
func (s *shop) proceed(w http.ResponseWriter, r *http.Request, o *order, status int, repeatable bool) {
	next, here := o.NextAction, s.base+"/order/"+o.ID
	switch {
	case status == http.StatusAccepted || o.unknown():
		m := message{
			Title: "We are still finding out", Mood: "wait", Order: o.ID,
			Text: "The provider's answer got lost on the way. Nothing will be paid twice: we are asking what became of it.",
		}
		if repeatable {
			m.Retry = s.again(r)
			m.Lines = []string{"Trying again is safe: it is the same request under the same key, so it never happens twice."}
		}
		s.message(w, r, http.StatusAccepted, m)
	case s.clientPage(o) != "":
		http.Redirect(w, r, s.clientPage(o), http.StatusSeeOther)
	case next == nil || next.Type != "redirect" || !payable(next.URL):
		http.Redirect(w, r, here, http.StatusSeeOther)
	case next.Method == "" || next.Method == http.MethodGet:
		http.Redirect(w, r, next.URL, http.StatusSeeOther)
	default:
		onward := &formPost{Action: next.URL, Button: "Continue to payment"}
		for _, name := range slices.Sorted(maps.Keys(next.Fields)) {
			onward.Fields = append(onward.Fields, field{name, next.Fields[name]})
		}
		s.message(w, r, http.StatusOK, message{
			Title: "One more step", Mood: "wait", Order: o.ID, Retry: onward,
			Text: "Your order is written down. Paying goes on at the provider.",
		})
	}
}

// payable reports whether a payer may be sent there: https, or this machine.
func payable(address string) bool {
	u, err := url.Parse(address)
	return err == nil && u.Host != "" && u.User == nil &&
		(u.Scheme == "https" || u.Scheme == "http" && loopbackHost(u.Hostname()))
}
