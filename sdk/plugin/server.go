package plugin

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync/atomic"

	"google.golang.org/grpc"

	"github.com/superpayhub/superpay/sdk"
	pb "github.com/superpayhub/superpay/sdk/plugin/pluginv1"
)

// maxMessage bounds a message in bytes, both ways: a callback's body with room
// to spare, far below what would hurt either process.
const maxMessage = 8 << 20

// window is what may be on its way of a message and of all, in bytes. A fixed
// one: finding the best by measuring, as gRPC does else, costs each call two
// more messages, and finds out that a local socket is fast.
const window = 1 << 20

// workers are goroutines that wait for calls: a call that finds none free pays
// for growing the stack of a new one.
const workers = 128

// errNoAnswer is unknown on purpose: neither a result nor an error proves
// nothing.
var errNoAnswer = errors.New("the plugin returned neither a result nor an error")

// server offers a provider over gRPC.
type server struct {
	pb.UnimplementedProviderServer
	provider    sdk.Provider
	description sdk.Description
	log         *slog.Logger
	scrub       *atomic.Pointer[Scrubber] // nil until Configure
}

// newGRPC makes the gRPC server that the provider is registered with.
func (s *server) newGRPC(options []grpc.ServerOption) *grpc.Server {
	return grpc.NewServer(append(options,
		grpc.UnaryInterceptor(s.intercept),
		grpc.MaxRecvMsgSize(maxMessage),
		grpc.MaxSendMsgSize(maxMessage),
		grpc.StaticStreamWindowSize(window),
		grpc.StaticConnWindowSize(window),
		grpc.NumStreamWorkers(workers),
	)...)
}

// intercept lends a call its logger, keeps a panic from ending the process and
// with it the calls of others, and makes errors fit to cross.
func (s *server) intercept(ctx context.Context, request any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (answer any, err error) {
	ctx = context.WithValue(ctx, loggerKey{}, s.log)
	defer func() {
		if cause := recover(); cause != nil {
			Logger(ctx).Error("panic", "method", info.FullMethod, "cause", fmt.Sprint(cause), "stack", string(debug.Stack()))
			answer, err = nil, fmt.Errorf("the plugin panicked: %v", cause)
		}
		if err != nil {
			answer, err = nil, toStatus(err, s.scrub.Load())
		}
	}()
	return handle(ctx, request)
}

func (s *server) Describe(context.Context, *pb.DescribeRequest) (*pb.Description, error) {
	return toDescription(s.description), nil
}

// Configure learns the secrets first: even its own error must not hold one.
func (s *server) Configure(ctx context.Context, r *pb.ConfigureRequest) (*pb.Account, error) {
	settings := sdk.Settings(r.GetSettings())
	s.scrub.Store(NewScrubber(s.description.Settings, settings))
	account, err := s.provider.Configure(ctx, settings)
	if err != nil {
		return nil, err
	}
	return toAccount(account), nil
}

func (s *server) CreateCheckout(ctx context.Context, r *pb.CheckoutRequest) (*pb.Payment, error) {
	p, err := s.provider.CreateCheckout(ctx, fromCheckoutRequest(r))
	return answer(p, err, toPayment)
}

func (s *server) GetPayment(ctx context.Context, r *pb.PaymentRequest) (*pb.Payment, error) {
	p, err := s.provider.GetPayment(ctx, fromPaymentRequest(r))
	return answer(p, err, toPayment)
}

func (s *server) HandleCallback(ctx context.Context, r *pb.CallbackRequest) (*pb.CallbackResult, error) {
	c, err := s.provider.HandleCallback(ctx, fromCallbackRequest(r))
	return answer(c, err, toCallbackResult)
}

func (s *server) Confirm(ctx context.Context, r *pb.ConfirmRequest) (*pb.Payment, error) {
	confirmer, ok := s.provider.(sdk.Confirmer)
	if !ok {
		return nil, errNotOffered
	}
	p, err := confirmer.Confirm(ctx, fromConfirmRequest(r))
	return answer(p, err, toPayment)
}

func (s *server) Capture(ctx context.Context, r *pb.CaptureRequest) (*pb.Payment, error) {
	capturer, ok := s.provider.(sdk.Capturer)
	if !ok {
		return nil, errNotOffered
	}
	p, err := capturer.Capture(ctx, fromCaptureRequest(r))
	return answer(p, err, toPayment)
}

func (s *server) Cancel(ctx context.Context, r *pb.CancelRequest) (*pb.Payment, error) {
	canceler, ok := s.provider.(sdk.Canceler)
	if !ok {
		return nil, errNotOffered
	}
	p, err := canceler.Cancel(ctx, fromCancelRequest(r))
	return answer(p, err, toPayment)
}

func (s *server) Refund(ctx context.Context, r *pb.RefundRequest) (*pb.RefundResult, error) {
	refunder, ok := s.provider.(sdk.Refunder)
	if !ok {
		return nil, errNotOffered
	}
	refund, err := refunder.Refund(ctx, fromRefundRequest(r))
	return answer(refund, err, toRefund)
}

func (s *server) GetRefund(ctx context.Context, r *pb.GetRefundRequest) (*pb.RefundResult, error) {
	refunder, ok := s.provider.(sdk.Refunder)
	if !ok {
		return nil, errNotOffered
	}
	refund, err := refunder.GetRefund(ctx, fromGetRefundRequest(r))
	return answer(refund, err, toRefund)
}

func (s *server) List(ctx context.Context, r *pb.ListRequest) (*pb.ListPage, error) {
	lister, ok := s.provider.(sdk.Lister)
	if !ok {
		return nil, errNotOffered
	}
	page, err := lister.List(ctx, fromListRequest(r))
	return answer(page, err, toListPage)
}

// Connect learns the secrets first, as Configure does.
func (s *server) Connect(ctx context.Context, r *pb.ConnectRequest) (*pb.Connection, error) {
	connector, ok := s.provider.(sdk.Connector)
	if !ok {
		return nil, errNotOffered
	}
	request := fromConnectRequest(r)
	s.scrub.Store(NewScrubber(s.description.Settings, request.Settings))
	c, err := connector.Connect(ctx, request)
	return answer(c, err, toConnection)
}

// answer converts what the provider returned.
func answer[A, M any](a *A, err error, to func(*A) *M) (*M, error) {
	if err != nil {
		return nil, err
	}
	if a == nil {
		return nil, errNoAnswer
	}
	return to(a), nil
}
