package sandbox

import (
	"encoding/json"
	"net/http"
	"strings"
)

type patch struct {
	Op    string          `json:"op"`
	Path  string          `json:"path"`
	Value json.RawMessage `json:"value"`
}

// patchOrder changes an order before it is paid: the fields of a unit that a
// merchant's server may still correct. All changes are made or none.
func (s *Server) patchOrder(c *call) (answer, *apiError) {
	var patches []patch
	if e := c.read(&patches); e != nil {
		return answer{}, e
	}
	o, e := find[*order](s, c.id)
	switch {
	case e != nil:
		return answer{}, e
	case len(patches) == 0:
		return answer{}, malformed("MALFORMED_REQUEST_JSON", "", "")
	case o.Status == completed || o.Status == voided:
		return answer{}, unprocessable("ORDER_ALREADY_COMPLETED", "The order cannot be patched after it is completed.")
	}
	changed := make([]*unit, len(o.Units))
	for i, u := range o.Units {
		copied := *u
		changed[i] = &copied
	}
	for _, p := range patches {
		if e := s.apply(o, changed, p); e != nil {
			return answer{}, e
		}
	}
	for i, u := range changed {
		*o.Units[i] = *u
	}
	o.Updated = s.now()
	return answer{status: http.StatusNoContent}, nil
}

func (s *Server) apply(o *order, units []*unit, p patch) *apiError {
	switch {
	case p.Op != "add" && p.Op != "replace":
		return malformed("INVALID_PATCH_OPERATION", "op", p.Op)
	case p.Path == "":
		return unprocessable("PATCH_PATH_REQUIRED", "Please specify a path.")
	case len(p.Value) == 0:
		return unprocessable("PATCH_VALUE_REQUIRED", "Please specify a value.")
	}
	rest, ok := strings.CutPrefix(p.Path, "/purchase_units/@reference_id=='")
	reference, field, found := strings.Cut(rest, "'/")
	if !ok || !found {
		return unprocessable("NOT_PATCHABLE", "Cannot be patched.").at(p.Path, "")
	}
	for _, u := range units {
		if u.ReferenceID == reference {
			return s.set(o, u, field, p)
		}
	}
	return unprocessable("REFERENCE_ID_NOT_FOUND", "Filter expression value is incorrect.").at(p.Path, "")
}

func (s *Server) set(o *order, u *unit, field string, p patch) *apiError {
	limits := map[string]struct {
		to   *string
		most int
	}{
		"custom_id": {&u.CustomID, 127}, "invoice_id": {&u.InvoiceID, 127}, "description": {&u.Description, 127},
		"soft_descriptor": {&u.SoftDescriptor, 22},
	}
	if text, ok := limits[field]; ok {
		var value string
		if json.Unmarshal(p.Value, &value) != nil || value == "" {
			return malformed("INVALID_PARAMETER_SYNTAX", p.Path, "")
		}
		*text.to = value
		return checkLength(p.Path, value, text.most)
	}
	if field != "amount" {
		return unprocessable("NOT_PATCHABLE", "Cannot be patched.").at(p.Path, "")
	}
	var req unitRequest
	if json.Unmarshal(p.Value, &req.Amount) != nil || req.Amount == nil {
		return malformed("INVALID_PARAMETER_SYNTAX", p.Path, "")
	}
	amount, e := req.Amount.positive(p.Path)
	switch {
	case e != nil:
		return e
	case o.Status == approved && amount != u.Amount:
		return unprocessable("AMOUNT_CHANGE_NOT_ALLOWED", "The amount differs from what the payer approved.")
	case amount.Currency != u.Amount.Currency:
		return unprocessable("MULTI_CURRENCY_ORDER", "The entire order must have the same currency_code.")
	}
	if e := addsUp(&req, amount, p.Path); e != nil {
		return e
	}
	u.Amount, u.Breakdown, u.Items = amount, nil, nil
	if req.Amount.Breakdown != nil {
		u.Breakdown = encode(req.Amount.Breakdown)
	}
	return nil
}
