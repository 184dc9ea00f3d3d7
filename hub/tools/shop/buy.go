package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"net/mail"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
)

const maxRecords = 500

// names are what a provider, a flow or an input may be called in a form.
var names = regexp.MustCompile(`^[a-z][a-z0-9_]{0,39}$`)

// purchase is what the form asks for. The same form makes the same purchase,
// and the same purchase the same request.
type purchase struct {
	Key      string
	Product  string
	Quantity int64
	Email    string
	Pay      payment
}

// payment is the chosen way to pay.
type payment struct {
	Provider, Flow, Capture string
	Input                   map[string]string
}

// record is the shop's own account of a sale.
type record struct {
	reference, key string
	orderID        string // the hub's, once it said so
	amount         int64
	currency       string
	turn           chan struct{} // one request at a time: a double click waits for the first
}

// book holds the latest records. The reference and the key follow from the
// form, so that a repeat is harmless even when its record is gone.
type book struct {
	mu      sync.Mutex
	records map[string]*record
	age     []string // keys, oldest first
}

func newBook() *book { return &book{records: map[string]*record{}} }

// open returns the record of that purchase: the one it has, or a new one.
func (b *book) open(p purchase, item product) (*record, error) {
	bought, err := json.Marshal(p)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(bought)
	id := hex.EncodeToString(sum[:])
	b.mu.Lock()
	defer b.mu.Unlock()
	if rec, ok := b.records[id]; ok {
		return rec, nil
	}
	if len(b.age) >= maxRecords {
		delete(b.records, b.age[0])
		b.age = b.age[1:]
	}
	rec := &record{
		reference: "shop-" + id[:16], key: "shop-buy-" + id[16:48],
		amount: item.Price * p.Quantity, currency: item.Currency, turn: make(chan struct{}, 1),
	}
	b.records[id], b.age = rec, append(b.age, id)
	return rec, nil
}

// bind remembers under which id the hub keeps the record.
func (b *book) bind(rec *record, orderID string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	rec.orderID = orderID
}

// differs reports whether the hub's order is not what was sold under its id.
func (b *book) differs(o *order) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, rec := range b.records {
		if rec.orderID == o.ID {
			return !rec.matches(o)
		}
	}
	return false
}

func (rec *record) matches(o *order) bool {
	return o.Reference == rec.reference && o.Amount == rec.amount && o.Currency == rec.currency
}

// front is the shelf, with the form.
func (s *shop) front(w http.ResponseWriter, r *http.Request) {
	offered, err := s.ways(r.Context())
	if err != nil {
		s.log.Warn("hub", "path", r.URL.Path, "error", err)
	}
	chosen := r.URL.Query().Get("product")
	if _, ok := findProduct(chosen); !ok {
		chosen = products[0].ID
	}
	quantities := make([]int, maxQuantity)
	for i := range quantities {
		quantities[i] = i + 1
	}
	s.render(w, r, http.StatusOK, "shop", struct {
		Products   []product
		Chosen     string
		Quantities []int
		Key        string
		Ways       ways
	}{products, chosen, quantities, newKey(), offered})
}

func (s *shop) buy(w http.ResponseWriter, r *http.Request) {
	p, item, err := readPurchase(r.PostForm)
	if err != nil {
		s.message(w, r, http.StatusUnprocessableEntity, message{Title: "Please look at your order again", Text: err.Error()})
		return
	}
	rec, err := s.book.open(p, item)
	if err != nil {
		s.failed(w, r, err, failedAs{What: "Your order could not be written down"})
		return
	}
	as := failedAs{What: "Your payment could not be started", Retry: s.again(r)}
	select {
	case rec.turn <- struct{}{}:
		defer func() { <-rec.turn }()
	case <-r.Context().Done():
		s.failed(w, r, &problem{Title: "Your first click is still being worked on", Maybe: true}, as)
		return
	}
	var o order
	status, err := s.hub.post(r.Context(), "/v1/checkouts", rec.key, s.checkout(p, item, rec), &o)
	if err == nil && (!o.sane() || !rec.matches(&o)) {
		err = &problem{Title: "The hub answered about another order", Code: "bad_answer"}
	}
	if err != nil {
		s.failed(w, r, err, as)
		return
	}
	s.book.bind(rec, o.ID)
	s.proceed(w, r, &o, status)
}

