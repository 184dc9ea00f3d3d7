package ledger

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/superpayhub/superpay/sdk"
)

// operations checks that what was done was asked for, once, and that what is
// asked for is on record as it is asked.
func (c *checker) operations() {
	refunds := map[string][]*Operation{}
	creates := map[string]int{}
	for _, op := range c.o.Operations {
		if op.Kind == sdk.OpCreate && op.AttemptID != nil {
			creates[*op.AttemptID]++
		}
		if op.RefundID != nil {
			refunds[*op.RefundID] = append(refunds[*op.RefundID], op)
		}
		c.ended(op)
		c.request(op)
	}
	for _, a := range c.o.Attempts {
		if creates[a.ID] != 1 && !(creates[a.ID] == 0 && c.replaced(a)) {
			c.doubt(LawOperations, a.ID, "operations.kind", "one operation that created the attempt", creates[a.ID])
		}
	}
	for _, r := range c.o.Refunds {
		if r.Origin == ByHub {
			c.asked(r, refunds[r.ID])
		} else if len(refunds[r.ID]) > 0 {
			c.doubt(LawOperations, r.ID, "refunds.origin", ByHub, r.Origin)
		}
	}
}

// asked checks a refund of the hub against its operations.
func (c *checker) asked(r *Refund, ops []*Operation) {
	if len(ops) == 0 && r.PartOf != "" && r.Status != RefundUnknown {
		return // a further part that is not asked for yet, never was, or was found at the provider
	}
	if len(ops) == 2 && r.PartKey != "" { // found at the provider, and asked for again since
		ops = slices.DeleteFunc(slices.Clone(ops), func(op *Operation) bool { return op.KeyHash != nil })
	}
	if len(ops) != 1 {
		c.doubt(LawOperations, r.ID, "operations.refund_id", "one operation that asked for the refund", len(ops))
		return
	}
	op := ops[0]
	c.equal(LawOperations, op.ID, "operations.attempt_id", r.AttemptID, op.AttemptID)
	switch {
	case r.ProviderID != nil && op.Outcome != OutcomeSucceeded && op.Outcome != OutcomeDeclined:
		c.doubt(LawOperations, op.ID, "operations.outcome", "an end: the provider named the refund", op.Outcome)
	case r.ProviderID == nil && (r.Status == sdk.MovementPending || r.Status == RefundUnknown) && !op.Open() && !(r.waits() && op.Outcome == OutcomeNotSent):
		c.doubt(LawOperations, op.ID, "operations.outcome", "open: the refund is "+string(r.Status), op.Outcome)
	case r.ProviderID == nil && r.Status == sdk.MovementSucceeded:
		c.doubt(LawOperations, r.ID, "refunds.provider_id", "the provider's id: the refund succeeded", nil)
	}
	if !slices.ContainsFunc(c.o.Captures, func(x *Capture) bool { return x.ProviderID == r.CaptureID && x.AttemptID == r.AttemptID }) {
		c.doubt(LawOperations, r.ID, "refunds.capture_id", "a capture of the attempt", r.CaptureID)
	}
}

// ended checks that an operation has what it was for.
func (c *checker) ended(op *Operation) {
	if (op.Kind == sdk.OpRefund) != (op.RefundID != nil) {
		c.doubt(LawOperations, op.ID, "operations.refund_id", "a refund, if it asks for one", op.RefundID)
		return
	}
	if op.RefundID == nil {
		return
	}
	r := c.o.Refund(*op.RefundID)
	if r == nil {
		c.doubt(LawOperations, op.ID, "operations.refund_id", "a refund of the order", *op.RefundID)
	} else if op.Outcome == OutcomeSucceeded && r.ProviderID == nil {
		c.doubt(LawOperations, r.ID, "refunds.provider_id", "the provider's id: the operation succeeded", nil)
	}
}

// request compares what an operation asks with what is on record. It is kept,
// encrypted, until the operation ends.
func (c *checker) request(op *Operation) {
	if op.Request == nil {
		return
	}
	money := func(row, table string, m sdk.Money, amount int64, currency string) {
		if m.Currency != "" {
			c.equal(LawOperations, row, table+".amount", fmt.Sprint(m.Amount, " ", m.Currency), fmt.Sprint(amount, " ", currency))
		}
	}
	switch op.Kind {
	case sdk.OpCreate:
		var asked sdk.CheckoutRequest
		if json.Unmarshal(op.Request, &asked) == nil {
			money("", "orders", asked.Amount, c.o.Amount, c.o.Currency)
		}
	case sdk.OpRefund:
		var asked sdk.RefundRequest
		if json.Unmarshal(op.Request, &asked) != nil || op.RefundID == nil {
			return
		}
		money("", "orders", asked.Amount, c.o.Amount, c.o.Currency)
		if r := c.o.Refund(*op.RefundID); r != nil {
			money(r.ID, "refunds", asked.Refund, r.Amount, r.Currency)
			c.equal(LawOperations, r.ID, "refunds.capture_id", asked.CaptureID, r.CaptureID)
		}
	}
}

