package chaos

import (
	"math/rand/v2"
	"slices"

	"github.com/superpayhub/superpay/sdk/plugintest/standin"
)

// drawMore makes the draws that were added later. They come after all others,
// and a new one goes to the end, so that the earlier draws of a seed stay what
// they were.
func (p *plan) drawMore(r *rand.Rand, c Options) {
	p.drawScenario(r, c.Stories)
	p.drawCurrency(r)
	p.drawLoss(r)
	p.drawStale(r, c)
	p.drawCrash(r)
	p.drawLie(r, c)
}

// newScenarios is how many of the orders live one of the newer scenarios.
const newScenarios = 0.15

// drawScenario replaces the scenario by one of the newer ones, and the way to
// pay by one that fits.
func (p *plan) drawScenario(r *rand.Rand, only []string) {
	wanted := slices.DeleteFunc(slices.Clone(scenarios), func(s story) bool {
		return len(only) > 0 && !slices.Contains(only, s.name)
	})
	dice, which := r.Float64(), r.IntN(1<<20)
	older := slices.ContainsFunc(stories, func(s story) bool { return slices.Contains(only, s.name) })
	if len(wanted) == 0 || dice >= newScenarios && (older || len(only) == 0) {
		return
	}
	p.story = weighted(wanted, which)
	for !p.story.fits(p.way) {
		p.way = &ways[r.IntN(len(ways))]
	}
	for i := range p.faults {
		p.faults[i].at = p.story.steps[r.IntN(len(p.story.steps))]
	}
	p.crashAt = p.story.steps[r.IntN(len(p.story.steps))]
}

// weighted picks a scenario by a number.
func weighted(all []story, number int) *story {
	total := 0
	for _, s := range all {
		total += s.weight
	}
	number %= total
	for i := range all {
		number -= all[i].weight
		if number < 0 {
			return &all[i]
		}
	}
	return &all[0] // not reached
}

// grains are currencies that the providers count in another way than ISO 4217,
// with the multiple of its minor unit that the provider takes: KWD must end in
// 0 and ISK has two digits at Stripe, HUF and TWD have no decimals at PayPal.
var grains = map[string]map[string]int64{
	"stripe": {"KWD": 10, "ISK": 1},
	"paypal": {"HUF": 100, "TWD": 100},
}

// otherCurrencies is how many of the orders are in one of them.
const otherCurrencies = 0.15

// drawCurrency puts the order in another currency, if its second attempt is
// with the same provider: the other one does not take all of them.
func (p *plan) drawCurrency(r *rand.Rand) {
	dice, first := r.Float64(), r.IntN(2) == 0
	if dice >= otherCurrencies || p.other.provider != p.way.provider {
		return
	}
	offers := p.way.currencies()
	p.currency = pick(first, offers[0], offers[1])
	p.grain = grains[p.way.provider][p.currency]
	p.amount *= p.grain
	for i := range p.parts {
		p.parts[i] *= p.grain
	}
}

// currencies are those of grains that a way to pay offers.
func (w *way) currencies() []string {
	var codes []string
	for code := range grains[w.provider] {
		codes = append(codes, code)
	}
	slices.Sort(codes)
	return codes
}

// drawLoss has the order's callbacks lost for good, where the hub finds out by
// itself what they would have told: it reads what is not settled yet. What is
// done at the provider to a settled payment is only found by the daily list, and
// so is a payment that the payer's browser made and that nobody named.
func (p *plan) drawLoss(r *rand.Rand) {
	named := p.way.flow != "client" && p.other.flow != "client"
	if r.Float64() < 0.08 && named && !slices.Contains(unasked, p.story.name) {
		p.callbacks = &standin.Fault{Action: standin.Lose, Callback: "*"}
	}
}

// lags are for how long the reads of an order answer as before a change: by the
// hubs' clock half a minute, and five minutes.
var lags = []int{300, 3000}

// drawStale has the reads of the order lag behind its changes.
func (p *plan) drawStale(r *rand.Rand, c Options) {
	dice, lag := r.Float64(), lags[r.IntN(len(lags))]
	if dice < 0.12 && c.has(Stale) {
		p.lags = true
		p.faults = append(p.faults, fault{at: atRead, rule: standin.Fault{Action: standin.Stale, DelayMS: lag}})
	}
}

// drawCrash has some of the crashes be one of the newer kinds.
func (p *plan) drawCrash(r *rand.Rand) {
	dice, which := r.Float64(), r.IntN(1<<20)
	if p.crash.does != nil && dice < 0.25 {
		p.crash = newerCrashes[which%len(newerCrashes)]
	}
}

// drawLie has one answer of the provider contradict what happened.
func (p *plan) drawLie(r *rand.Rand, c Options) {
	dice, what := r.Float64(), lies[r.IntN(len(lies))]
	at := p.story.steps[r.IntN(len(p.story.steps))]
	if dice < 0.04 && c.has(Contradicting) {
		p.lie = what
		p.faults = append(p.faults, fault{at: at, rule: standin.Fault{Action: standin.Replace}})
	}
}
