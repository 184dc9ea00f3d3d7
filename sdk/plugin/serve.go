package plugin

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"runtime/debug"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"

	"github.com/superpayhub/superpay/sdk"
	pb "github.com/superpayhub/superpay/sdk/plugin/pluginv1"
)

// ProtocolVersion is the version of the wire contract that this package speaks.
const ProtocolVersion = 1

// Name is what the provider is dispensed under.
const Name = "provider"

// Environment variables by which the hub tunes a plugin.
const (
	// WatchStdinEnv, if "1", promises that standard input is a pipe that the
	// hub keeps open: its end is the hub's end.
	WatchStdinEnv = "SUPERPAY_WATCH_STDIN"
	// LogLevelEnv is the least level worth writing: debug, info, warn or error.
	LogLevelEnv = "SUPERPAY_LOG_LEVEL"
)

// Handshake tells a plugin that it was started by a hub. It is no secret and
// no protection.
var Handshake = goplugin.HandshakeConfig{
	MagicCookieKey:   "SUPERPAY_PLUGIN",
	MagicCookieValue: "b3c1f5f0-superpay-provider",
}

// Map is what the hub dispenses, by protocol version. Dispensing Name gives a
// *Client.
func Map() map[int]goplugin.PluginSet { return versions(nil) }

// DialOptions are what the hub's connection to a plugin needs.
func DialOptions() []grpc.DialOption {
	return []grpc.DialOption{
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxMessage), grpc.MaxCallSendMsgSize(maxMessage)),
		grpc.WithDisableRetry(), // a repeat is the hub's decision
		grpc.WithIdleTimeout(0), // the connection's state tells the hub whether the plugin lives
		grpc.WithStaticStreamWindowSize(window),
		grpc.WithStaticConnWindowSize(window),
	}
}

// Serve is all that a plugin's main needs: it offers the provider to the hub
// that started this process, and ends with it. Started by hand, it says what
// the plugin is.
func Serve(p sdk.Provider) {
	if os.Getenv(Handshake.MagicCookieKey) != Handshake.MagicCookieValue {
		introduce(os.Stdout, p.Describe())
		return
	}
	// The hub ends its plugins after their last call; a Ctrl-C or a service
	// manager that signals every process must not come before it.
	signal.Ignore(os.Interrupt, syscall.SIGTERM)
	go watchParent(os.Getppid())
	debug.SetGCPercent(800) // a plugin keeps next to nothing: collecting at twice that would be most of its work

	s := newServer(p, os.Stderr)
	slog.SetDefault(s.log)
	goplugin.Serve(&goplugin.ServeConfig{
		HandshakeConfig:  Handshake,
		VersionedPlugins: versions(s),
		GRPCServer:       s.newGRPC,
		Logger:           hclog.New(&hclog.LoggerOptions{Level: hclog.Warn, Output: os.Stderr, JSONFormat: true}),
	})
}

// Loopback connects to a provider inside this process, over the same gRPC that
// a hub uses: for tests. Call the returned function to end it.
func Loopback(ctx context.Context, p sdk.Provider) (*Client, func(), error) {
	s := newServer(p, os.Stderr)
	listener, g := bufconn.Listen(maxMessage), s.newGRPC(nil)
	pb.RegisterProviderServer(g, s)
	go func() { _ = g.Serve(listener) }()

	conn, err := grpc.NewClient("passthrough:///loopback", append(DialOptions(),
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }),
	)...)
	if err != nil {
		g.Stop()
		return nil, nil, err
	}
	end := func() { _ = conn.Close(); g.Stop() }
	client, err := Connect(ctx, conn)
	if err != nil {
		end()
		return nil, nil, err
	}
	return client, end, nil
}

func newServer(p sdk.Provider, stderr io.Writer) *server {
	var level slog.Level
	_ = level.UnmarshalText([]byte(os.Getenv(LogLevelEnv))) // info if it says nothing
	scrub := &atomic.Pointer[Scrubber]{}
	description := p.Describe()
	_, description.Connects = p.(sdk.Connector)
	return &server{provider: p, description: description, log: newLogger(stderr, level, scrub), scrub: scrub}
}

// watchParent ends the process when its parent is gone: no plugin outlives a
// hub that was killed. Where the hub promises its pipe, its end is noticed at
// once and on every system.
func watchParent(parent int) {
	if os.Getenv(WatchStdinEnv) == "1" {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(1)
	}
	for os.Getppid() == parent {
		time.Sleep(500 * time.Millisecond)
	}
	os.Exit(1)
}

// introduce tells a person who ran a plugin by hand what it is.
func introduce(w io.Writer, d sdk.Description) {
	fmt.Fprintf(w, "%s %s (%s): a provider plugin for the Superpay hub, protocol %d.\n", d.Name, d.Version, d.Title, ProtocolVersion)
	fmt.Fprintf(w, "It is not run by hand. Put it into the hub's folder of plugins and configure a provider with it.\n")
	if len(d.Settings) > 0 {
		fmt.Fprintf(w, "\nSettings:\n")
	}
	for _, f := range d.Settings {
		need := "optional"
		if f.Required {
			need = "required"
		}
		if f.Secret {
			need += ", secret"
		}
		fmt.Fprintf(w, "  %-24s %s (%s)\n", f.Name, f.Title, need)
	}
	if len(d.Flows) > 0 {
		fmt.Fprintf(w, "\nFlows:\n")
	}
	for _, f := range d.Flows {
		fmt.Fprintf(w, "  %-24s %s\n", f.Name, f.Title)
	}
}

// glue hands the provider to go-plugin on either side; the hub's has no server.
type glue struct {
	goplugin.NetRPCUnsupportedPlugin
	server *server
}

func versions(s *server) map[int]goplugin.PluginSet {
	return map[int]goplugin.PluginSet{ProtocolVersion: {Name: &glue{server: s}}}
}

func (g *glue) GRPCServer(_ *goplugin.GRPCBroker, s *grpc.Server) error {
	pb.RegisterProviderServer(s, g.server)
	return nil
}

func (g *glue) GRPCClient(ctx context.Context, _ *goplugin.GRPCBroker, conn *grpc.ClientConn) (any, error) {
	return Connect(ctx, conn)
}