// operationLines checks that the timeline tells of each operation that it began
// and how it ended, and of none that is not on record.
func (c *checker) operationLines() {
	started, ended := map[string]*Event{}, map[string][]string{}
	canceled, notNeeded := 0, map[string]bool{}
	for _, e := range c.Events {
		id := e.data("operation")
		switch kind, ok := startedKind(e.Kind); {
		case ok:
			started[id] = e
			c.lineOf(e, id, kind)
		case e.Kind == "cancel.asked":
			canceled++
		case e.Kind == confirmNotNeeded:
			notNeeded[id] = true
			c.lineOf(e, id, sdk.OpConfirm)
		case outcomes[e.Kind] != "":
			ended[id] = append(ended[id], string(outcomes[e.Kind]))
			c.lineOf(e, id, sdk.OperationKind(e.data("kind")))
		}
	}
	for _, op := range c.o.Operations {
		for _, told := range ended[op.ID] {
			if (told == string(OutcomeSucceeded) || told == string(OutcomeDeclined)) && told != string(op.Outcome) {
				c.doubt(LawTimeline, op.ID, "operations.outcome", told, op.Outcome)
			}
		}
		switch {
		case !c.whole:
		case op.Sends == 0 && op.Kind == sdk.OpConfirm:
			if !notNeeded[op.ID] {
				c.doubt(LawTimeline, op.ID, "events.kind", confirmNotNeeded, nil)
			}
		case op.Sends == 0:
			if canceled == 0 || op.Kind != sdk.OpCancel {
				c.doubt(LawTimeline, op.ID, "events.kind", "cancel.asked", nil)
			}
		case started[op.ID] == nil:
			c.doubt(LawTimeline, op.ID, "events.kind", string(op.Kind)+".started", nil)
		case !op.Open() && !slices.Contains(ended[op.ID], string(op.Outcome)):
			c.doubt(LawTimeline, op.ID, "events.kind", "operation."+string(op.Outcome), nil)
		}
	}
}

// lineOf checks a line about an operation against the operation.
func (c *checker) lineOf(e *Event, id string, kind sdk.OperationKind) {
	op := c.o.Operation(id)
	if op == nil {
		c.doubt(LawTimeline, id, "operations.id", "the operation that the timeline tells of: "+e.Kind, nil)
		return
	}
	c.equal(LawTimeline, id, "operations.kind", kind, op.Kind)
	if !c.recovered(func(x *Event) bool { return x.data("operation") == id && x.data("instead_of") == e.AttemptID }) {
		c.equal(LawTimeline, id, "operations.attempt_id", e.AttemptID, op.AttemptID)
	}
}

// recovered reports whether the timeline tells of a payment that took the place
// of the one that was asked for.
func (c *checker) recovered(is func(*Event) bool) bool {
	return slices.ContainsFunc(c.Events, func(e *Event) bool { return e.Kind == paymentRecovered && is(e) })
}

// replaced reports whether an attempt gave its operation to a payment that the
// provider had made before: nothing was ever made of it.
func (c *checker) replaced(a *Attempt) bool {
	if a.Status != sdk.Failed || a.Captured != 0 || len(a.Refs) > 0 {
		return false
	}
	archived := !c.whole && a.Failure != nil && a.Failure.Code == sdk.FailureDuplicate
	return archived || c.recovered(func(e *Event) bool { return e.data("instead_of") == a.ID })
}

// outcomes are those that a line of the timeline can tell, by its kind.
var outcomes = map[string]Outcome{
	"operation." + string(OutcomeSucceeded): OutcomeSucceeded,
	"operation." + string(OutcomeDeclined):  OutcomeDeclined,
	"operation." + string(OutcomeNotSent):   OutcomeNotSent,
	"operation." + string(OutcomeUnknown):   OutcomeUnknown,
}

// startedKind is the kind of operation of whose beginning a line tells.
func startedKind(kind string) (sdk.OperationKind, bool) {
	switch kind {
	case refundRecovered:
		return sdk.OpRefund, true
	case paymentRecovered:
		return sdk.OpCreate, true
	}
	for _, k := range []sdk.OperationKind{sdk.OpCreate, sdk.OpConfirm, sdk.OpCapture, sdk.OpCancel, sdk.OpRefund} {
		if kind == string(k)+".started" {
			return k, true
		}
	}
	return "", false
}
