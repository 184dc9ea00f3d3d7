package access

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/hub/internal/postgres"
)

// Outcomes of what a person did. Begun without an end: the hub died, or could
// not write any more; what was done may have happened.
const (
	Begun   = "begun"
	Done    = "done"
	Failed  = "failed"
	Refused = "refused" // by the hub: a role that is missing, a form without its token
)

// Act is who does what to what, and why.
type Act struct {
	UserID, Who string // "" and what was typed, for somebody that the hub does not know
	Action      string // a noun and a verb: order.refund, user.disable
	Object      string // the id that it is done to
	Why         string
	Address     string
	RequestID   string
	Data        map[string]any // what else is worth keeping; never a secret
}

// Audit keeps who did what.
type Audit struct {
	DB  *postgres.DB
	Now func() time.Time
}

// Do records that something is about to be done, does it, and records how it
// ended, with what do put into act.Data. What cannot be recorded is not done.
// The error is do's.
func (a *Audit) Do(ctx context.Context, act Act, do func() error) error {
	id, err := a.add(ctx, act, Begun)
	if err != nil {
		return err
	}
	failed := do()
	outcome, data := Done, json.RawMessage(nil)
	if act.Data != nil {
		if data, err = json.Marshal(act.Data); err != nil {
			return err
		}
	}
	if failed != nil {
		outcome = Failed
		var e *ledger.Error
		if errors.As(failed, &e) {
			if act.Data == nil {
				act.Data = map[string]any{}
			}
			act.Data["error"], act.Data["message"] = e.Code, e.Message
			data, _ = json.Marshal(act.Data) // it was encoded before
		}
	}
	// Also when the request's time is over: what was done was done.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err := a.DB.EndAudit(ctx, id, outcome, data); err != nil && failed == nil {
		return err
	}
	return failed
}

// Note records what happened already: an attempt that was refused, a sign-in.
func (a *Audit) Note(ctx context.Context, act Act, outcome string) error {
	_, err := a.add(ctx, act, outcome)
	return err
}

func (a *Audit) add(ctx context.Context, act Act, outcome string) (string, error) {
	now := a.Now().UTC()
	e := postgres.AuditEntry{
		ID: ledger.NewID("aud", now), At: now, Who: cut(act.Who, 254), Action: act.Action, Object: cut(act.Object, 200), Why: cut(act.Why, 2000),
		Outcome: outcome, Address: act.Address, RequestID: act.RequestID,
	}
	if act.UserID != "" {
		e.UserID = &act.UserID
	}
	if act.Data != nil {
		var err error
		if e.Data, err = json.Marshal(act.Data); err != nil {
			return "", err
		}
	}
	return e.ID, a.DB.AddAudit(ctx, e)
}
