package chaos

import "github.com/superpayhub/superpay/sdk/plugintest/standin"

// lies are how an answer of a provider contradicts what happened.
var lies = []string{"amount", "currency", "status", "foreign id"}

// lieAbout makes a rule that has an answer about this order say something else.
// match is what the call carries.
func lieAbout(what, provider, match string) standin.Fault {
	f := standin.Fault{Action: standin.Replace, Times: 1}
	stripe := provider == "stripe"
	switch what {
	case "amount":
		f.Fields = map[string]any{"*.value": "1"}
		if stripe {
			f.Fields = map[string]any{"*.amount": 100, "*.amount_received": 100, "*.amount_captured": 100, "*.amount_total": 100}
		}
	case "currency":
		f.Fields = map[string]any{"*.currency_code": "CHF"}
		if stripe {
			f.Fields = map[string]any{"*.currency": "chf"}
		}
	case "status":
		f.Fields = map[string]any{"*.status": "DECLINED"}
		if stripe {
			f.Fields = map[string]any{"*.status": "canceled"}
		}
	default:
		f.Find, f.With = match, match[:len(match)-1]+"0"
	}
	return f
}

// excuse drops what was found about an order whose provider contradicted itself
// and that a person is told to look at. Money that was doubled, and an app that
// was misled, have no excuse.
func (t *trial) excuse(before int) {
	if t.o.lie == "" || !t.v.NeedsAttention {
		return
	}
	kept := t.r.Findings[:before]
	for _, f := range t.r.Findings[before:] {
		if f.Kind == doubled || f.Kind == misled {
			kept = append(kept, f)
		}
	}
	t.r.Findings = kept
}
