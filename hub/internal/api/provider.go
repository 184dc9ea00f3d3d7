package api

import (
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
	Capabilities  []string `json:"capabilities"`
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
