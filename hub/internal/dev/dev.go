// Package dev stands the whole house up on one machine: PostgreSQL, the
// providers' stand-ins, one or more hubs, the shop. It is the one way to do
// so; `hub dev`, the end-to-end tests, chaos and bench all use it.
//
// Promises: nothing it started outlives it; one owner of a data folder at a
// time; what is made once (keys, the database) is kept in the data folder.
package dev

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/superpayhub/superpay/hub/internal/devpg"
	"github.com/superpayhub/superpay/hub/internal/devpg/filelock"
)

// stopTimeout bounds the clearing up after a start that failed.
const stopTimeout = 10 * time.Second

// Options say what to stand up. BinDir and DataDir are required.
type Options struct {
	BinDir         string // holds hub, sandbox, shop and plugins/: see Build
	DataDir        string // keeps keys, PostgreSQL's cluster and the sandbox's state
	Port           int    // of the first hub; 0 picks a free one
	BasePath       string // everything of the hubs below it, as "/superpay"
	DatabaseURL    string // "" runs a private PostgreSQL
	Key            string // that the given database is encrypted with; "" takes the data folder's
	Hubs           int    // on the same database; 0 means 1
	Shop           bool
	Fleeting       bool // for tests: nothing waits for the disk, and the sandbox keeps nothing on it
	MaxConnections int  // of its own PostgreSQL; 100 when 0
	OtherBuild     bool // BinDir holds another build than this one: its own hub makes the schema and the app

	Clocks      bool          // lets tests shift the clock of each hub: see SetClock
	Env         []string      // more environment for the hubs; wins over what is set here
	TimeScale   float64       // compresses schedules; 0 means 1
	CallTimeout time.Duration // of a provider's call; 0 leaves it to the hub

	// With a secret key the hubs talk to Stripe itself, and no sandbox runs.
	StripeSecretKey, StripeWebhookSecret, StripePublishableKey string

	LogWriter io.Writer // what all of them say, each line with its name; nil drops it

	// HubDatabase takes the database's URL and returns the one by which hubs reach
	// it, for a proxy between; nil: the same.
	HubDatabase func(url string) (string, error)
}

// House is all of it, running.
type House struct {
	BaseURLs    []string // of the hubs, base path included
	APIKey      string   // of the app "shop", which may use every provider
	SandboxURL  string   // "" with Stripe itself; Stripe's stand-in is at /stripe below it
	ShopURL     string   // "" without a shop
	DatabaseURL string

	EncryptionKey   string // of the hubs
	WebhookSecret   string // signs Stripe's callbacks
	StripeSecretKey string // what the hubs call Stripe, or the sandbox, with
	PayPal          PayPal // what the hubs call PayPal's stand-in with
	Console         Console

	options  Options
	lock     *filelock.Lock
	logs     *logs
	keys     keys
	paypalCA string
	postgres *devpg.Server
	sandbox  *child
	hubs     []*child
	shop     *child
	died     chan error

	stopping sync.Once
	stopErr  error
}

// Console is where operators look at orders, and who may sign in there as admin.
type Console struct {
	URL      string `json:"url"`
	Email    string `json:"email"`
	Password string `json:"password"`
}

// PayPal is an account at PayPal's stand-in.
type PayPal struct {
	ClientID   string `json:"client_id"`
	Secret     string `json:"secret"`
	MerchantID string `json:"merchant_id"`
	WebhookID  string `json:"webhook_id"`
}

// BaseURL is the first hub's.
func (h *House) BaseURL() string { return h.BaseURLs[0] }

// Died tells, once, of a program that ended by itself.
func (h *House) Died() <-chan error { return h.died }

// Start returns when everything answers. What it started before an error is
// gone when it returns.
func Start(ctx context.Context, o Options) (*House, error) {
	if o.Hubs == 0 {
		o.Hubs = 1
	}
	if o.LogWriter == nil {
		o.LogWriter = io.Discard
	}
	var err error
	if o.DataDir, err = filepath.Abs(o.DataDir); err != nil {
		return nil, err
	}
	h := &House{options: o, logs: &logs{to: o.LogWriter}, died: make(chan error, 1)}
	for _, step := range []func(context.Context) error{
		h.claim, h.plan, h.startPostgres, h.seed, h.startSandbox, h.startHubs, h.startShop,
	} {
		if err := step(ctx); err != nil {
			grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
			defer cancel()
			return nil, errors.Join(err, h.Stop(grace))
		}
	}
	return h, nil
}

// claim makes us the data folder's one owner.
func (h *House) claim(context.Context) error {
	dir := h.options.DataDir
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("data folder: %w", err)
	}
	lock, err := filelock.Open(filepath.Join(dir, "dev.lock"))
	if err != nil {
		return fmt.Errorf("data folder: %w", err)
	}
	if err := lock.TryExclusive(); err != nil {
		defer lock.Close()
		if errors.Is(err, filelock.ErrHeld) {
			return fmt.Errorf("process %s runs on the data folder %s already: stop it, or set DATA_DIR to another folder", lock.Note(), dir)
		}
		return fmt.Errorf("data folder: %w", err)
	}
	h.lock = lock
	if err := lock.SetNote(strconv.Itoa(os.Getpid())); err != nil {
		return err
	}
	return h.withdraw() // what a killed one left
}

