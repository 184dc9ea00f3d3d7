package plugintest

import (
	"cmp"
	"errors"
	"maps"
	"reflect"
	"regexp"
	"slices"

	"github.com/superpayhub/superpay/sdk"
	"github.com/superpayhub/superpay/sdk/plugin"
)

func describeConstant(s *sheet) {
	ctx, cancel := s.within(patience)
	defer cancel()
	again, err := plugin.Connect(ctx, s.client.Conn())
	s.must("Describe", err)
	other := s.another(s.wire.url)
	for where, d := range map[string]sdk.Description{
		"called again, after Configure,": again.Describe(), "in another process": other.client.Describe(),
	} {
		if !reflect.DeepEqual(d, s.description) {
			s.Errorf("Describe %s answers %+v, at first it was %+v", where, d, s.description)
		}
	}
}

var (
	snake    = regexp.MustCompile(`^[a-z][a-z0-9]*(_[a-z0-9]+)*$`)
	currency = regexp.MustCompile(`^[A-Z]{3}$`)
	country  = regexp.MustCompile(`^[A-Z]{2}$`)
)

func describeWellFormed(s *sheet) {
	d := s.description
	if !snake.MatchString(d.Name) || d.Title == "" || d.Version == "" {
		s.Errorf("the plugin needs a name in snake_case, a title and a version: %q, %q, %q", d.Name, d.Title, d.Version)
	}
	if len(d.Flows) == 0 {
		s.Errorf("the plugin has no flow")
	}
	s.fields("setting", d.Settings)
	seen := map[string]bool{}
	for _, f := range d.Flows {
		if seen[f.Name] {
			s.Errorf("flow %s is there twice", f.Name)
		}
		seen[f.Name] = true
		s.wellFormed(f)
	}
	for _, kind := range slices.Sorted(maps.Keys(d.Repeats)) {
		if r := d.Repeats[kind]; r.Deduplicated && r.KeyLifetime <= 0 || r.KeyLifetime < 0 || r.Settling < 0 {
			s.Errorf("repeats of %s: %+v: keys that are deduplicated live for some time", kind, r)
		}
	}
}

func (s *sheet) wellFormed(f sdk.Flow) {
	if !snake.MatchString(f.Name) || f.Title == "" {
		s.Errorf("flow %q needs a name in snake_case and a title, %q", f.Name, f.Title)
	}
	s.fields("input of "+f.Name, f.Inputs)
	s.fields("confirm input of "+f.Name, f.Confirm)
	if len(f.CaptureModes) == 0 {
		s.Errorf("flow %s has no capture mode", f.Name)
	}
	for _, m := range f.CaptureModes {
		if m != sdk.CaptureAutomatic && m != sdk.CaptureManual {
			s.Errorf("flow %s: there is no capture mode %q", f.Name, m)
		}
	}
	for _, c := range f.Currencies {
		if !currency.MatchString(c) {
			s.Errorf("flow %s: %q is no ISO 4217 code", f.Name, c)
		}
	}
	for _, r := range f.Amounts {
		one := r.Least.Amount == 0 || r.Most.Amount == 0 || r.Least.Currency == r.Most.Currency
		if !one || !currency.MatchString(cmp.Or(r.Least.Currency, r.Most.Currency)) || !r.Holds(r.Least) || r.Least.Amount < 0 || r.Most.Amount < 0 {
			s.Errorf("flow %s: %+v is no range of one currency", f.Name, r)
		}
	}
	for _, c := range f.Countries {
		if !country.MatchString(c) {
			s.Errorf("flow %s: %q is no country's code of ISO 3166-1", f.Name, c)
		}
	}
	manual := slices.Contains(f.CaptureModes, sdk.CaptureManual)
	for _, c := range f.Capabilities {
		if !slices.Contains(capabilities, c) {
			s.Errorf("flow %s: there is no capability %q", f.Name, c)
		}
	}
	for what, contradiction := range map[string]bool{
		"manual capture mode without the capability capture, or the reverse": manual != f.Can(sdk.CanCapture),
		"capture_part without capture":                                       f.Can(sdk.CanCapturePart) && !f.Can(sdk.CanCapture),
		"refund_part without refund":                                         f.Can(sdk.CanRefundPart) && !f.Can(sdk.CanRefund),
		"continue without confirm":                                           f.Can(sdk.ContinuesItself) && !f.Can(sdk.CanConfirm),
		"return without confirm":                                             f.Can(sdk.TakesReturn) && !f.Can(sdk.CanConfirm),
		"inputs of Confirm without the capability":                           len(f.Confirm) > 0 && !f.Can(sdk.CanConfirm),
	} {
		if contradiction {
			s.Errorf("flow %s: %s", f.Name, what)
		}
	}
}

