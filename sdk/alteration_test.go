package sdk_test

import (
	"bytes"
	"testing"

	"github.com/superpayhub/superpay/sdk"
)

// TestAlterations_EachInOnePlace: a copy differs from the genuine call in one place,
// there is one for each place, and the genuine call stays as it is.
func TestAlterations_EachInOnePlace(t *testing.T) {
	genuine := sdk.CallbackRequest{
		Method: "POST", Path: "/callback/x", Query: "a=1", Body: []byte(`{"id":"evt_1"}`),
		Headers: []sdk.Header{{Name: "Signature", Value: "s"}, {Name: "Content-Type", Value: ""}},
	}
	places := map[string]int{}
	for _, a := range sdk.Alterations(genuine) {
		r, differs := a.Request, []string{}
		for place, same := range map[string]bool{
			"method": r.Method == genuine.Method, "path": r.Path == genuine.Path, "query": r.Query == genuine.Query, "body": bytes.Equal(r.Body, genuine.Body),
			"headers": len(r.Headers) == 2 && r.Headers[0] == genuine.Headers[0] && r.Headers[1] == genuine.Headers[1],
		} {
			if !same {
				differs = append(differs, place)
			}
		}
		if len(differs) != 1 || a.Outside != (differs[0] != "body") {
			t.Errorf("%s differs in %v, outside of the body: %v", a.What, differs, a.Outside)
			continue
		}
		places[differs[0]]++
	}
	if places["method"] != 1 || places["path"] != 1 || places["query"] != 3 || places["headers"] != 5 || places["body"] < 10 {
		t.Errorf("altered are %v", places)
	}
	if string(genuine.Body) != `{"id":"evt_1"}` || genuine.Headers[0].Value != "s" {
		t.Errorf("the genuine call is altered: %+v", genuine)
	}
}

// TestAlteration_Believed: what may be taken for genuine, and with what in it.
func TestAlteration_Believed(t *testing.T) {
	says := func(v sdk.Verdict, status sdk.Status) *sdk.CallbackResult {
		return &sdk.CallbackResult{Verdict: v, Facts: []sdk.Fact{{Proven: true, Payment: sdk.Payment{Status: status}}}}
	}
	genuine := says(sdk.Genuine, sdk.Succeeded)
	for _, c := range []struct {
		outside bool
		altered *sdk.CallbackResult
		want    bool
	}{
		{false, says(sdk.Genuine, sdk.Succeeded), true}, // the signature covers no body
		{false, says(sdk.Genuine, sdk.Failed), true},
		{false, says(sdk.Forged, sdk.Succeeded), false},
		{false, says(sdk.CannotCheck, sdk.Succeeded), false},
		{true, says(sdk.Genuine, sdk.Succeeded), false}, // it does not look there
		{true, says(sdk.Genuine, sdk.Failed), true},
		{true, says(sdk.Forged, sdk.Failed), false},
	} {
		if got := (sdk.Alteration{Outside: c.outside}).Believed(genuine, c.altered); got != c.want {
			t.Errorf("outside %v, %+v: believed %v", c.outside, *c.altered, got)
		}
	}
}
