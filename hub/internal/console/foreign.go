package console

import (
	"html/template"
	"strings"
	"unicode"
	"unicode/utf8"
)

// foreignLength is how much of a text from outside a page shows at first.
const foreignLength = 200

// foreign shows a text that others wrote: in a direction of its own, what
// cannot be seen as marks, and not more of it than a page can bear.
func foreign(lang, s string) template.HTML {
	shown := visible(s)
	if utf8.RuneCountInString(shown) <= foreignLength {
		return template.HTML(`<bdi dir="auto" class="foreign">` + template.HTMLEscapeString(shown) + `</bdi>`)
	}
	runes := []rune(shown)
	return template.HTML(`<details class="long"><summary><bdi dir="auto" class="foreign">` + template.HTMLEscapeString(string(runes[:foreignLength])) +
		`…</bdi> <span class="more">` + template.HTMLEscapeString(text(lang, "show.all")) + `</span></summary><bdi dir="auto" class="foreign">` +
		template.HTMLEscapeString(string(runes[foreignLength:])) + `</bdi></details>`)
}

// clipLength is how much of a text from outside stands in a row of a list.
const clipLength = 60

// clip shows the beginning of a text that others wrote; the row leads to all of
// it.
func clip(s string) template.HTML {
	shown := []rune(visible(s))
	if len(shown) > clipLength {
		shown = append(shown[:clipLength:clipLength], '…')
	}
	return template.HTML(`<bdi dir="auto" class="foreign">` + template.HTMLEscapeString(string(shown)) + `</bdi>`)
}

// visibleLines is visible for a text of many lines.
func visibleLines(s string) string {
	lines := strings.Split(s, "\n")
	for i := range lines {
		lines[i] = visible(lines[i])
	}
	return strings.Join(lines, "\n")
}

// visible replaces what would not be seen, or would turn what is seen around.
func visible(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return ' '
		case r < 0x20:
			return 0x2400 + r // the picture of the control character
		case r == 0x7f:
			return 0x2421
		case unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Cs, unicode.Co) && r != 0x200d:
			return '\ufffd'
		}
		return r
	}, strings.ToValidUTF8(s, "\ufffd"))
}

// short cuts an id in the middle, for lists.
func short(id string) string {
	if len(id) <= 16 || !utf8.ValidString(id) {
		return id
	}
	runes := []rune(id)
	return string(runes[:8]) + "…" + string(runes[len(runes)-4:])
}

// copyable is an id with a button that copies it. The button shows where
// scripts run.
func (s *server) copyable(lang, value, shown string) template.HTML {
	if value == "" {
		return "–"
	}
	v, label := template.HTMLEscapeString(visible(value)), template.HTMLEscapeString(text(lang, "copy.what", visible(value)))
	return template.HTML(`<span class="id"><code title="` + v + `">` + template.HTMLEscapeString(visible(shown)) + `</code><button type="button" class="copy" data-copy="` + v +
		`" aria-label="` + label + `">` + string(s.icon("copy")) + `</button></span>`)
}