var capabilities = []sdk.Capability{
	sdk.CanConfirm, sdk.CanCapture, sdk.CanCapturePart, sdk.CanCancel, sdk.CanRefund, sdk.CanRefundPart,
	sdk.ContinuesItself, sdk.TakesReturn, sdk.PayerActs, sdk.CreatedByBrowser,
}

func (s *sheet) fields(what string, fields []sdk.Field) {
	seen := map[string]bool{}
	for _, f := range fields {
		switch {
		case !snake.MatchString(f.Name) || f.Title == "":
			s.Errorf("%s %q needs a name in snake_case and a title, %q", what, f.Name, f.Title)
		case seen[f.Name]:
			s.Errorf("%s %s is there twice", what, f.Name)
		case f.Secret && f.Public:
			s.Errorf("%s %s is secret and public", what, f.Name)
		case f.Secret && f.Default != "":
			s.Errorf("%s %s is secret and has a default", what, f.Name)
		case f.Default != "" && len(f.Options) > 0 && !slices.Contains(f.Options, f.Default):
			s.Errorf("%s %s: the default %q is none of the options %q", what, f.Name, f.Default, f.Options)
		case f.MaxLen < 0:
			s.Errorf("%s %s: the greatest length is negative", what, f.Name)
		}
		seen[f.Name] = true
	}
}

// describeCapabilities asks every optional method for something that cannot be
// done: only one that is missing says that it is not offered.
func describeCapabilities(s *sheet) {
	named := sdk.PaymentRequest{AttemptID: s.id("att"), InstanceID: instance, Amount: s.exam.paper.Amount}
	asks := map[sdk.Capability]func(sdk.PaymentRequest) error{
		sdk.CanConfirm: func(r sdk.PaymentRequest) error {
			ctx, cancel := s.within(patience)
			defer cancel()
			_, err := s.client.Confirm(ctx, sdk.ConfirmRequest{PaymentRequest: r, Key: s.id("op")})
			return err
		},
		sdk.CanCapture: func(r sdk.PaymentRequest) error {
			ctx, cancel := s.within(patience)
			defer cancel()
			_, err := s.client.Capture(ctx, sdk.CaptureRequest{PaymentRequest: r, Key: s.id("op"), Capture: r.Amount})
			return err
		},
		sdk.CanCancel: func(r sdk.PaymentRequest) error {
			ctx, cancel := s.within(patience)
			defer cancel()
			_, err := s.client.Cancel(ctx, sdk.CancelRequest{PaymentRequest: r, Key: s.id("op")})
			return err
		},
		sdk.CanRefund: func(r sdk.PaymentRequest) error {
			ctx, cancel := s.within(patience)
			defer cancel()
			_, err := s.client.Refund(ctx, sdk.RefundRequest{PaymentRequest: r, Key: s.id("op"), RefundID: s.id("ref"), Refund: r.Amount})
			return err
		},
	}
	for capability, ask := range asks {
		named.Flow = "exam_no_such_flow"
		offered := slices.IndexFunc(s.description.Flows, func(f sdk.Flow) bool { return f.Can(capability) })
		if offered >= 0 {
			named.Flow = s.description.Flows[offered].Name
		}
		switch missing := notOffered(ask(named)); {
		case offered >= 0 && missing:
			s.Errorf("flow %s says %s, and the plugin does not implement it", named.Flow, capability)
		case offered < 0 && !missing:
			s.Errorf("the plugin implements what %s needs, and no flow says so", capability)
		}
	}
}

// notOffered recognises package plugin's answer for a method that is missing.
func notOffered(err error) bool {
	var r *sdk.RejectedError
	return errors.As(err, &r) && r.Failure == sdk.Failure{Code: sdk.FailureState, Message: "not offered by this plugin"}
}

func examComplete(s *sheet) {
	asked := map[string]bool{}
	for _, name := range sorted(s.exam.paper.Flows) {
		f, ok := s.exam.flow(name)
		if !ok {
			s.Logf("exam.json has %s, which is no flow of the plugin", name)
		}
		asked[f.Name] = true
	}
	for _, f := range s.description.Flows {
		if !asked[f.Name] {
			s.Errorf("exam.json has no flow %s", f.Name)
		}
	}
}
