package sandbox

import (
	"cmp"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/superpayhub/superpay/sdk"
	"github.com/superpayhub/superpay/sdk/plugintest/standin"
)

type payment struct {
	ID        string            `json:"id"`
	Status    string            `json:"status"` // open, waiting, held, paid, canceled
	Amount    string            `json:"amount"`
	Currency  string            `json:"currency"`
	Live      bool              `json:"live"`
	Metadata  map[string]string `json:"metadata"`
	PageURL   string            `json:"page_url"`
	ReturnURL string            `json:"return_url"`
	CancelURL string            `json:"cancel_url"`
	ExpiresAt int64             `json:"expires_at,omitempty"`
	CaptureID string            `json:"capture_id,omitempty"`
	Captured  string            `json:"captured,omitempty"`
	PaidIn    string            `json:"captured_currency,omitempty"` // where it is not Currency
	Failure   string            `json:"failure,omitempty"`
	Refunds   []*refund         `json:"refunds"`
	Disputes  []*dispute        `json:"disputes"`
	Created   int64             `json:"created"`

	Description string `json:"description"`
	Manual      bool   `json:"manual_capture"`
	card        string
	result      string // what completes it, once the payer has done their part
}

// decimals are what each currency is counted in.
var decimals = map[string]int{"EUR": 2, "GBP": 2, "JPY": 0, "KWD": 3, "USD": 2}

// money reads an amount; one that is not exact in its currency is refused.
func money(amount, currency string) (sdk.Money, bool) {
	places, known := decimals[currency]
	m, err := sdk.ParseDecimal(amount, currency, places)
	return m, known && err == nil && m.Amount > 0 && m.Decimal() == amount
}

func (s *Server) createPayment(_ *http.Request, body []byte) reply {
	p := &payment{}
	if json.Unmarshal(body, p) != nil {
		return refuse(http.StatusUnprocessableEntity, "bad_request")
	}
	if _, fits := money(p.Amount, p.Currency); !fits {
		return refuse(http.StatusUnprocessableEntity, "amount_rejected")
	}
	p.ID, p.Status, p.Created = newID("pay_"), "open", now()
	p.Refunds, p.Disputes = []*refund{}, []*dispute{}
	p.PageURL = s.opts.PublicURL + "/pay/" + p.ID
	s.payments = append(s.payments, p)
	s.tell("payment.created", p)
	return ok(p)
}

func (s *Server) payment(id string) *payment {
	for _, p := range s.payments {
		if p.ID == id {
			if p.Status == "open" && p.ExpiresAt != 0 && now() >= p.ExpiresAt {
				p.Status = "canceled"
			}
			return p
		}
	}
	return nil
}

func (s *Server) getPayment(r *http.Request) reply {
	if p := s.payment(r.PathValue("id")); p != nil {
		return ok(p)
	}
	return refuse(http.StatusNotFound, "not_found")
}

// searchPage is how many payments a page of a search holds, if no limit is asked for.
const searchPage = 10

// listPayments lists the newest first, or finds by "key:value" in metadata.
func (s *Server) listPayments(r *http.Request) reply {
	query := r.URL.Query()
	key, value, search := strings.Cut(query.Get("metadata"), ":")
	since, _ := strconv.ParseInt(query.Get("since"), 10, 64)
	limit, _ := strconv.Atoi(query.Get("limit"))
	if search && limit == 0 {
		limit = searchPage
	}
	after, passed := query.Get("after"), query.Get("after") == ""
	data, more := []*payment{}, false
	for _, p := range slices.Backward(s.payments) {
		switch {
		case !passed:
			passed = p.ID == after
		case search && p.Metadata[key] != value, p.Created < since:
		case limit > 0 && len(data) == limit:
			more = true
		default:
			data = append(data, p)
		}
	}
	return ok(map[string]any{"data": data, "more": more})
}

