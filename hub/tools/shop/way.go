package main

import (
	"context"
	"slices"
)

// inputPrefix starts the form names of a way's inputs: "input:stripe/charge:token".
func inputPrefix(way string) string { return "input:" + way + ":" }

// ways is how a payer can pay, as the hub's providers offer it.
type ways struct {
	List   []way
	Manual bool // one of them can reserve now and take later
	Ready  bool // one of them can be used
}

type way struct {
	Value, Title, Provider string
	Test, Manual, Checked  bool
	Closed                 string // why it cannot be chosen
	Inputs                 []wayInput
}

type wayInput struct {
	input
	Field string // its name in the form
	Fixed string // its value where this shop leaves no choice
}

// ways lists every flow of every provider that this shop was granted, so that
// a new plugin appears by itself.
func (s *shop) ways(ctx context.Context) (ways, error) {
	var page struct{ Data []provider }
	if err := s.hub.get(ctx, "/v1/providers", &page); err != nil {
		return ways{}, err
	}
	var all ways
	for _, p := range page.Data {
		for _, f := range p.Flows {
			if !names.MatchString(p.Name) || !names.MatchString(f.Name) || len(all.List) == 50 {
				continue
			}
			one := way{
				Value: p.Name + "/" + f.Name, Title: f.Title, Provider: p.Name, Test: p.Mode == "test",
				Manual: slices.Contains(f.CaptureModes, "manual"),
			}
			if one.Title == "" {
				one.Title = sentence(plain(f.Name))
			}
			switch {
			case p.Status == "down" || p.Status == "disabled":
				one.Closed = "not available right now"
			case slices.Contains(f.Capabilities, "browser"):
				one.Closed = "needs the provider's script, which this shop does not load"
			default:
				one.Checked = !all.Ready
				all.Ready, all.Manual = true, all.Manual || one.Manual
			}
			one.Inputs = wayInputs(one.Value, f.Inputs)
			all.List = append(all.List, one)
		}
	}
	return all, nil
}

func wayInputs(value string, inputs []input) []wayInput {
	var list []wayInput
	for _, in := range inputs {
		if !names.MatchString(in.Name) || len(list) == 20 {
			continue
		}
		w := wayInput{input: in, Field: inputPrefix(value) + in.Name}
		if w.Title == "" {
			w.Title = sentence(plain(in.Name))
		}
		if in.Name == "ui_mode" && slices.Contains(in.Options, "hosted") {
			w.Fixed = "hosted" // without JavaScript the payer goes to the provider's page
		}
		list = append(list, w)
	}
	return list
}
