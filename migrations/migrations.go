// Package migrations embeds the schema's history, in goose's format.
package migrations

import "embed"

// FS holds NNNN_name.sql.
//
//go:embed *.sql
var FS embed.FS