// completePayment takes or holds what the payer agreed to, if the result is the
// payer's own; else the payment stays as it is.
func (s *Server) completePayment(r *http.Request, body []byte) reply {
	p := s.payment(r.PathValue("id"))
	var in struct{ Result string }
	switch {
	case p == nil:
		return refuse(http.StatusNotFound, "not_found")
	case json.Unmarshal(body, &in) != nil:
		return refuse(http.StatusUnprocessableEntity, "bad_request")
	case p.Status == "open" && p.result != "" && in.Result == p.result:
		s.complete(p)
	}
	return ok(p)
}

// complete takes the money, or holds it for a capture. The card "late" is a bank that
// takes its time: see the dashboard.
func (s *Server) complete(p *payment) {
	if p.card == "late" && p.Status == "open" {
		p.Status, p.Failure = "waiting", ""
		s.tell("payment.waiting", p)
		return
	}
	if !p.Manual {
		s.takeFrom(p)
		return
	}
	p.Status, p.Failure = "held", ""
	s.tell("payment.held", p)
}

func (s *Server) capturePayment(r *http.Request, body []byte) reply {
	p := s.payment(r.PathValue("id"))
	var in struct{ Amount string }
	if p == nil {
		return refuse(http.StatusNotFound, "not_found")
	}
	if json.Unmarshal(body, &in) != nil || p.Status != "held" {
		return refuse(http.StatusUnprocessableEntity, "wrong_state")
	}
	part, fits := money(in.Amount, p.Currency)
	if whole, _ := money(p.Amount, p.Currency); !fits || part.Amount > whole.Amount {
		return refuse(http.StatusUnprocessableEntity, "too_much")
	}
	s.take(p, in.Amount)
	return ok(p)
}

// cancelPayment answers with the payment as it is where it comes too late.
func (s *Server) cancelPayment(r *http.Request, _ []byte) reply {
	p := s.payment(r.PathValue("id"))
	if p == nil {
		return refuse(http.StatusNotFound, "not_found")
	}
	if p.Status == "open" || p.Status == "held" {
		p.Status = "canceled"
		s.tell("payment.canceled", p)
	}
	return ok(p)
}

// takeFrom takes what the payer's card pays.
func (s *Server) takeFrom(p *payment) {
	amount := p.Amount
	switch p.card {
	case "less":
		amount = less(p.Amount, "1.00", p.Currency)
	case "foreign":
		p.PaidIn = map[bool]string{true: "GBP", false: "EUR"}[p.Currency == "EUR"]
	}
	s.take(p, amount)
}

func (s *Server) take(p *payment, amount string) {
	p.Status, p.Captured, p.CaptureID, p.Failure = "paid", amount, newID("cap_"), ""
	s.tell("payment.paid", p)
}

// books is the account of the money in neutral words.
func (s *Server) books() standin.Books {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := standin.Books{Payments: []standin.Entry{}, Captures: []standin.Entry{}, Refunds: []standin.Entry{}, Disputes: []standin.Entry{}}
	for _, p := range s.payments {
		e := standin.Entry{
			ID: p.ID, PaymentID: p.ID, Status: p.Status, Amount: p.Amount, Currency: p.Currency, Metadata: p.Metadata, Created: time.Unix(p.Created, 0).UTC(),
		}
		b.Payments = append(b.Payments, e)
		if p.CaptureID != "" {
			capture := e
			capture.ID, capture.Amount, capture.Currency = p.CaptureID, p.Captured, cmp.Or(p.PaidIn, p.Currency)
			b.Captures = append(b.Captures, capture)
		}
		for _, re := range p.Refunds {
			e.ID, e.Amount, e.Status, e.Metadata = re.ID, re.Amount, re.Status, re.Metadata
			b.Refunds = append(b.Refunds, e)
		}
		for _, d := range p.Disputes {
			e.ID, e.Amount, e.Status = d.ID, d.Amount, d.Status
			b.Disputes = append(b.Disputes, e)
		}
	}
	return b
}
