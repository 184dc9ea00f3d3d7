package main

import (
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"
)

// standIn is Stripe, answering at once and remembering nothing: what a payment
// costs beside the provider's own time.
type standIn struct {
	url   string
	made  atomic.Int64
	serve *fasthttp.Server
}

func startStandIn() (*standIn, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &standIn{url: "http://" + listener.Addr().String()}
	s.serve = &fasthttp.Server{Handler: s.handle, NoDefaultServerHeader: true}
	go func() { _ = s.serve.Serve(listener) }()
	return s, nil
}

func (s *standIn) close() { _ = s.serve.Shutdown() }

// id makes a name in the form of Stripe's, ending like the hub's ids do.
func (s *standIn) id(prefix string) string {
	return fmt.Sprintf("%s_%016x%010d", prefix, began, s.made.Add(1))
}

// began keeps the names of two runs apart.
var began = time.Now().UnixNano()

func (s *standIn) handle(c *fasthttp.RequestCtx) {
	form := c.PostArgs()
	field := func(name string) string { return string(form.Peek(name)) }
	c.SetContentType("application/json")
	switch {
	case c.IsPost() && string(c.Path()) == "/v1/checkout/sessions":
		line := "line_items[0][price_data]"
		id := s.id("cs_test")
		fmt.Fprintf(c, `{"id":%q,"object":"checkout.session","amount_total":%s,"currency":%q,"expires_at":%d,"livemode":false,"mode":"payment",`+
			`"payment_status":"unpaid","status":"open","ui_mode":"hosted","url":"https://checkout.example/c/pay/%s","metadata":%s}`,
			id, field(line+"[unit_amount]"), field(line+"[currency]"), time.Now().Add(23*time.Hour).Unix(), id, metadata(form))
	case c.IsPost() && string(c.Path()) == "/v1/refunds":
		fmt.Fprintf(c, `{"id":%q,"object":"refund","amount":%s,"charge":%q,"created":%d,"currency":"usd","status":"succeeded","metadata":%s}`,
			s.id("re"), field("amount"), field("charge"), time.Now().Unix(), metadata(form))
	default:
		c.SetStatusCode(fasthttp.StatusNotFound)
		c.SetBodyString(`{"error":{"type":"invalid_request_error","code":"resource_missing","message":"nothing is kept here"}}`)
	}
}

// metadata gives back what was sent, as Stripe does.
func metadata(form *fasthttp.Args) string {
	var pairs []string
	for key, value := range form.All() {
		if name, ok := strings.CutPrefix(string(key), "metadata["); ok {
			pairs = append(pairs, strconv.Quote(strings.TrimSuffix(name, "]"))+":"+strconv.Quote(string(value)))
		}
	}
	return "{" + strings.Join(pairs, ",") + "}"
}
