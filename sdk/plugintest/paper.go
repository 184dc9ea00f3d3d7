package plugintest

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"regexp"
	"time"

	"github.com/superpayhub/superpay/sdk"
)

// Paper is exam.json: what the exam cannot know of a provider. Texts may hold
// placeholders:
//
//	{{sandbox_url}} {{sandbox_host}}       the stand-in's address, and its host and port
//	{{NAME}}                               what sandbox.fetch got
//	{{settings.NAME}}                      a setting above
//	{{attempt_id}} {{order_id}} {{return_url}} {{cancel_url}}
//	{{amount}} {{minor}} {{currency}}      "25.00", "2500", "USD"
//	{{next_action.url}} {{next_action.data}} {{next_action.client.NAME}}
//	{{ref.KIND}}                           a name of the payment
//	{{NAME}}                               what an earlier step kept
//	{{capture}} {{refund}} {{dispute}}     the payment's, in the steps of "then"
type Paper struct {
	// Settings configure the plugin for its stand-in.
	Settings map[string]string `json:"settings"`

	// WrongSettings are values that Configure must refuse, by field.
	WrongSettings map[string][]string `json:"wrong_settings,omitempty"`

	// LiveSettings are those of a live account, where they differ from Settings; an
	// empty one is left out. The plugin is only configured with them.
	LiveSettings map[string]string `json:"live_settings,omitempty"`

	// SearchPage is how many payments a page of the provider's search holds, by which
	// GetPayment finds one without refs; 10 if it is left out.
	SearchPage int `json:"search_page,omitempty"`

	// Sandbox says how the stand-in is reached and started: the path of its
	// address, and what its program is given by `hub plugin check --sandbox`.
	Sandbox struct {
		Path string            `json:"path,omitempty"`
		Args []string          `json:"args,omitempty"`
		Env  map[string]string `json:"env,omitempty"`

		// Fetch gets placeholders for the settings from paths of the stand-in
		// that runs: a certificate.
		Fetch map[string]string `json:"fetch,omitempty"`
	} `json:"sandbox,omitzero"`

	// IgnorePaths are prefixes of requests that ask for nothing but leave to
	// ask: an access token.
	IgnorePaths []string `json:"ignore_paths,omitempty"`

	// Amount is paid where no other matters; 25.00 USD if it is left out.
	Amount sdk.Money `json:"amount,omitzero"`

	// Amounts are paid or rejected exactly; there are defaults of currencies
	// with 0, 2 and 3 decimals.
	Amounts []sdk.Money `json:"amounts,omitempty"`

	// CallbackAge is how old a callback may be when it arrives, "1h" if it is
	// left out, "any" if the provider signs no time.
	CallbackAge string `json:"callback_age,omitempty"`

	// Flows say how a payer pays, by flow. A flow with several ways to go has a
	// name for each behind a colon: "apple_pay:legacy".
	Flows map[string]*FlowPaper `json:"flows"`
}

// ReadPaper reads an exam.json.
func ReadPaper(path string) (*Paper, error) { return readPaper(path) }

func readPaper(path string) (*Paper, error) {
	path = cmp.Or(path, "exam.json")
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	p := &Paper{Amount: sdk.Money{Amount: 2500, Currency: "USD", Exponent: 2}, Amounts: usualAmounts, SearchPage: usualPage}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields() // a misspelt case would never be asked
	if err := d.Decode(p); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	for name, f := range p.Flows {
		if f == nil || f.Success == nil || f.Decline == nil {
			return nil, fmt.Errorf("%s: flow %s needs a success and a decline", path, name)
		}
	}
	if len(p.Flows) == 0 {
		return nil, fmt.Errorf("%s: no flow", path)
	}
	if _, _, err := p.callbackAge(); err != nil {
		return nil, fmt.Errorf("%s: callback_age: %w", path, err)
	}
	return p, nil
}

const usualPage = 10 // payments of a search

// usualAmounts have 0, 2 and 3 decimals, those that providers count otherwise
// than ISO 4217, and digits that some cannot take. None is below a usual minimum.
var usualAmounts = []sdk.Money{
	{Amount: 1050, Currency: "JPY", Exponent: 0},
	{Amount: 1999, Currency: "EUR", Exponent: 2},
	{Amount: 12340, Currency: "KWD", Exponent: 3},
	{Amount: 12345, Currency: "KWD", Exponent: 3},
	{Amount: 2500, Currency: "ISK", Exponent: 0},
	{Amount: 250000, Currency: "HUF", Exponent: 2},
	{Amount: 250050, Currency: "HUF", Exponent: 2},
	{Amount: 100000, Currency: "TWD", Exponent: 2},
	{Amount: 100050, Currency: "TWD", Exponent: 2},
}

// callbackAge is the limit; limited is false if there is none.
func (p *Paper) callbackAge() (age time.Duration, limited bool, err error) {
	if p.CallbackAge == "any" {
		return 0, false, nil
	}
	age, err = time.ParseDuration(cmp.Or(p.CallbackAge, "1h"))
	return age, true, err
}

// settings fills in the provider's address and what else is known.
func (p *Paper) settings(sandboxURL string, known map[string]string) (sdk.Settings, error) {
	vars := maps.Clone(known)
	vars["sandbox_url"] = sandboxURL
	out := sdk.Settings{}
	for _, name := range sorted(p.Settings) {
		value, err := fill(p.Settings[name], vars)
		if err != nil {
			return nil, fmt.Errorf("exam.json: setting %s: %w", name, err)
		}
		out[name] = value
	}
	return out, nil
}

// Start is what the stand-in's program is given: arguments and environment.
func (p *Paper) Start() (args, env []string, err error) {
	vars := map[string]string{}
	for name, value := range p.Settings {
		vars["settings."+name] = value
	}
	for _, a := range p.Sandbox.Args {
		filled, err := fill(a, vars)
		if err != nil {
			return nil, nil, fmt.Errorf("exam.json: sandbox.args: %w", err)
		}
		args = append(args, filled)
	}
	for _, name := range sorted(p.Sandbox.Env) {
		filled, err := fill(p.Sandbox.Env[name], vars)
		if err != nil {
			return nil, nil, fmt.Errorf("exam.json: sandbox.env: %w", err)
		}
		env = append(env, name+"="+filled)
	}
	return args, env, nil
}

var placeholder = regexp.MustCompile(`\{\{\s*([A-Za-z0-9_.]+)\s*\}\}`)

// fill replaces placeholders. One without a value is an error, not an empty text.
func fill(text string, vars map[string]string) (string, error) {
	var missing []error
	text = placeholder.ReplaceAllStringFunc(text, func(m string) string {
		name := placeholder.FindStringSubmatch(m)[1]
		value, ok := vars[name]
		if !ok {
			missing = append(missing, fmt.Errorf("nothing is known for {{%s}}; known are %q", name, sorted(vars)))
		}
		return value
	})
	return text, errors.Join(missing...)
}
