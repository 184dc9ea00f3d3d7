package console

import (
	"html/template"
	"strings"

	"github.com/superpayhub/superpay/sdk"
)

// money writes an amount of minor units for a table: "1,234.50 EUR", the same
// in every language, with the currency's own number of decimals.
func money(amount int64, currency string, exponent int) template.HTML {
	return template.HTML(`<span class="money">` + grouped(amount, exponent) + ` <span class="currency">` + template.HTMLEscapeString(currency) + `</span></span>`)
}

// moneyText is money in a sentence, or in an attribute.
func moneyText(amount int64, currency string, exponent int) string {
	return grouped(amount, exponent) + " " + currency
}

// grouped writes the number alone: thousands with commas, a real minus.
func grouped(amount int64, exponent int) string {
	s := sdk.Money{Amount: amount, Exponent: exponent}.Decimal()
	s, negative := strings.CutPrefix(s, "-")
	whole, frac, point := strings.Cut(s, ".")
	var b strings.Builder
	if negative {
		b.WriteString("\u2212")
	}
	for i, digit := range whole {
		if i > 0 && (len(whole)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(digit)
	}
	if point {
		b.WriteString("." + frac)
	}
	return b.String()
}
