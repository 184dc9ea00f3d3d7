package chaos

import (
	"fmt"
	"slices"
)

// notified compares the newest notification that the app took with the order as
// it stands. Whatever an answer or an earlier notification said, an app that
// goes by the newest version must know the end.
func (t *trial) notified() {
	version, content := t.o.app.receiver.newest(t.v.ID)
	if version == 0 { // what the app asked for itself is answered, not notified
		version, content = t.o.last.Version, t.o.last.content
	}
	if version > t.v.Version {
		t.r.find(misled, t.o, "was shown in version %d, and reads version %d", version, t.v.Version)
		return
	}
	if content == nil {
		return // the app never got an answer about it, and asks again
	}
	if d := differences(t.v.content, content); d != "" {
		t.r.find(misled, t.o, "is not as the newest notification says, version %d of %d: %s", version, t.v.Version, d)
	}
}

// refused reports whether the app was told that nothing is done.
func (a *ask) refused() bool { return a.final.status == 409 || a.final.status == 422 }

// allRefused reports whether the app asked with a verb, and was told each time
// that nothing is done.
func (o *order) allRefused(verb string) bool {
	asked := 0
	for _, a := range o.asks {
		if a.verb != verb {
			continue
		}
		asked++
		if !a.refused() {
			return false
		}
	}
	return asked > 0
}

// refusal is the last one that the app was answered to a verb.
func (o *order) refusal(verb string) (text string) {
	for _, a := range o.asks {
		if a.verb == verb {
			text = fmt.Sprintf("%d %s: %s", a.final.status, a.final.Code, a.final.Detail)
		}
	}
	return text
}

// contradicted compares what the app was answered for good with the end. An
// order's status is not compared: notified does.
func (t *trial) contradicted() {
	money := t.v.Captured > 0
	switch {
	case money && t.o.allRefused("checkout"):
		t.r.find(misled, t.o, "the app was refused the checkout (%s), and %d were captured", t.o.refusal("checkout"), t.v.Captured)
	case money && t.o.allRefused("capture") && !t.o.acted["capture"] && !t.o.lostAny("capture"):
		t.r.find(misled, t.o, "the app was refused the capture (%s), and %d were captured", t.o.refusal("capture"), t.v.Captured)
	case t.v.is("canceled") && t.o.allRefused("cancel") && !t.o.acted["cancel"]:
		t.r.find(misled, t.o, "the app was refused the cancel (%s), and the order is canceled", t.o.refusal("cancel"))
	case money && t.o.canceled && t.v.Refunded < t.v.Captured && !t.v.NeedsAttention && !t.o.acted["resolve"] && !t.o.lostAny("cancel"):
		t.r.find(misled, t.o, "the app was told that the order is canceled, %d were captured, and nobody is told to look", t.v.Captured)
	}
	t.unclaimed()
}

// unclaimed finds refunds that the hub made for an app that was told that
// nothing is done.
func (t *trial) unclaimed() {
	named := map[string]bool{}
	unanswered := 0
	for _, a := range t.o.asks {
		if a.verb != "refund" {
			continue
		}
		named[a.id] = true
		if a.id == "" && !a.refused() {
			unanswered++
		}
	}
	var others []refund
	for _, x := range t.v.Refunds {
		if x.Origin == "hub" && x.Status != "failed" && !named[x.ID] && !slices.Contains(t.o.operated, x.Amount) {
			others = append(others, x)
		}
	}
	if len(others) > unanswered {
		t.r.find(misled, t.o, "the refund %s of %d is %s, and the app was told that nothing is done", others[0].ID, others[0].Amount, others[0].Status)
	}
}
