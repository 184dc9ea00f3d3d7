// Command chaos runs the campaign: mixed traffic and faults through every way
// to pay, and then the providers' books beside the hub's. It exits with 1 if
// anything was lost, doubled, stuck, unbalanced, or told wrongly to an app.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/superpayhub/superpay/hub/internal/chaos"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	ok, err := run(ctx)
	if err != nil {
		fmt.Fprintln(os.Stderr, "chaos:", err)
	}
	if err != nil || !ok {
		os.Exit(1)
	}
}

func run(ctx context.Context) (ok bool, err error) {
	o := chaos.Options{Seed: uint64(time.Now().Unix()), Orders: 10_000, Say: os.Stdout}
	for name, to := range map[string]*int{"ORDERS": &o.Orders, "ORDER": &o.Only, "EVERY": &o.Every, "WORKERS": &o.Workers, "ANSWERS": &o.Answers} {
		if text := os.Getenv(name); text != "" {
			if *to, err = strconv.Atoi(text); err != nil || *to < 1 {
				return false, fmt.Errorf("%s must be a number above 0", name)
			}
		}
	}
	if text := os.Getenv("SEED"); text != "" {
		if o.Seed, err = strconv.ParseUint(text, 10, 63); err != nil {
			return false, errors.New("SEED must be a number")
		}
	}
	o.BreakLaw = os.Getenv("BREAK_LAW")
	if text := os.Getenv("STORIES"); text != "" {
		if o.Stories = strings.Split(text, ";"); !chaos.Tells(o.Stories) {
			return false, errors.New("STORIES must be names of stories, separated by semicolons: see hub/internal/chaos/story.go")
		}
	}
	if text := os.Getenv("WITHOUT"); text != "" {
		o.Without = strings.Split(text, ";")
		if slices.ContainsFunc(o.Without, func(kind string) bool { return !slices.Contains(chaos.Kinds, kind) }) {
			return false, fmt.Errorf("WITHOUT must be some of %s, separated by semicolons", strings.Join(chaos.Kinds, ", "))
		}
	}
	program, err := os.Executable()
	if err != nil {
		return false, err
	}
	o.BinDir = filepath.Dir(program)
	if o.DataDir, err = os.MkdirTemp("", "superpay-chaos-"); err != nil {
		return false, err
	}
	log, err := os.Create(filepath.Join(os.TempDir(), "superpay-chaos.log"))
	if err != nil {
		return false, err
	}
	defer log.Close()
	o.LogWriter = log
	defer func() {
		if err != nil { // the database's own log is in there
			fmt.Println("the data folder is kept:", o.DataDir)
			return
		}
		err = os.RemoveAll(o.DataDir)
	}()
	fmt.Printf("SEED=%d; what all processes say is in %s\n", o.Seed, log.Name())
	report, err := chaos.Run(ctx, o)
	if report != nil {
		report.Print(os.Stdout)
	}
	return report != nil && len(report.Findings) == 0, err
}
