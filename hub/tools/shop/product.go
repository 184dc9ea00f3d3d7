package main

// product is one thing on the shelf. Prices are minor units, and the shop
// knows the exponents of its own currencies (ISO 4217).
type product struct {
	ID, Name, Text string
	Price          int64
	Currency       string
	Exponent       int
}

// products are the shelf: one currency for each number of decimals.
var products = []product{
	{"coffee", "Morning Fog", "Whole-bean coffee, washed, 250 g", 1450, "USD", 2},
	{"teapot", "Little Round Pot", "Stoneware teapot, holds three cups", 4800, "EUR", 2},
	{"sencha", "Spring Sencha", "Green tea from the first harvest, 100 g", 1800, "JPY", 0},
	{"dates", "Khalas Dates", "Soft dates in a tin, 500 g", 4250, "KWD", 3},
}

const maxQuantity = 10

func findProduct(id string) (product, bool) {
	for _, p := range products {
		if p.ID == id {
			return p, true
		}
	}
	return product{}, false
}

// Money writes the price of n pieces.
func (p product) Money(n int64) string { return money(p.Price*n, p.Currency, p.Exponent) }
