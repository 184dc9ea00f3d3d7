// Package web embeds the hub's pages and styles. It holds no logic.
package web

import "embed"

// Templates are html/template files.
//
//go:embed templates/*.html
var Templates embed.FS

// Static are files served as they are.
//
//go:embed static
var Static embed.FS
