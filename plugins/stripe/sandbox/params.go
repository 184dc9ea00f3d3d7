package sandbox

import (
	"net/mail"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// params reads a request's bracketed form. Whatever was not asked for by the
// time done is called is unknown, as strict as Stripe: a misspelt parameter
// must not pass for one that is honoured.
type params struct {
	values url.Values
	read   map[string]bool
	first  *apiError
}

func newParams(values url.Values) *params {
	return &params{values: values, read: map[string]bool{}}
}

// done returns what is wrong with the request. Handlers call it before they
// change anything.
func (p *params) done() *apiError {
	var unknown []string
	for name := range p.values {
		if !p.read[name] {
			unknown = append(unknown, name)
		}
	}
	if len(unknown) > 0 {
		name := slices.Min(unknown)
		return invalid("parameter_unknown", name, "Received unknown parameter: %s", name)
	}
	return p.first
}

func (p *params) fail(e *apiError) {
	if p.first == nil {
		p.first = e
	}
}

func (p *params) has(name string) bool { return p.values.Has(name) }

func (p *params) text(name string, limit int) string {
	p.read[name] = true
	value := p.values.Get(name)
	if utf8.RuneCountInString(value) > limit {
		p.fail(invalid("parameter_invalid_string_too_long", name, "Invalid string: must be at most %d characters", limit))
	}
	return value
}

// email is an address, which Stripe refuses unless it looks like one.
func (p *params) email(name string) string {
	value := p.text(name, 512)
	at, err := mail.ParseAddress(value)
	_, domain, _ := strings.Cut(value, "@")
	if value != "" && (err != nil || at.Address != value || !strings.Contains(strings.Trim(domain, "."), ".")) {
		p.fail(invalid("email_invalid", name, "Invalid email address: %s", value))
	}
	return value
}

func (p *params) required(name string, limit int) string {
	value := p.text(name, limit)
	if !p.has(name) {
		p.fail(invalid("parameter_missing", name, "Missing required param: %s.", name))
	} else if value == "" {
		p.fail(invalid("parameter_invalid_empty", name, "You passed an empty string for '%s'.", name))
	}
	return value
}

// integer returns the value and whether it was sent at all.
func (p *params) integer(name string) (int64, bool) {
	p.read[name] = true
	if !p.has(name) {
		return 0, false
	}
	n, err := strconv.ParseInt(p.values.Get(name), 10, 64)
	if err != nil {
		p.fail(invalid("parameter_invalid_integer", name, "Invalid integer: %s", p.values.Get(name)))
	}
	return n, true
}

func (p *params) requiredInteger(name string) int64 {
	n, sent := p.integer(name)
	if !sent {
		p.fail(invalid("parameter_missing", name, "Missing required param: %s.", name))
	}
	return n
}

func (p *params) boolean(name string, otherwise bool) bool {
	p.read[name] = true
	switch value := p.values.Get(name); {
	case !p.has(name):
		return otherwise
	case value == "true":
		return true
	case value != "false":
		p.fail(invalid("", name, "Invalid boolean: %s", value))
	}
	return false
}

func (p *params) oneOf(name, otherwise string, allowed ...string) string {
	value := p.text(name, 5000)
	if !p.has(name) {
		return otherwise
	}
	if !slices.Contains(allowed, value) {
		p.fail(invalid("", name, "Invalid %s: must be one of %s", name, strings.Join(allowed, ", ")))
	}
	return value
}

// address is a URL the payer will be sent to: absolute and http(s), so that a
// page never links to a script.
func (p *params) address(name string, must bool) string {
	read := p.text
	if must {
		read = p.required
	}
	value := read(name, 5000)
	if value == "" {
		return ""
	}
	u, err := url.Parse(strings.ReplaceAll(value, "{CHECKOUT_SESSION_ID}", "x"))
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		p.fail(invalid("url_invalid", name, "Not a valid URL"))
	}
	return value
}

// list reads name[0], name[1], … and name[].
func (p *params) list(name string) []string {
	var all []string
	if p.has(name + "[]") {
		p.read[name+"[]"] = true
		all = append(all, p.values[name+"[]"]...)
	}
	for i := 0; p.has(name + "[" + strconv.Itoa(i) + "]"); i++ {
		key := name + "[" + strconv.Itoa(i) + "]"
		p.read[key] = true
		all = append(all, p.values.Get(key))
	}
	return all
}

// count returns how many elements name[0], name[1], … has.
func (p *params) count(name string) int {
	for i := 0; ; i++ {
		if !p.hasUnder(name + "[" + strconv.Itoa(i) + "]") {
			return i
		}
	}
}

func (p *params) hasUnder(prefix string) bool {
	for name := range p.values {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// metadata reads name[key]. The limits are Stripe's.
func (p *params) metadata(name string) map[string]string {
	out := map[string]string{}
	for key := range p.values {
		inner, ok := strings.CutPrefix(key, name+"[")
		if !ok || !strings.HasSuffix(inner, "]") {
			continue
		}
		inner = strings.TrimSuffix(inner, "]")
		if utf8.RuneCountInString(inner) > 40 {
			p.fail(invalid("", name, "Metadata keys can have up to 40 characters"))
		}
		if value := p.text(key, 500); value != "" {
			out[inner] = value
		}
	}
	if len(out) > 50 {
		p.fail(invalid("", name, "You can only set 50 metadata keys"))
	}
	return out
}

// ignore accepts parameters that change nothing the stand-in shows, with
// everything below them.
func (p *params) ignore(names ...string) {
	for key := range p.values {
		for _, name := range names {
			if key == name || strings.HasPrefix(key, name+"[") {
				p.read[key] = true
			}
		}
	}
}
