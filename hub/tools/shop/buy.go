package main

import (
	"errors"
	"maps"
	"net/http"
	"net/mail"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// names are what a provider, a flow or an input may be called in a form; ways
// are a provider, a flow and perhaps a variant of it.
var (
	names    = regexp.MustCompile(`^[a-z][a-z0-9_]{0,39}$`)
	wayNames = regexp.MustCompile(`^([a-z][a-z0-9_]{0,39})/([a-z][a-z0-9_]{0,39})(\.[a-z]{1,20})?$`)
)

// referencePrefix starts the references of this shop's orders.
const referencePrefix = "shop-"

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
	Way, Provider, Flow, Capture string
	Input                        map[string]string
}

// total is what n pieces of a product cost.
type total struct {
	ID   string
	Each string
	Of   []string // one piece, two, ...
}

// front is the shelf, with the form.
func (s *shop) front(w http.ResponseWriter, r *http.Request) {
	offered, err := s.ways(r.Context(), "")
	if err != nil {
		s.logProblem(r, err)
	}
	chosen := r.URL.Query().Get("product")
	if _, ok := findProduct(chosen); !ok {
		chosen = products[0].ID
	}
	quantities := make([]int, maxQuantity)
	for i := range quantities {
		quantities[i] = i + 1
	}
	var totals []total
	for _, p := range products {
		t := total{ID: p.ID, Each: p.Money(1)}
		for _, n := range quantities {
			t.Of = append(t.Of, p.Money(int64(n)))
		}
		totals = append(totals, t)
	}
	s.render(w, r, http.StatusOK, "shop", struct {
		Products   []product
		Chosen     string
		Quantities []int
		Totals     []total
		Key        string
		Ways       ways
		Canceled   bool
	}{products, chosen, quantities, totals, newKey(), offered, r.URL.Query().Get("canceled") == "1"})
}

func (s *shop) buy(w http.ResponseWriter, r *http.Request) {
	p, item, err := readPurchase(r.PostForm)
	var sl *sale
	if err == nil {
		sl, err = s.sell(r, p, item)
	}
	if wrong := mistake(""); errors.As(err, &wrong) {
		s.message(w, r, http.StatusUnprocessableEntity, message{Title: "Please look at your order again", Text: string(wrong)})
		return
	}
	if err != nil {
		s.failed(w, r, err, failedAs{What: "Your payment could not be started", Retry: s.again(r)})
		return
	}
	s.begin(w, r, sl)
}

// sell writes a purchase down, unless it is already.
func (s *shop) sell(r *http.Request, p purchase, item product) (*sale, error) {
	sum, err := digest(p)
	if err != nil {
		return nil, err
	}
	if sl := s.book.find(sum[:32]); sl != nil {
		return sl, nil
	}
	chosen, err := s.choose(r.Context(), p.Pay, item.Currency)
	if err != nil {
		return nil, err
	}
	c := p.Pay.checkout(chosen)
	c.Reference, c.Amount, c.Currency = referencePrefix+sum[32:48], item.Price*p.Quantity, item.Currency
	c.ReturnURL, c.CancelURL = s.public+"/return", s.public+"/cancelled"
	c.Description = strconv.FormatInt(p.Quantity, 10) + " × " + item.Name
	c.LineItems = []lineItem{{item.Name, p.Quantity, item.Price}}
	if p.Email != "" {
		c.Customer = map[string]string{"email": p.Email}
	}
	c.Metadata = map[string]string{"product": item.ID, "reference": c.Reference}
	return s.book.open(newSale(r, sale{
		handle: sum[:32], path: "/v1/checkouts", key: "shop-buy-" + sum[32:], ask: c, product: item.ID, way: chosen,
	})), nil
}

func newSale(r *http.Request, sl sale) *sale {
	sl.began, sl.turn = time.Now(), make(chan struct{}, 1)
	if c, err := r.Cookie(cookieName); err == nil {
		sl.visitor = c.Value
	}
	return &sl
}

// checkout is the request of a chosen way, with the inputs that belong to it.
func (p payment) checkout(chosen way) checkout {
	c := checkout{Provider: p.Provider, Flow: p.Flow, Capture: p.Capture, Input: map[string]string{}}
	for _, in := range chosen.Inputs {
		if value := p.Input[in.Name]; value != "" {
			c.Input[in.Name] = value
		}
	}
	maps.Copy(c.Input, chosen.fixed)
	return c
}

func readPurchase(form url.Values) (purchase, product, error) {
	item, ok := findProduct(form.Get("product"))
	if !ok {
		return purchase{}, item, mistake("Choose one of our products.")
	}
	n, err := strconv.ParseInt(form.Get("quantity"), 10, 64)
	if err != nil || n < 1 || n > maxQuantity {
		return purchase{}, item, mistake("We sell one to ten pieces at a time.")
	}
	email := strings.TrimSpace(form.Get("email"))
	if a, err := mail.ParseAddress(email); email != "" && (err != nil || a.Address != email || len(email) > 200) {
		return purchase{}, item, mistake("That does not look like an email address.")
	}
	pay, err := readPayment(form)
	return purchase{Key: form.Get("key"), Product: item.ID, Quantity: n, Email: email, Pay: pay}, item, err
}

// readPayment reads the chosen way and the inputs that belong to it.
func readPayment(form url.Values) (payment, error) {
	way := wayNames.FindStringSubmatch(form.Get("way"))
	if way == nil {
		return payment{}, mistake("Choose how you would like to pay.")
	}
	p := payment{Way: way[0], Provider: way[1], Flow: way[2], Capture: "automatic", Input: map[string]string{}}
	if form.Get("capture") == "manual" {
		p.Capture = "manual"
	}
	for key, values := range form {
		in, ok := strings.CutPrefix(key, inputPrefix(p.Way))
		if !ok || values[0] == "" {
			continue
		}
		if !names.MatchString(in) || len(values[0]) > 500 || len(p.Input) == 20 {
			return payment{}, mistake("What you entered for this way to pay is too much for it.")
		}
		p.Input[in] = values[0]
	}
	return p, nil
}
