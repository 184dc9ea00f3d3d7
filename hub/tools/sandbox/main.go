// Command sandbox serves every provider's stand-in under one listener, so that
// a newcomer can pay in a browser without an account anywhere. It takes no
// password and therefore listens on loopback only.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// options are the flags. Keys may also come by environment, where ps does not
// show them.
type options struct {
	addr, stateDir, publicURL string
	stripeWebhookURL          string
	stripeKey, stripeSecret   string
	stripe                    stripeFlags
	paypalWebhookURL          string
	paypal                    paypalKeys
	paypalRules               paypalRules
	withParent                bool
	disable                   []string
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	logger := slog.New(slog.NewTextHandler(os.Stderr, nil))
	if err := run(ctx, os.Args[1:], os.Getenv, os.Stdout, logger); err != nil && !errors.Is(err, flag.ErrHelp) {
		logger.Error("sandbox", "error", err)
		os.Exit(1)
	}
}

func parse(args []string, env func(string) string) (options, error) {
	var o options
	flags := flag.NewFlagSet("sandbox", flag.ContinueOnError)
	flags.StringVar(&o.addr, "addr", "127.0.0.1:0", "loopback address to listen on; port 0 picks one")
	flags.StringVar(&o.stateDir, "state-dir", "", "folder that keeps data between runs; empty forgets")
	flags.StringVar(&o.publicURL, "public-url", "", "base URL the payer's browser reaches; empty is http://addr")
	flags.StringVar(&o.stripeWebhookURL, "stripe-webhook-url", "", "where Stripe's callbacks go; may be set later by PUT /stripe/_sandbox/webhook")
	flags.StringVar(&o.stripeKey, "stripe-key", "", "the API key to accept (or SANDBOX_STRIPE_KEY)")
	flags.StringVar(&o.stripeSecret, "stripe-webhook-secret", "", "signs the callbacks (or SANDBOX_STRIPE_WEBHOOK_SECRET)")
	flags.StringVar(&o.paypalWebhookURL, "paypal-webhook-url", "", "where PayPal's callbacks go; may be set later by PUT /paypal/_sandbox/webhook")
	o.stripe.register(flags)
	o.paypalRules.register(flags)
	flags.BoolVar(&o.withParent, "with-parent", false, "end when the parent process does")
	flags.Usage = func() { usage(flags) }
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if o.stripeKey == "" {
		o.stripeKey = env("SANDBOX_STRIPE_KEY")
	}
	if o.stripeSecret == "" {
		o.stripeSecret = env("SANDBOX_STRIPE_WEBHOOK_SECRET")
	}
	o.paypal = readPayPalKeys(env)
	// Rules that tests switch off to see that somebody notices.
	if rules := env("SANDBOX_DISABLE"); rules != "" {
		o.disable = strings.Split(rules, ",")
	}
	if flags.NArg() > 0 {
		return o, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	return o, nil
}

// run serves until ctx ends, and writes one JSON line to out once it listens.
func run(ctx context.Context, args []string, env func(string) string, out io.Writer, logger *slog.Logger) error {
	o, err := parse(args, env)
	if err != nil {
		return err
	}
	listener, err := listen(ctx, o.addr)
	if err != nil {
		return err
	}
	defer listener.Close()
	base := strings.TrimRight(o.publicURL, "/")
	if base == "" {
		base = "http://" + listener.Addr().String()
	}
	prefix, err := url.Parse(base)
	if err != nil || prefix.Host == "" {
		return fmt.Errorf("--public-url %q is not an absolute URL", o.publicURL)
	}
	stands, err := openStands(o, base, logger)
	if err != nil {
		return err
	}
	defer func() {
		for _, stand := range stands {
			if err := stand.close(); err != nil {
				logger.Error("state was not saved", "stand-in", stand.Name, "error", err)
			}
		}
	}()
	handler, err := route(stands, strings.TrimRight(prefix.Path, "/"))
	if err != nil {
		return err
	}
	hello := map[string]string{"addr": listener.Addr().String(), "url": base}
	for _, stand := range stands {
		maps.Copy(hello, stand.says)
	}
	if err := json.NewEncoder(out).Encode(hello); err != nil {
		return err
	}
	if o.withParent {
		var cancel context.CancelFunc
		ctx, cancel = context.WithCancel(ctx)
		defer cancel()
		go watchParent(ctx, cancel, os.Getppid())
	}
	return serve(ctx, listener, handler, logger)
}

// listen refuses every address that another machine could reach: whoever
// reaches the sandbox is its merchant and its payer.
func listen(ctx context.Context, addr string) (net.Listener, error) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, fmt.Errorf("--addr: %w", err)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return nil, fmt.Errorf("--addr %s is not loopback; the sandbox asks for no password", addr)
	}
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	if tcp, ok := listener.Addr().(*net.TCPAddr); !ok || !tcp.IP.IsLoopback() {
		_ = listener.Close()
		return nil, fmt.Errorf("--addr %s does not resolve to loopback", addr)
	}
	return listener, nil
}

func serve(ctx context.Context, listener net.Listener, handler http.Handler, logger *slog.Logger) error {
	server := &http.Server{
		Handler: handler, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute,
		ErrorLog: slog.NewLogLogger(logger.Handler(), slog.LevelWarn),
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	logger.Info("sandbox is listening", "addr", listener.Addr().String())
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

// watchParent ends the sandbox when whoever started it is gone: an orphan
// would keep its port and its state file.
func watchParent(ctx context.Context, cancel context.CancelFunc, parent int) {
	ticker := time.NewTicker(500 * time.Millisecond)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			if os.Getppid() != parent {
				cancel()
				return
			}
		case <-ctx.Done():
			return
		}
	}
}

func stateFile(dir, name string) string {
	if dir == "" {
		return ""
	}
	return filepath.Join(dir, name+".json")
}
