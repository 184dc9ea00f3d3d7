package main

import (
	"fmt"
	"slices"
	"strings"
)

// target is what a row has to show.
type target struct {
	work    string
	clients int
	beside  string // how the entry's name begins; the strongest of several counts
	least   float64
	goal    float64
}

// targets are ratios of the hub's rate to another's.
var targets = []target{
	{"callback", 128, "PostgreSQL alone", 0.60, 0.80},
	{"checkout", 32, "Express", 2.5, 4},
	{"checkout", 32, "plain Go", 1.1, 1.5},
}

// mostAdded is what the hub may add to a call of the provider by its library, at
// one client and without waiting for the disk; usually it should be mostWanted.
const mostAdded, mostWanted = 0.8, 0.5 // ms at the median

// printTargets tells which of what was measured is as it should be.
func printTargets(rows []*row) {
	for _, t := range targets {
		for _, r := range rows {
			if r.work != t.work || r.clients != t.clients {
				continue
			}
			var worst *spread
			for _, e := range r.entries[1:] {
				if s := r.over(e); strings.HasPrefix(e.name, t.beside) && (worst == nil || s.middle < worst.middle) {
					worst = &s
				}
			}
			if worst != nil {
				verdict(fmt.Sprintf("%s, %d clients, hub over %s", t.work, t.clients, t.beside), worst.middle, t.least, t.goal)
			}
		}
	}
	for _, r := range rows {
		if r.work == floorWork && len(r.entries) > 1 {
			// As ratios, so that one line tells all: more is better.
			a := r.adds(r.entries[1])
			fmt.Printf("%-58s %6.2f ms; wanted at most %.2f, the goal is %.2f: %s\n", "checkout not waiting for the disk, 1 client, added to the library's call",
				a.middle, mostAdded, mostWanted, word(a.middle <= mostWanted, a.middle <= mostAdded))
		}
	}
}

func verdict(what string, got, least, goal float64) {
	fmt.Printf("%-58s %6.2f; wanted at least %.2f, the goal is %.2f: %s\n", what, got, least, goal, word(got >= goal, got >= least))
}

func word(goal, least bool) string {
	switch {
	case goal:
		return "reached, the goal too"
	case least:
		return "reached"
	}
	return "NOT reached"
}

// printMemory tells what each process of the house holds by now.
func (b *bench) printMemory() {
	all := processes()
	for name, pid := range b.house.Pids() {
		if !strings.HasPrefix(name, "hub") {
			continue
		}
		var plugins []string
		for _, s := range all {
			if s.parent == pid {
				plugins = append(plugins, fmt.Sprintf("%d MB", s.memory>>20))
			}
		}
		slices.Sort(plugins)
		fmt.Printf("memory after %d requests: %s %d MB, its plugins %s\n", b.asked, name, all[pid].memory>>20, strings.Join(plugins, ", "))
	}
}
