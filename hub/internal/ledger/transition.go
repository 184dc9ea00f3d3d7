package ledger

import "github.com/superpayhub/superpay/sdk"

// Mark says what it takes to walk an edge of a state machine.
type Mark string

const (
	Same  Mark = "same"  // no news
	Fact  Mark = "fact"  // any fact will do: it takes nothing back
	Read  Mark = "read"  // takes something back: only a fresh read may; a fact schedules one
	Stale Mark = "stale" // behind what is known: a fact is late news; from a fresh read it is a contradiction
	Clash Mark = "clash" // a contradiction: a fact schedules a read, a fresh read raises attention
	Never Mark = "never" // both ends are the same to us
)

// statuses are the columns of the table: what a provider can say.
var statuses = []sdk.Status{
	sdk.RequiresAction, sdk.RequiresConfirmation, sdk.Pending, sdk.RequiresCapture, sdk.Succeeded, sdk.Failed, sdk.Canceled,
}

// attemptEdges is the whole state machine of an attempt: a row for each status
// it can have, a column for each status that a provider can report.
var attemptEdges = map[sdk.Status][]Mark{
	//                        action confirm pending capture success failed canceled
	AttemptCreated:           {Fact, Fact, Fact, Fact, Fact, Fact, Fact},
	AttemptUnknown:           {Fact, Fact, Fact, Fact, Fact, Fact, Fact},
	sdk.RequiresAction:       {Same, Fact, Fact, Fact, Fact, Fact, Fact},
	sdk.RequiresConfirmation: {Read, Same, Fact, Fact, Fact, Fact, Fact},
	sdk.Pending:              {Read, Read, Same, Fact, Fact, Fact, Fact},
	sdk.RequiresCapture:      {Stale, Stale, Read, Same, Fact, Fact, Fact},
	sdk.Succeeded:            {Stale, Stale, Stale, Stale, Same, Clash, Clash},
	sdk.Failed:               {Read, Read, Read, Read, Read, Same, Never},
	sdk.Canceled:             {Read, Read, Read, Read, Read, Never, Same},
}

// movementStatuses are the columns of the tables for captures and refunds.
var movementStatuses = []sdk.MovementStatus{sdk.MovementPending, sdk.MovementSucceeded, sdk.MovementFailed}

// captureEdges is the state machine of a capture.
var captureEdges = map[sdk.MovementStatus][]Mark{
	//                     pending succeeded failed
	sdk.MovementPending:   {Same, Fact, Fact},
	sdk.MovementSucceeded: {Stale, Same, Clash},
	sdk.MovementFailed:    {Stale, Read, Same},
}

// refundEdges is the state machine of a refund. Unlike a capture, a refund
// that succeeded can fail later (a closed card): the money is back with us.
var refundEdges = map[sdk.MovementStatus][]Mark{
	//                     pending succeeded failed
	RefundUnknown:         {Fact, Fact, Fact},
	sdk.MovementPending:   {Same, Fact, Fact},
	sdk.MovementSucceeded: {Stale, Same, Read},
	sdk.MovementFailed:    {Stale, Read, Same},
}

// disputeRank orders the states of a dispute: a fact may only move it up,
// anything else needs a read.
var disputeRank = map[sdk.DisputeStatus]int{
	sdk.DisputeInquiry: 0, sdk.DisputeOpen: 1, sdk.DisputeWon: 2, sdk.DisputeLost: 2, sdk.DisputeClosed: 2,
}

// disputeStatuses are what a dispute can be.
var disputeStatuses = []sdk.DisputeStatus{sdk.DisputeInquiry, sdk.DisputeOpen, sdk.DisputeWon, sdk.DisputeLost, sdk.DisputeClosed}

// disputeEdge is the mark of a step of a dispute. Its funds may move without its status:
// that needs a read too.
func disputeEdge(from, to sdk.DisputeStatus) Mark {
	switch {
	case from == to:
		return Same
	case disputeRank[to] > disputeRank[from]:
		return Fact
	}
	return Read
}

// edge looks one cell up. A status that is not in the table has no mark: it is
// not settled, never moves anything, and a fact of it schedules a read.
func edge[S comparable](table map[S][]Mark, columns []S, from, to S) Mark {
	for i, c := range columns {
		if c == to {
			if row, ok := table[from]; ok {
				return row[i]
			}
		}
	}
	return ""
}

// verdict is what to do about an edge.
type verdict int

const (
	ignore verdict = iota
	walk
	readFirst // schedule a fresh read
	attention // a person has to look
)

// judge applies the marks: fresh is whether the news comes from a read begun
// at the version that it is written to.
func judge(m Mark, fresh bool) verdict {
	switch {
	case m == Fact, m == Read && fresh:
		return walk
	case m == Read, m == Clash && !fresh, m == "" && !fresh:
		return readFirst
	case m == Clash, m == Stale && fresh:
		return attention
	}
	return ignore
}
