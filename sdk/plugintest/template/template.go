// Package template holds the source of a whole plugin, Acmepay: what
// `hub plugin new` copies, and what the exam itself is tested with.
package template

import "embed"

// Name is what a copy gives another name in place of, in lower case and as Title.
const (
	Name  = "acmepay"
	Title = "Acmepay"
	Path  = "github.com/superpayhub/superpay/sdk/plugintest/template/acmepay"
)

// Files is the plugin's folder, below Name. The exam's broken variants are not
// part of it.
//
//go:embed acmepay/*.go acmepay/*.json acmepay/*.md acmepay/sandbox
var Files embed.FS
