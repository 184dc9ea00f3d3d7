package console

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/web"
)

// verbs are the places of a text's arguments.
var verbs = regexp.MustCompile(`%(\[\d\])?[a-z]`)

// TestTexts_EveryLanguageHasEveryKey in the same order and with the same
// arguments, so that no reader sees a key, and files can be compared line by line.
func TestTexts_EveryLanguageHasEveryKey(t *testing.T) {
	for lang := range languages {
		raw, err := web.Texts.ReadFile("texts/" + lang + ".json")
		require.NoError(t, err)
		var keys []string
		for _, m := range regexp.MustCompile(`(?m)^  "([^"]+)":`).FindAllStringSubmatch(string(raw), -1) {
			keys = append(keys, m[1])
		}
		require.True(t, slices.IsSorted(keys), "texts/%s.json: keys must be in order", lang)
		require.Len(t, slices.Compact(slices.Clone(keys)), len(keys), "texts/%s.json: a key stands twice", lang)
		var words map[string]string
		require.NoError(t, json.Unmarshal(raw, &words))
		require.Len(t, keys, len(words))
		for key, en := range texts["en"] {
			word, ok := words[key]
			require.True(t, ok, "texts/%s.json has no %s", lang, key)
			require.NotEmpty(t, word, "%s %s", lang, key)
			for _, form := range strings.Split(en, "|") {
				require.Equal(t, verbs.FindAllString(form, -1), verbs.FindAllString(strings.Split(word, "|")[0], -1), "arguments of %s in %s", key, lang)
			}
		}
		require.Len(t, words, len(texts["en"]), "texts/%s.json has keys that English has not", lang)
	}
}

// TestTexts_EveryKeyThatIsUsedExists in templates and code, as far as the key
// stands there whole.
func TestTexts_EveryKeyThatIsUsedExists(t *testing.T) {
	used := regexp.MustCompile(`(?:[{( ]t |\.T\(|text\(lang, |markup\(lang, |s\.flash\(c, |\$\.T )"([a-z_]+(?:\.[a-z_]+)+)"`)
	seen := 0
	look := func(name, content string) {
		for _, m := range used.FindAllStringSubmatch(content, -1) {
			seen++
			require.True(t, hasText(m[1]), "%s: no text %s", name, m[1])
		}
	}
	templates, err := fs.Glob(web.Templates, "templates/console/*.html")
	require.NoError(t, err)
	for _, name := range templates {
		raw, err := web.Templates.ReadFile(name)
		require.NoError(t, err)
		look(name, string(raw))
	}
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	for _, name := range files {
		raw, err := os.ReadFile(name)
		require.NoError(t, err)
		look(name, string(raw))
	}
	require.Greater(t, seen, 50)
	for status := range tones {
		require.True(t, hasText("status."+status), "no text status.%s", status)
	}
	for _, screen := range nav {
		require.True(t, hasText("nav."+screen), "no text nav.%s", screen)
	}
	for _, kind := range []string{"broken", "busy", "conflict", "form", "gone", "missing", "refused", "request", "role"} {
		require.True(t, hasText("error."+kind+".title") && hasText("error."+kind+".says"), kind)
	}
}
