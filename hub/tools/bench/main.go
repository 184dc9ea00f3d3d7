// Command bench measures the hub beside what people would use instead: the
// provider called directly, PostgreSQL alone, an integration in plain Go and
// one in Node. It starts all of them itself, on one machine, runs them in
// alternation, and prints ratios: what a machine does in a second says little,
// how the same second was shared says more.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// options are the flags.
type options struct {
	rows    []string
	clients []int
	rounds  int
	long    time.Duration
	alone   bool   // only the hub
	beside  string // only the hub, and another build of it
	bin     string // the programs' folder
	million int    // operations after which memory is looked at
	sizes   []int
	hubs    int
	env     []string // more of it for the hubs
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == "plain" {
		fail(servePlain())
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	o, err := parse(os.Args[1:])
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err == nil {
		err = run(ctx, o)
	}
	if ctx.Err() == nil {
		fail(err)
	}
}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

type work struct {
	name string
	row  func(*bench, int) *row
	// own measures and prints something else than rows; it takes minutes, and is
	// done only when it is named.
	own func(context.Context, *bench) error
}

// clients are those to measure the work with; its floor is a matter of one.
func (w work) clients(o options) []int {
	if w.name == "floor" {
		return []int{1}
	}
	return o.clients
}

// works are the rows, in the order in which they are measured.
var works = []work{
	{name: "floor", row: (*bench).floorRow},
	{name: "checkout", row: (*bench).checkoutRow},
	{name: "callback", row: (*bench).callbackRow},
	{name: "refund", row: (*bench).refundRow},
	{name: "read", row: (*bench).readRow},
	{name: "list", row: (*bench).listRow},
	{name: "hubs", own: severalHubs},
	{name: "overload", own: overload},
	{name: "strangers", own: strangers},
	{name: "memory", own: memory},
	{name: "growth", own: growth},
}

func parse(args []string) (o options, err error) {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	rows := flags.String("rows", "", "only these, separated by commas: "+knownRows()+"; the last five only if they are named")
	clients := flags.String("clients", "1,32,128", "how many ask at the same time")
	short := flags.Bool("short", false, "fewer and shorter rounds: a first impression")
	flags.BoolVar(&o.alone, "alone", false, "only the hub, nothing beside it: for profiles")
	flags.StringVar(&o.beside, "beside", "", "a `folder` with another build of the programs: only the hub, and that one's, each on a schema that it made itself, in one PostgreSQL")
	flags.IntVar(&o.rounds, "rounds", 3, "how often each is measured")
	flags.DurationVar(&o.long, "long", 1200*time.Millisecond, "how long a round is")
	flags.IntVar(&o.million, "operations", 1_000_000, "of the row memory")
	sizes := flags.String("orders", "0,1000000,3000000,10000000", "of the row growth: how many are there")
	if err = flags.Parse(args); err != nil {
		return o, err
	}
	program, err := os.Executable()
	if err != nil {
		return o, err
	}
	o.bin = filepath.Dir(program)
	if *short {
		o.rounds, o.long = 3, 700*time.Millisecond
	}
	if o.clients, err = numbers("clients", *clients, 1, 1000); err != nil {
		return o, err
	}
	if o.sizes, err = numbers("orders", *sizes, 0, 100_000_000); err != nil {
		return o, err
	}
	for _, w := range works {
		if w.row != nil {
			o.rows = append(o.rows, w.name)
		}
	}
	if *rows != "" {
		o.rows = strings.Split(*rows, ",")
	}
	for _, name := range o.rows {
		if known := knownRows(); !slices.ContainsFunc(works, func(w work) bool { return w.name == name }) {
			return o, fmt.Errorf("-rows %s: no such row; there are %s", name, known)
		}
		if o.beside != "" && slices.ContainsFunc(works, func(w work) bool { return w.name == name && w.own != nil }) {
			return o, fmt.Errorf("-rows %s: it measures one build alone, without -beside", name)
		}
	}
	return o, nil
}

func numbers(flag, list string, least, most int) (all []int, err error) {
	for _, text := range strings.Split(list, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(text))
		if err != nil || n < least || n > most {
			return nil, fmt.Errorf("-%s %s: want numbers from %d to %d, separated by commas", flag, list, least, most)
		}
		all = append(all, n)
	}
	return all, nil
}

func knownRows() string {
	var names []string
	for _, w := range works {
		names = append(names, w.name)
	}
	return strings.Join(names, ", ")
}

func (o options) wants(row string) bool {
	return slices.Contains(o.rows, row)
}

func run(ctx context.Context, o options) error {
	fmt.Printf("%d cores shared by load, hub, plugins, provider and PostgreSQL; durable commits; medians of %d rounds of %s in alternation.\n",
		runtime.NumCPU(), o.rounds, o.long)
	// The rows let all clients in; what is refused else is the matter of overload.
	o.env = append(o.env, "HUB_SERVER__MAX_ACTIVE=1000")
	b, err := stand(ctx, o)
	if err != nil {
		return err
	}
	defer b.end()
	other := &bench{}
	if !o.alone && o.beside == "" {
		if err := b.startRivals(ctx); err != nil {
			return err
		}
	}
	if o.beside == "" {
		err = b.takeTemplates(ctx)
	} else {
		other, err = b.another(ctx)
		defer other.end()
	}
	if err != nil {
		return err
	}
	fmt.Println("CPU and db: of the programs and of PostgreSQL, for each request. MB: the largest process.")
	fmt.Println()
	var rows []*row
	for _, w := range works {
		if !o.wants(w.name) || ctx.Err() != nil {
			continue
		}
		if w.own != nil {
			if err := w.own(ctx, b); err != nil {
				return fmt.Errorf("%s: %w", w.name, err)
			}
			continue
		}
		for _, clients := range w.clients(o) {
			if ctx.Err() != nil {
				continue
			}
			r := w.row(b, clients)
			if o.alone || o.beside != "" {
				r.entries = r.entries[:1]
			}
			if o.beside != "" {
				r.besides(w.row(other, clients))
			}
			err := b.measure(ctx, r)
			if err == nil && o.beside != "" {
				err = b.countTrips(ctx, r)
			}
			if err != nil {
				return fmt.Errorf("%s, %d clients: %w", w.name, clients, err)
			}
			r.print()
			rows = append(rows, r)
		}
	}
	b.printMemory()
	if o.beside == "" {
		printTargets(rows)
	}
	return ctx.Err()
}
