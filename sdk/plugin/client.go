package plugin

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"

	"github.com/superpayhub/superpay/sdk"
	pb "github.com/superpayhub/superpay/sdk/plugin/pluginv1"
)

// connectTimeout bounds the first question to a plugin.
const connectTimeout = 10 * time.Second

// Client is a plugin as the hub sees it. It implements sdk.Provider and every
// optional interface; what the plugin lacks is answered with sdk.Rejected.
//
// Its errors are those of package sdk. Any other error is unknown: the call may
// have had its effect. No error holds a secret that Configure was given.
type Client struct {
	rpc         pb.ProviderClient
	conn        *grpc.ClientConn
	description sdk.Description
	scrub       atomic.Pointer[Scrubber]
}

var (
	_ sdk.Provider  = (*Client)(nil)
	_ sdk.Confirmer = (*Client)(nil)
	_ sdk.Capturer  = (*Client)(nil)
	_ sdk.Canceler  = (*Client)(nil)
	_ sdk.Refunder  = (*Client)(nil)
	_ sdk.Lister    = (*Client)(nil)
	_ sdk.Connector = (*Client)(nil)
)

// Connect asks a plugin once what it is.
func Connect(ctx context.Context, conn *grpc.ClientConn) (*Client, error) {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	c := &Client{rpc: pb.NewProviderClient(conn), conn: conn}
	d, err := c.rpc.Describe(ctx, &pb.DescribeRequest{})
	if err != nil {
		return nil, fmt.Errorf("describe: %w", fromStatus(err, nil))
	}
	c.description = fromDescription(d)
	return c, nil
}

// Conn is the connection, for its state and the health service.
func (c *Client) Conn() *grpc.ClientConn { return c.conn }

// Scrub replaces the secrets that Configure was given in a text that came from
// the plugin another way, such as a line of its log.
func (c *Client) Scrub(text string) string { return c.scrub.Load().Text(text) }

// Describe is what Connect was told.
func (c *Client) Describe() sdk.Description { return c.description }

// Configure implements sdk.Provider.
func (c *Client) Configure(ctx context.Context, s sdk.Settings) (sdk.Account, error) {
	c.scrub.Store(NewScrubber(c.description.Settings, s))
	a, err := c.rpc.Configure(ctx, &pb.ConfigureRequest{Settings: s})
	if err != nil {
		return sdk.Account{}, fromStatus(err, c.scrub.Load())
	}
	return fromAccount(a), nil
}

// CreateCheckout implements sdk.Provider.
func (c *Client) CreateCheckout(ctx context.Context, r sdk.CheckoutRequest) (*sdk.Payment, error) {
	p, err := c.rpc.CreateCheckout(ctx, toCheckoutRequest(r))
	return read(c, p, err, fromPayment)
}

// GetPayment implements sdk.Provider.
func (c *Client) GetPayment(ctx context.Context, r sdk.PaymentRequest) (*sdk.Payment, error) {
	p, err := c.rpc.GetPayment(ctx, toPaymentRequest(r))
	return read(c, p, err, fromPayment)
}

// HandleCallback implements sdk.Provider.
func (c *Client) HandleCallback(ctx context.Context, r sdk.CallbackRequest) (*sdk.CallbackResult, error) {
	result, err := c.rpc.HandleCallback(ctx, toCallbackRequest(r))
	return read(c, result, err, fromCallbackResult)
}

// Confirm implements sdk.Confirmer.
func (c *Client) Confirm(ctx context.Context, r sdk.ConfirmRequest) (*sdk.Payment, error) {
	p, err := c.rpc.Confirm(ctx, toConfirmRequest(r))
	return read(c, p, err, fromPayment)
}

// Capture implements sdk.Capturer.
func (c *Client) Capture(ctx context.Context, r sdk.CaptureRequest) (*sdk.Payment, error) {
	p, err := c.rpc.Capture(ctx, toCaptureRequest(r))
	return read(c, p, err, fromPayment)
}

// Cancel implements sdk.Canceler.
func (c *Client) Cancel(ctx context.Context, r sdk.CancelRequest) (*sdk.Payment, error) {
	p, err := c.rpc.Cancel(ctx, toCancelRequest(r))
	return read(c, p, err, fromPayment)
}

// Refund implements sdk.Refunder.
func (c *Client) Refund(ctx context.Context, r sdk.RefundRequest) (*sdk.Refund, error) {
	refund, err := c.rpc.Refund(ctx, toRefundRequest(r))
	return read(c, refund, err, fromRefund)
}

// GetRefund implements sdk.Refunder.
func (c *Client) GetRefund(ctx context.Context, r sdk.GetRefundRequest) (*sdk.Refund, error) {
	refund, err := c.rpc.GetRefund(ctx, toGetRefundRequest(r))
	return read(c, refund, err, fromRefund)
}

// List implements sdk.Lister.
func (c *Client) List(ctx context.Context, r sdk.ListRequest) (*sdk.ListPage, error) {
	page, err := c.rpc.List(ctx, toListRequest(r))
	return read(c, page, err, fromListPage)
}

// Connect implements sdk.Connector.
func (c *Client) Connect(ctx context.Context, r sdk.ConnectRequest) (*sdk.Connection, error) {
	c.scrub.Store(NewScrubber(c.description.Settings, r.Settings))
	connection, err := c.rpc.Connect(ctx, toConnectRequest(r))
	return read(c, connection, err, fromConnection)
}

// read converts an answer, or an error into one of package sdk's.
func read[M, A any](c *Client, m *M, err error, from func(*M) *A) (*A, error) {
	if err != nil {
		return nil, fromStatus(err, c.scrub.Load())
	}
	return from(m), nil
}