func (h *House) startPostgres(ctx context.Context) (err error) {
	if h.DatabaseURL = h.options.DatabaseURL; h.DatabaseURL != "" {
		return nil
	}
	h.postgres, err = devpg.Start(ctx, devpg.Options{
		Dir:    filepath.Join(h.options.DataDir, "postgres"),
		Logger: slog.New(slog.NewTextHandler(h.logs.named("postgres"), nil)),
		Unsafe: h.options.Fleeting, MaxConnections: h.options.MaxConnections,
	})
	if err != nil {
		return err
	}
	h.DatabaseURL = h.postgres.URL()
	go func(server *devpg.Server) {
		<-server.Done()
		h.report(errors.New("PostgreSQL ended by itself, see postgres/postgres.log in the data folder"))
	}(h.postgres)
	return nil
}

// RestartPostgres ends the house's own PostgreSQL as a crash would, and starts
// it again at the same address.
func (h *House) RestartPostgres(ctx context.Context) error {
	if h.postgres == nil {
		return errors.New("the house has no PostgreSQL of its own")
	}
	h.postgres.Kill()
	was := h.DatabaseURL
	h.options.DatabaseURL = ""
	if err := h.startPostgres(ctx); err != nil {
		return err
	}
	if h.DatabaseURL != was {
		return errors.New("PostgreSQL came back at another address: somebody took its port")
	}
	return nil
}

// SnapshotPostgres stops the house's own PostgreSQL, copies its data and starts
// it again at the same address.
func (h *House) SnapshotPostgres(ctx context.Context) error {
	return h.swapData(ctx, func(data, copied string) error {
		return errors.Join(os.RemoveAll(copied), copyFolder(ctx, data, copied))
	})
}

// RestorePostgres has the house's own PostgreSQL go back in time: it is killed,
// and the copy of its data takes the place of what it wrote since.
func (h *House) RestorePostgres(ctx context.Context) error {
	if h.postgres != nil {
		h.postgres.Kill()
	}
	return h.swapData(ctx, func(data, copied string) error {
		return errors.Join(os.RemoveAll(data), copyFolder(ctx, copied, data))
	})
}

// swapData works on the data of a stopped PostgreSQL, and starts it.
func (h *House) swapData(ctx context.Context, swap func(data, copied string) error) error {
	if h.postgres == nil {
		return errors.New("the house has no PostgreSQL of its own")
	}
	if err := h.postgres.Stop(ctx); err != nil {
		return err
	}
	home := h.postgres.Dir()
	if err := swap(filepath.Join(home, "data"), filepath.Join(home, "data.copy")); err != nil {
		return err
	}
	return h.RestartPostgres(ctx)
}

// copyFolder keeps owner and modes: PostgreSQL refuses data that is not its own.
func copyFolder(ctx context.Context, from, to string) error {
	out, err := exec.CommandContext(ctx, "cp", "-a", from, to).CombinedOutput()
	if err != nil {
		return fmt.Errorf("copy %s: %w: %s", from, err, out)
	}
	return nil
}

// Pids are the process ids of what runs now, by name.
func (h *House) Pids() map[string]int {
	pids := map[string]int{}
	for _, c := range h.children() {
		if pid := c.pid(); pid != 0 {
			pids[c.name] = pid
		}
	}
	if h.postgres != nil {
		pids["postgres"] = h.postgres.Pid()
	}
	return pids
}

func (h *House) children() []*child {
	var all []*child
	for _, c := range append([]*child{h.shop, h.sandbox}, h.hubs...) {
		if c != nil {
			all = append(all, c)
		}
	}
	return all
}

// Stop ends everything in order, and kills what has not ended when the context
// does. Repeating it is harmless.
func (h *House) Stop(ctx context.Context) error {
	h.stopping.Do(func() { h.stopErr = h.stop(ctx) })
	return h.stopErr
}

func (h *House) stop(ctx context.Context) error {
	var errs []error
	if h.lock != nil {
		errs = append(errs, h.withdraw())
	}
	if h.shop != nil {
		errs = append(errs, h.shop.stop(ctx))
	}
	hubErrs := make([]error, len(h.hubs))
	var all sync.WaitGroup
	for i, hub := range h.hubs {
		all.Go(func() { hubErrs[i] = hub.stop(ctx) })
	}
	all.Wait()
	errs = append(errs, hubErrs...)
	if h.sandbox != nil { // after the hubs, whose last calls it answers
		errs = append(errs, h.sandbox.stop(ctx))
	}
	if h.postgres != nil {
		errs = append(errs, h.postgres.Stop(ctx))
	}
	if h.lock != nil {
		// Close alone would leave the lock to a child that is just being forked.
		errs = append(errs, h.lock.Unlock(), h.lock.Close())
	}
	return errors.Join(errs...)
}

// report passes the first unexpected end on.
func (h *House) report(err error) {
	select {
	case h.died <- err:
	default:
	}
}
