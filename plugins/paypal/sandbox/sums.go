package sandbox

import (
	"math"
	"strconv"
)

// addsUp checks an amount against its breakdown, and the breakdown against the
// items.
func addsUp(req *unitRequest, amount money, field string) *apiError {
	b := req.Amount.Breakdown
	if b == nil {
		b = &breakdown{}
	}
	var total int64
	for _, part := range []struct {
		name  string
		value *wireMoney
		sign  int64
	}{
		{"item_total", b.ItemTotal, 1},
		{"shipping", b.Shipping, 1},
		{"handling", b.Handling, 1},
		{"tax_total", b.TaxTotal, 1},
		{"insurance", b.Insurance, 1},
		{"shipping_discount", b.ShippingDiscount, -1},
		{"discount", b.Discount, -1},
	} {
		if part.value == nil {
			continue
		}
		value, e := part.value.notNegative(field + "/amount/breakdown/" + part.name)
		if e != nil {
			return e
		}
		if value.Currency != amount.Currency {
			return unprocessable("MULTI_CURRENCY_ORDER", "The entire order must have the same currency_code.")
		}
		total += part.sign * value.Minor
	}
	if req.Amount.Breakdown != nil && total != amount.Minor {
		return unprocessable("AMOUNT_MISMATCH", "Should equal item_total + tax_total + shipping + handling + insurance - "+
			"shipping_discount - discount.").at(field+"/amount/value", req.Amount.Value)
	}
	return itemsAddUp(req.Items, b, amount.Currency, field)
}

func itemsAddUp(items []itemRequest, b *breakdown, currency, field string) *apiError {
	var prices, taxes int64
	taxed := false
	for i, item := range items {
		at := field + "/items/" + strconv.Itoa(i)
		quantity, err := strconv.ParseInt(item.Quantity, 10, 64)
		switch {
		case item.Name == "" || item.UnitAmount == nil || item.Quantity == "":
			return malformed("MISSING_REQUIRED_PARAMETER", at, "")
		case err != nil || quantity < 1 || quantity > 9_999_999_999:
			return malformed("INVALID_PARAMETER_SYNTAX", at+"/quantity", item.Quantity)
		}
		if e := checkLength(at+"/name", item.Name, 127); e != nil {
			return e
		}
		price, e := item.UnitAmount.notNegative(at + "/unit_amount")
		if e != nil {
			return e
		}
		tax := money{Currency: currency}
		if item.Tax != nil {
			taxed = true
			if tax, e = item.Tax.notNegative(at + "/tax"); e != nil {
				return e
			}
		}
		switch most := max(price.Minor, tax.Minor, 1); {
		case price.Currency != currency || tax.Currency != currency:
			return unprocessable("MULTI_CURRENCY_ORDER", "The entire order must have the same currency_code.")
		case quantity > math.MaxInt64/most/int64(len(items)):
			return unprocessable("MAX_VALUE_EXCEEDED", "Should be less than or equal to 999999999999999.99.").at(at, "")
		}
		prices, taxes = prices+price.Minor*quantity, taxes+tax.Minor*quantity
	}
	for _, sum := range []struct {
		issue  string
		needed bool
		told   *wireMoney
		want   int64
	}{{"ITEM_TOTAL", len(items) > 0, b.ItemTotal, prices}, {"TAX_TOTAL", taxed, b.TaxTotal, taxes}} {
		if !sum.needed {
			continue
		}
		if sum.told == nil {
			return unprocessable(sum.issue+"_REQUIRED", "The breakdown must tell what the items come to.").at(field+"/amount/breakdown", "")
		}
		if told, _ := sum.told.parse(""); told.Minor != sum.want {
			return unprocessable(sum.issue+"_MISMATCH", "Should equal the sum across all items.").at(field+"/amount/breakdown", sum.told.Value)
		}
	}
	return nil
}
