package chaos

import (
	"math/rand/v2"
	"slices"

	"github.com/superpayhub/superpay/sdk/plugintest/standin"
)

// plan is all that is decided about an order before its life begins: by the
// seed and its number alone, so that neither concurrency nor the number of
// orders changes it.
type plan struct {
	way      *way
	other    *way // of a second attempt
	story    *story
	amount   int64
	currency string
	grain    int64    // the amounts are multiples of it
	parts    [3]int64 // of the amount, for captures and refunds
	dice     [4]float64

	faults    []fault
	callbacks *standin.Fault // what becomes of the order's callbacks, but for whom they are about
	forged    bool
	lags      bool   // reads of it lag behind its changes
	lie       string // how an answer contradicts what happened; "" is not at all
	hasty     bool   // the app gives up waiting and repeats
	brisk     bool   // the app takes a 409 to its first request for a no, and asks with a new key
	crash     crash
	crashAt   step
}

// step is a point of an order's life at which something can go wrong.
type step string

const (
	atCreate  step = "create"
	atConfirm step = "confirm"
	atCapture step = "capture"
	atCancel  step = "cancel"
	atRefund  step = "refund"
	atRead    step = "read"
)

// fault is one that bites a call of the hub to the provider.
type fault struct {
	at   step
	rule standin.Fault
}

// rules are the faults of calls. Each is as likely as another.
var rules = []standin.Fault{
	{Action: standin.DropBefore},
	{Action: standin.DropAfter},
	{Action: standin.DropAfter, DelayMS: 300},
	{Action: standin.Delay, DelayMS: 500},
	{Action: standin.Delay, DelayMS: 2200}, // longer than the hub waits
	{Action: standin.Status, StatusCode: 429, Body: `{}`},
	{Action: standin.Status, StatusCode: 500, Body: `{}`},
	{Action: standin.Status, StatusCode: 503},
	{Action: standin.Cut},
	{Action: standin.Empty},
	{Action: standin.HTML},
}

// tricks are what becomes of an order's callbacks. What is withheld comes when
// everything heals.
var tricks = []standin.Fault{
	{Action: standin.Withhold},
	{Action: standin.Duplicate, Count: 3},
	{Action: standin.Reorder, Count: 3},
	{Action: standin.Reorder, Count: 2},
	{Action: standin.Postpone, DelayMS: 700},
}

func planOf(c Options, n int) plan {
	r := rand.New(rand.NewPCG(c.Seed, uint64(n)))
	p := plan{way: &ways[r.IntN(len(ways))], other: &ways[r.IntN(len(ways))]}
	older := slices.DeleteFunc(slices.Clone(c.Stories), func(name string) bool { return !named(stories, name) })
	for p.story = pickStory(r, p.way, older); p.story == nil; p.story = pickStory(r, p.way, older) {
		p.way = &ways[r.IntN(len(ways))]
	}
	p.amount = 1000 + r.Int64N(9000)
	p.grain = 1
	p.currency = []string{"USD", "USD", "EUR", "JPY"}[r.IntN(4)]
	for i := range p.parts {
		p.parts[i] = 1 + r.Int64N(p.amount/3-3) + int64(i) // they may be equal
	}
	for i := range p.dice {
		p.dice[i] = r.Float64()
	}
	p.hasty = r.Float64() < 0.06
	p.forged = r.Float64() < 0.06
	if r.Float64() < c.Rate {
		at := p.story.steps[r.IntN(len(p.story.steps))]
		for range 1 + r.IntN(2) { // sometimes the repeat fails as well
			rule := rules[r.IntN(len(rules))]
			rule.Times = 1
			p.faults = append(p.faults, fault{at, rule})
		}
	}
	// Where calls fail callbacks often do not come either.
	if r.Float64() < 0.12 || len(p.faults) > 0 && r.Float64() < 0.4 {
		trick := tricks[r.IntN(len(tricks))]
		if len(p.faults) > 0 {
			trick = tricks[0]
		}
		trick.Callback, trick.Seed = "*", r.Uint64N(1000)
		p.callbacks = &trick
	}
	p.crashAt = p.story.steps[r.IntN(len(p.story.steps))]
	p.brisk = r.Float64() < 0.1
	if turn := n / c.Every; n%c.Every == 0 {
		order := rand.New(rand.NewPCG(c.Seed, 0)).Perm(len(crashes))
		p.crash = crashes[order[turn%len(crashes)]]
	}
	p.drawMore(r, c)
	return p
}
