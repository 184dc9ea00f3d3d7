package sandbox

import (
	"crypto/rand"
	"math/big"
	"time"

	"github.com/superpayhub/superpay/sdk/plugintest/standin"
)

// maxOrders bounds what is kept. Of money nothing is forgotten, so a full
// stand-in refuses new requests instead.
const maxOrders = 100_000

// state is everything a stand-in remembers between runs.
type state struct {
	Orders    []*order             `json:"orders"` // in the order they were made
	Keys      keyring              `json:"request_ids"`
	Tokens    map[string]time.Time `json:"tokens"` // until when each is good
	Identity  identity             `json:"identity"`
	Callbacks []standin.Callback   `json:"callbacks"` // filled when saved
	Webhooks  []webhook            `json:"webhooks"`  // filled when saved
	Events    []sent               `json:"events"`    // filled when saved

	index    map[string]object
	invoices map[string]bool // captured under, by payee
	refunded map[string]bool // invoices refunded under, by payee
}

// link finds everything by id and by its parent again after it was read.
func (s *state) link() {
	s.index, s.invoices, s.refunded = map[string]object{}, map[string]bool{}, map[string]bool{}
	for _, o := range s.Orders {
		s.index[o.ID] = o
		for _, u := range o.Units {
			u.order = o
			for _, a := range u.Authorizations {
				a.unit, s.index[a.ID] = u, a
			}
			for _, c := range u.Captures {
				c.unit, s.index[c.ID] = u, c
				s.useInvoice(c)
				for _, d := range c.Disputes {
					d.capture, s.index[d.ID] = c, d
				}
			}
			for _, r := range u.Refunds {
				r.unit, s.index[r.ID] = u, r
				r.complete()
				s.useRefundInvoice(r)
			}
		}
	}
}

func (s *state) find(id string) object { return s.index[id] }

func (s *state) addOrder(o *order) {
	for _, u := range o.Units {
		u.order = o
	}
	s.Orders = append(s.Orders, o)
	s.index[o.ID] = o
}

func (s *state) addAuthorization(u *unit, a *authorization) {
	a.unit, u.Authorizations, s.index[a.ID] = u, append(u.Authorizations, a), a
}

func (s *state) addCapture(u *unit, c *capture) {
	c.unit, u.Captures, s.index[c.ID] = u, append(u.Captures, c), c
	s.useInvoice(c)
}

func (s *state) addRefund(u *unit, r *refund) {
	r.unit, u.Refunds, s.index[r.ID] = u, append(u.Refunds, r), r
	s.useRefundInvoice(r)
}

func (s *state) addDispute(c *capture, d *dispute) {
	d.capture, c.Disputes, s.index[d.ID] = c, append(c.Disputes, d), d
}

// useInvoice makes an invoice id unfit for another capture. One that was
// declined leaves it free.
func (s *state) useInvoice(c *capture) {
	if c.InvoiceID != "" && c.Status != declined {
		s.invoices[c.unit.Payee.MerchantID+" "+c.InvoiceID] = true
	}
}

func (s *state) invoiceUsed(u *unit, id string) bool {
	return id != "" && s.invoices[u.Payee.MerchantID+" "+id]
}

// useRefundInvoice makes an invoice id unfit for another refund. One that failed
// leaves it free.
func (s *state) useRefundInvoice(r *refund) {
	if r.InvoiceID != "" {
		s.refunded[r.unit.Payee.MerchantID+" "+r.InvoiceID] = r.Status != failed
	}
}

func (s *state) refundInvoiceUsed(u *unit, id string) bool {
	return id != "" && s.refunded[u.Payee.MerchantID+" "+id]
}

// find returns the object of an id, or says what PayPal says. An order that ran
// out is as unknown as one that never was.
func find[T object](s *Server, id string) (T, *apiError) {
	found, ok := s.state.find(id).(T)
	if o, isOrder := any(found).(*order); !ok || isOrder && o.Gone {
		return found, missing(id)
	}
	return found, nil
}

const alphabet = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ"

func random(n int) string {
	out := make([]byte, n)
	for i := range out {
		digit, _ := rand.Int(rand.Reader, big.NewInt(int64(len(alphabet)))) // never fails, see crypto/rand
		out[i] = alphabet[digit.Int64()]
	}
	return string(out)
}

// newID looks like PayPal's. It is random, so ids of two stand-ins, or of one
// whose state was deleted, never meet. The letter at its end keeps it from
// looking like a card number, which logs mask.
func newID() string { return random(16) + "P" }
