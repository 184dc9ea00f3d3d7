// Package web embeds the hub's pages, styles, scripts and texts. It holds no logic.
package web

import "embed"

// Templates are html/template files: the API's documentation, and the
// console's screens in console/.
//
//go:embed templates/*.html templates/console/*.html
var Templates embed.FS

// Static are files served as they are. vendor/ holds libraries with their
// licences; .ci/vendor.sh fetches them.
//
//go:embed static
var Static embed.FS

// Texts are the console's words: one JSON file a language, keys in order.
//
//go:embed texts/*.json
var Texts embed.FS
