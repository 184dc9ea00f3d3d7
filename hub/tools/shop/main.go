// Command shop is a demo shop: an ordinary app of the hub, which buys, refunds
// and shows orders through the hub's public HTTP API and nothing else. It is
// what a newcomer clicks through, and an example of how little an app needs.
// Whoever reaches it is customer and shopkeeper at once.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

// settings are what the environment says.
type settings struct {
	listen    string   // SHOP_LISTEN
	anyone    bool     // SHOP_ANY_ADDRESS=1: may listen where other machines reach it
	hub       *url.URL // SHOP_HUB_URL, which may have a base path
	apiKey    string   // SHOP_API_KEY
	publicURL string   // SHOP_PUBLIC_URL, where the payer's browser finds the shop
	sandbox   *url.URL // SHOP_SANDBOX_URL, where it finds the providers' stand-ins; nil without them
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	logger := slog.New(slog.NewTextHandler(os.Stderr, nil))
	if err := run(ctx, os.Getenv, os.Stdout, logger); err != nil {
		logger.Error("shop", "error", err)
		os.Exit(1)
	}
}

func readSettings(env func(string) string) (settings, error) {
	s := settings{
		listen: env("SHOP_LISTEN"), anyone: env("SHOP_ANY_ADDRESS") == "1",
		apiKey: strings.TrimSpace(env("SHOP_API_KEY")), publicURL: env("SHOP_PUBLIC_URL"),
	}
	if s.listen == "" {
		s.listen = "127.0.0.1:0"
	}
	if s.apiKey == "" {
		return s, errors.New("SHOP_API_KEY is missing: create an app key in the hub")
	}
	var err error
	if s.hub, err = baseURL("SHOP_HUB_URL", env("SHOP_HUB_URL")); err != nil {
		return s, err
	}
	if at := env("SHOP_SANDBOX_URL"); at != "" {
		if s.sandbox, err = baseURL("SHOP_SANDBOX_URL", at); err != nil {
			return s, err
		}
	}
	return s, nil
}

// baseURL reads an address that paths are appended to. The value is not
// repeated in an error: someone may have put a password in it.
func baseURL(name, value string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimRight(value, "/"))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" ||
		u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Errorf("%s must be an http or https URL without user, query or fragment", name)
	}
	return u, nil
}

// run serves until ctx ends, and writes one JSON line to out once it listens.
func run(ctx context.Context, env func(string) string, out io.Writer, logger *slog.Logger) error {
	s, err := readSettings(env)
	if err != nil {
		return err
	}
	listener, err := listen(ctx, s.listen, s.anyone)
	if err != nil {
		return err
	}
	defer listener.Close()
	addr := listener.Addr().String()
	if s.publicURL == "" {
		s.publicURL = "http://" + addr
	}
	public, err := baseURL("SHOP_PUBLIC_URL", s.publicURL)
	if err != nil {
		return err
	}
	if s.hub.Scheme == "http" && !loopbackHost(s.hub.Hostname()) {
		logger.Warn("the API key travels unencrypted: SHOP_HUB_URL is http and not this machine")
	}
	handler, err := newShop(newHub(s.hub, s.apiKey), public, s.sandbox, addr, logger)
	if err != nil {
		return err
	}
	if err := json.NewEncoder(out).Encode(map[string]string{"addr": addr, "url": public.String()}); err != nil {
		return err
	}
	return serve(ctx, listener, handler, logger)
}

// listen refuses an address that another machine could reach, unless told:
// the shop asks nobody for a password before it refunds.
func listen(ctx context.Context, addr string, anyone bool) (net.Listener, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("SHOP_LISTEN: %w", err)
	}
	if tcp, ok := listener.Addr().(*net.TCPAddr); !anyone && (!ok || !tcp.IP.IsLoopback()) {
		_ = listener.Close()
		return nil, fmt.Errorf("SHOP_LISTEN %s is not loopback, and the shop asks for no password; SHOP_ANY_ADDRESS=1 allows it", addr)
	}
	return listener, nil
}

func loopbackHost(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

func serve(ctx context.Context, listener net.Listener, handler http.Handler, logger *slog.Logger) error {
	server := &http.Server{
		Handler: handler, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 15 * time.Second,
		WriteTimeout: hubTimeout + 30*time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10,
		ErrorLog: slog.NewLogLogger(logger.Handler(), slog.LevelWarn),
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	logger.Info("shop is open", "addr", listener.Addr().String())
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err := server.Shutdown(grace); err != nil {
		return server.Close()
	}
	return nil
}