// checkout is the request of a purchase: nothing in it changes with a repeat.
func (s *shop) checkout(p purchase, item product, rec *record) checkout {
	c := p.Pay.checkout()
	c.Reference, c.Amount, c.Currency = rec.reference, rec.amount, rec.currency
	c.ReturnURL, c.CancelURL = s.public+"/return", s.public+"/cancelled"
	c.Description = strconv.FormatInt(p.Quantity, 10) + " × " + item.Name
	c.LineItems = []lineItem{{item.Name, p.Quantity, item.Price}}
	if p.Email != "" {
		c.Customer = map[string]string{"email": p.Email}
	}
	c.Metadata = map[string]string{"product": item.ID}
	return c
}

func (p payment) checkout() checkout {
	return checkout{Provider: p.Provider, Flow: p.Flow, Capture: p.Capture, Input: p.Input}
}

// proceed sends the payer where the payment goes on, or to the order's page.
func (s *shop) proceed(w http.ResponseWriter, r *http.Request, o *order, status int) {
	next, here := o.NextAction, s.base+"/order/"+o.ID
	switch {
	case status == http.StatusAccepted || o.unknown():
		s.message(w, r, http.StatusAccepted, message{
			Title: "We are still finding out", Mood: "wait", Order: o.ID, Retry: s.again(r),
			Text:  "The provider's answer got lost on the way. Nothing will be paid twice: we are asking what became of it.",
			Lines: []string{"Trying again is safe: it is the same request under the same key, so it never happens twice."},
		})
	case next == nil || next.Type != "redirect" || !payable(next.URL):
		http.Redirect(w, r, here, http.StatusSeeOther)
	case next.Method == "" || next.Method == http.MethodGet:
		http.Redirect(w, r, next.URL, http.StatusSeeOther)
	default:
		onward := &formPost{Action: next.URL, Button: "Continue to payment"}
		for name, value := range next.Fields {
			onward.Fields = append(onward.Fields, field{name, value})
		}
		slices.SortFunc(onward.Fields, func(a, b field) int { return strings.Compare(a.Name, b.Name) })
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

func readPurchase(form url.Values) (purchase, product, error) {
	item, ok := findProduct(form.Get("product"))
	if !ok {
		return purchase{}, item, errors.New("Choose one of our products.")
	}
	n, err := strconv.ParseInt(form.Get("quantity"), 10, 64)
	if err != nil || n < 1 || n > maxQuantity {
		return purchase{}, item, errors.New("We sell one to ten pieces at a time.")
	}
	email := strings.TrimSpace(form.Get("email"))
	if a, err := mail.ParseAddress(email); email != "" && (err != nil || a.Address != email || len(email) > 200) {
		return purchase{}, item, errors.New("That does not look like an email address.")
	}
	pay, err := readPayment(form)
	return purchase{Key: form.Get("key"), Product: item.ID, Quantity: n, Email: email, Pay: pay}, item, err
}

// readPayment reads the chosen way and the inputs that belong to it.
func readPayment(form url.Values) (payment, error) {
	way := form.Get("way")
	name, flow, _ := strings.Cut(way, "/")
	if !names.MatchString(name) || !names.MatchString(flow) {
		return payment{}, errors.New("Choose how you would like to pay.")
	}
	p := payment{Provider: name, Flow: flow, Capture: "automatic", Input: map[string]string{}}
	if form.Get("capture") == "manual" {
		p.Capture = "manual"
	}
	for key, values := range form {
		in, ok := strings.CutPrefix(key, inputPrefix(way))
		if !ok || values[0] == "" {
			continue
		}
		if !names.MatchString(in) || len(values[0]) > 500 || len(p.Input) == 20 {
			return payment{}, errors.New("What you entered for this way to pay is too much for it.")
		}
		p.Input[in] = values[0]
	}
	return p, nil
}
