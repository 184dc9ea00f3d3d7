package api

import (
	"cmp"
	"context"
	"slices"

	"github.com/gofiber/fiber/v2"

	"github.com/superpayhub/superpay/sdk"
)

// Provider is what an app may know of a configured provider.
type Provider struct {
	Name     string            `json:"name"`
	Plugin   string            `json:"plugin"`
	Title    string            `json:"title"`
	Mode     string            `json:"mode" doc:"live or test; empty until it was up"`
	Status   string            `json:"status" enum:"up,starting,down,disabled"`
	Flows    []Flow            `json:"flows"`
	Settings map[string]string `json:"settings" doc:"The public ones, as a publishable key"`
}

// Flow is a way of paying.
type Flow struct {
	Name          string   `json:"name"`
	Title         string   `json:"title"`
	Inputs        []Input  `json:"inputs"`
	ConfirmInputs []Input  `json:"confirm_inputs"`
	CaptureModes  []string `json:"capture_modes"`
	Currencies    []string `json:"currencies" doc:"Empty: whatever the provider accepts"`
	Amounts       []Range  `json:"amounts" doc:"What the provider takes at least and at most, by currency; one that is not here it judges by itself"`
	Countries     []string `json:"countries" doc:"Of the payers that can pay in this way (ISO 3166-1 alpha-2); empty: all, or the provider decides"`
	Capabilities  []string `json:"capabilities"`
}

// Range is the least and the most amount that a flow takes in one currency.
type Range struct {
	Currency string `json:"currency" doc:"ISO 4217" example:"USD"`
	Least    int64  `json:"least" doc:"In minor units; 0: no bound"`
	Most     int64  `json:"most" doc:"In minor units; 0: no bound"`
}

// Input is one input of a flow.
type Input struct {
	Name     string   `json:"name"`
	Title    string   `json:"title"`
	Help     string   `json:"help,omitempty"`
	Required bool     `json:"required"`
	Options  []string `json:"options,omitempty"`
	Default  string   `json:"default,omitempty"`
}

// ProviderList is all providers that the app may use.
type ProviderList struct {
	Body struct {
		Data []Provider `json:"data"`
	}
}

func (s *server) listProviders(ctx context.Context, _ *struct{}) (*ProviderList, error) {
	granted := caller(ctx, "").App.Providers
	out := &ProviderList{}
	out.Body.Data = []Provider{}
	for _, p := range s.Providers.All() {
		if !slices.Contains(granted, "*") && !slices.Contains(granted, p.Name()) {
			continue
		}
		st, d := p.State(), p.Description()
		row := Provider{
			Name: p.Name(), Plugin: p.Plugin(), Title: d.Title, Mode: string(st.Mode), Status: st.Status,
			Flows: []Flow{}, Settings: p.PublicSettings(),
		}
		for _, f := range d.Flows {
			row.Flows = append(row.Flows, Flow{
				Name: f.Name, Title: f.Title, Inputs: inputs(f.Inputs), ConfirmInputs: inputs(f.Confirm),
				CaptureModes: texts(f.CaptureModes), Currencies: texts(f.Currencies), Capabilities: texts(f.Capabilities),
				Amounts: ranges(f.Amounts), Countries: texts(f.Countries),
			})
		}
		out.Body.Data = append(out.Body.Data, row)
	}
	return out, nil
}

// appleDomain proves to Apple that this domain may show Apple Pay on the web,
// with the text that the provider's dashboard gave. It is at the root whatever
// the base path, because Apple looks nowhere else.
func (s *server) appleDomain(c *fiber.Ctx) error {
	for _, p := range s.Providers.All() {
		if text := p.PublicSettings()["apple_pay_domain_association"]; text != "" {
			c.Set(fiber.HeaderContentType, fiber.MIMETextPlainCharsetUTF8)
			return c.SendString(text)
		}
	}
	return newProblem(fiber.StatusNotFound, "not_found", "no provider has the setting apple_pay_domain_association").write(c)
}

// ranges writes ranges in the minor units of ISO 4217, as orders have them.
func ranges(all []sdk.Range) []Range {
	out := []Range{}
	for _, r := range all {
		row := Range{Currency: cmp.Or(r.Least.Currency, r.Most.Currency)}
		exponent, known := sdk.Exponent(row.Currency)
		least, errLeast := r.Least.Rescale(exponent)
		most, errMost := r.Most.Rescale(exponent)
		if known && errLeast == nil && errMost == nil {
			row.Least, row.Most = least.Amount, most.Amount
			out = append(out, row)
		}
	}
	return out
}

func inputs(fields []sdk.Field) []Input {
	out := []Input{}
	for _, f := range fields {
		out = append(out, Input{f.Name, f.Title, f.Help, f.Required, f.Options, f.Default})
	}
	return out
}

func texts[T ~string](in []T) []string {
	out := []string{}
	for _, v := range in {
		out = append(out, string(v))
	}
	return out
}
