package console

import (
	"bufio"
	"encoding/csv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"
)

// sendCSV streams rows as a file for spreadsheets: UTF-8 with a mark that says
// so. next gives rows until it gives none; it runs after the handler, so it
// must not use its fiber.Ctx.
func sendCSV(c *fiber.Ctx, name string, head []string, next func() ([][]string, error)) error {
	c.Set(fiber.HeaderContentType, "text/csv; charset=utf-8")
	c.Set(fiber.HeaderContentDisposition, `attachment; filename="`+name+`.csv"`)
	c.Context().SetBodyStreamWriter(func(out *bufio.Writer) {
		_, _ = out.WriteString("\ufeff")
		w := csv.NewWriter(out)
		w.UseCRLF = true
		_ = w.Write(head)
		for {
			rows, err := next()
			if err != nil {
				// The status was sent: the file has to say that it is not whole.
				_ = w.Write([]string{"NOT COMPLETE: the hub could not read on; export again"})
			}
			for _, row := range rows {
				for i := range row {
					row[i] = inert(row[i])
				}
				_ = w.Write(row)
			}
			w.Flush()
			if err != nil || len(rows) == 0 || w.Error() != nil || out.Flush() != nil {
				return // done, or the reader has gone
			}
		}
	})
	return nil
}

// inert keeps a spreadsheet from taking a text that others wrote for a formula,
// also one that begins after blanks, which some leave out, or with the wide
// signs that some take for the usual ones.
func inert(text string) string {
	begins := strings.TrimLeftFunc(text, func(r rune) bool { return r <= ' ' || unicode.IsSpace(r) || unicode.In(r, unicode.Cf) })
	if first, _ := utf8.DecodeRuneInString(begins); text != "" && (strings.ContainsRune("=+-@\uff1d\uff0b\uff0d\uff20", first) || strings.ContainsRune("\t\r", rune(text[0]))) {
		return "'" + text
	}
	return text
}
