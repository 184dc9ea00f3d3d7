package console

import (
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/sdk"
)

// movement is what a correction is about, as it is on record, and what it should
// be instead.
type movement struct {
	Movement   string // the hub's id
	Was        sdk.Money
	Unnamed    bool // a refund that the provider did not name to the hub
	Voidable   bool
	Void       bool
	Is         sdk.Money
	NewMoney   string // as typed: the amount and its currency
	NewCode    string
	ProviderID string
}

// find looks a movement of the order up.
func (f *actForm) find(id string) bool {
	for _, c := range f.Captures {
		if c.ID == id {
			f.movement = movement{Movement: id, Was: sdk.Money{Amount: c.Amount, Currency: c.Currency, Exponent: c.Exponent}, Voidable: true}
			return true
		}
	}
	for _, r := range f.Refunds {
		if r.ID == id {
			f.movement = movement{Movement: id, Was: sdk.Money{Amount: r.Amount, Currency: r.Currency, Exponent: r.Exponent}, Unnamed: r.ProviderID == nil, Voidable: r.ProviderID != nil}
			return true
		}
	}
	for _, d := range f.Disputes {
		if d.ID == id {
			f.movement = movement{Movement: id, Was: sdk.Money{Amount: d.Amount, Currency: d.Currency, Exponent: d.Exponent}}
			return true
		}
	}
	return false
}

// readMovement reads what a correction says, and what is wrong with it.
func (f *actForm) readMovement(c *fiber.Ctx, p *page) {
	if f.Verb != "correct" {
		return
	}
	if !f.find(c.FormValue("movement")) {
		p.blame("reason", "act.moved")
		return
	}
	seen, err := strconv.ParseInt(c.FormValue("was"), 10, 64)
	if err != nil {
		p.blame("reason", "act.moved")
		return
	}
	f.Was.Amount = seen // what the person decided on
	f.Void = c.FormValue("void") == "1" && f.Voidable
	f.NewMoney, f.NewCode = strings.TrimSpace(c.FormValue("amount")), strings.ToUpper(strings.TrimSpace(c.FormValue("code")))
	f.ProviderID = strings.TrimSpace(c.FormValue("provider_id"))
	if f.Void {
		return
	}
	if f.NewCode == "" {
		f.NewCode = f.Was.Currency
	}
	exponent, ok := sdk.Exponent(f.NewCode)
	if !ok {
		exponent = f.Was.Exponent
	}
	f.Is = sdk.Money{Amount: p.readAmount(f.NewMoney, f.NewCode, exponent), Currency: f.NewCode, Exponent: exponent}
}

func (f *actForm) correction() ledger.Correction {
	return ledger.Correction{MovementID: f.Movement, Was: f.Was.Amount, Is: f.Is, Void: f.Void, ProviderID: f.ProviderID}
}
