package console

import (
	"encoding/json"
	"fmt"
	"html/template"
	"strings"

	"github.com/superpayhub/superpay/web"
)

// language is one that the console speaks.
type language struct {
	html string // as HTML names it
	name string // as its readers do
}

var languages = map[string]language{"en": {"en", "English"}, "zh": {"zh-Hans", "中文"}}

// texts are all words, by language and key.
var texts = loadTexts()

func loadTexts() map[string]map[string]string {
	all := map[string]map[string]string{}
	for lang := range languages {
		raw, err := web.Texts.ReadFile("texts/" + lang + ".json")
		var words map[string]string
		if err == nil {
			err = json.Unmarshal(raw, &words)
		}
		if err != nil {
			panic("texts/" + lang + ".json: " + err.Error()) // it is part of the program
		}
		all[lang] = words
	}
	return all
}

func hasText(key string) bool {
	_, ok := texts["en"][key]
	return ok
}

// pattern finds a text. "one|many" depends on the first argument, a number. A
// key without a text is shown as it is: tests look for those.
func pattern(lang, key string, args []any) string {
	found, ok := texts[lang][key]
	if !ok {
		return strings.ReplaceAll(key, "%", "%%")
	}
	one, many, plural := strings.Cut(found, "|")
	if !plural {
		return found
	}
	if len(args) > 0 && fmt.Sprint(args[0]) == "1" {
		return one
	}
	return many
}

// text is the words for Go code: titles, attributes.
func text(lang, key string, args ...any) string {
	p := pattern(lang, key, args)
	if len(args) == 0 {
		return strings.ReplaceAll(p, "%%", "%")
	}
	return fmt.Sprintf(p, args...)
}

// markup is the words for a page. Arguments are escaped, unless they are
// markup of our own.
func markup(lang, key string, args ...any) template.HTML {
	safe := make([]any, len(args))
	for i, a := range args {
		switch a := a.(type) {
		case template.HTML, int, int64:
			safe[i] = a
		default:
			safe[i] = template.HTMLEscapeString(fmt.Sprint(a))
		}
	}
	p := template.HTMLEscapeString(pattern(lang, key, args))
	if len(args) == 0 {
		return template.HTML(strings.ReplaceAll(p, "%%", "%"))
	}
	return template.HTML(fmt.Sprintf(p, safe...))
}
