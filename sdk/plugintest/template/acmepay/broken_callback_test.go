package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/superpayhub/superpay/sdk"
)

// misheard are broken in what is made of a callback.
var misheard = map[string]variant{
	"facts of nobody": {rule: "callback_genuine", breaks: func(b *broken) {
		b.reading(func(f *sdk.Fact) { f.Payment.AttemptID, f.Payment.Refs = "", nil })
	}},
	"acknowledges with an error": {rule: "callback_genuine", breaks: func(b *broken) {
		b.results(func(res *sdk.CallbackResult) { res.Ack.Status = http.StatusInternalServerError })
	}},
	"another id for the capture": {rule: "callback_agrees", breaks: func(b *broken) {
		b.reading(func(f *sdk.Fact) {
			for i := range f.Payment.Captures.Items {
				f.Payment.Captures.Items[i].ID += ":event"
			}
		})
	}},
	"expects what no read shows": {rule: "callback_expects", breaks: func(b *broken) {
		b.reading(func(f *sdk.Fact) {
			for i := range f.Expect {
				f.Expect[i].ID += ":event"
			}
		})
	}},
	"expects more than happened": {rule: "callback_expects", breaks: func(b *broken) {
		b.reading(func(f *sdk.Fact) {
			for i := range f.Expect {
				if f.Expect[i].Kind == sdk.ExpectRefund {
					f.Expect[i].AtLeast = string(sdk.MovementFailed)
				}
			}
		})
	}},
	"expects a pending payment to be paid": {rule: "callback_expects", breaks: func(b *broken) {
		b.reading(func(f *sdk.Fact) {
			if f.Payment.Status == sdk.Pending {
				f.Expect = []sdk.Expectation{{Kind: sdk.ExpectPayment, AtLeast: string(sdk.Succeeded)}}
			}
		})
	}},
	"proves what nothing proves": {rule: "callback_proof", breaks: func(b *broken) {
		b.describe = func(d *sdk.Description) { d.Proof = sdk.ProofNone }
	}},
	"does not say what proves a callback": {rule: "callback_proof", breaks: func(b *broken) {
		b.describe = func(d *sdk.Description) { d.Proof = "" }
	}},
	"play money is real": {rule: "callback_other_mode", breaks: func(b *broken) {
		b.callback = func(ctx context.Context, r sdk.CallbackRequest) (*sdk.CallbackResult, error) {
			res, err := b.Provider.HandleCallback(ctx, r)
			if err == nil && res.Verdict == sdk.NotOurs {
				res.Verdict = sdk.Genuine
				res.Facts = []sdk.Fact{{Proven: true, Payment: sdk.Payment{Status: sdk.Succeeded}}}
			}
			return res, err
		}
	}},
	"one id for all events": {rule: "callback_repeated", breaks: func(b *broken) {
		b.results(func(res *sdk.CallbackResult) { res.EventID = "evt" })
	}},
	"another event each time": {rule: "callback_repeated", also: []string{"callback_forged"}, why: "no call reads as it did before", breaks: func(b *broken) {
		b.results(func(res *sdk.CallbackResult) { res.EventID = fmt.Sprint(b.calls.Add(1)) })
	}},
	"reads headers by their spelling": {rule: "callback_repeated", breaks: func(b *broken) {
		b.callback = func(ctx context.Context, r sdk.CallbackRequest) (*sdk.CallbackResult, error) {
			res, err := b.Provider.HandleCallback(ctx, r)
			if err == nil && !slices.ContainsFunc(r.Headers, func(h sdk.Header) bool { return h.Name == "Acmepay-Time" }) {
				res.EventID = ""
			}
			return res, err
		}
	}},
	"believes everybody": {rule: "callback_forged", also: []string{"callback_stale"}, why: "what is old is forged, too", breaks: func(b *broken) {
		b.results(func(res *sdk.CallbackResult) {
			if res.Verdict == sdk.Forged {
				*res = sdk.CallbackResult{Verdict: sdk.Genuine, EventID: "evt"}
			}
		})
	}},
	"the query says that it is paid": {rule: "callback_forged", breaks: func(b *broken) {
		b.callback = func(ctx context.Context, r sdk.CallbackRequest) (*sdk.CallbackResult, error) {
			res, err := b.Provider.HandleCallback(ctx, r)
			if err == nil && strings.Contains(r.Query, "status=paid") {
				for i := range res.Facts {
					res.Facts[i].Payment.Status = sdk.Succeeded
				}
				res.Reason = "paid"
			}
			return res, err
		}
	}},
	"the query alone is enough": {rule: "callback_forged", breaks: func(b *broken) {
		b.callback = func(ctx context.Context, r sdk.CallbackRequest) (*sdk.CallbackResult, error) {
			if strings.Contains(r.Query, "status=paid") {
				return &sdk.CallbackResult{Verdict: sdk.Genuine, Facts: []sdk.Fact{{Proven: true, Payment: sdk.Payment{Status: sdk.Succeeded}}}}, nil
			}
			return b.Provider.HandleCallback(ctx, r)
		}
	}},
	"a header says what it is": {rule: "callback_forged", breaks: func(b *broken) {
		b.callback = func(ctx context.Context, r sdk.CallbackRequest) (*sdk.CallbackResult, error) {
			res, err := b.Provider.HandleCallback(ctx, r)
			if err == nil {
				res.Type = r.Get("Content-Type")
			}
			return res, err
		}
	}},
	"the payment's id is the event's": {rule: "callback_repeated", breaks: func(b *broken) {
		b.callback = func(ctx context.Context, r sdk.CallbackRequest) (*sdk.CallbackResult, error) {
			out, err := b.Provider.HandleCallback(ctx, r)
			if err == nil && len(out.Facts) > 0 {
				out.EventID = out.Facts[0].Payment.Refs[0].Value
			}
			return out, err
		}
	}},
	"unsigned is genuine": {rule: "callback_forged", breaks: func(b *broken) {
		b.callback = func(ctx context.Context, r sdk.CallbackRequest) (*sdk.CallbackResult, error) {
			if len(r.Headers) == 0 {
				return &sdk.CallbackResult{Verdict: sdk.Genuine}, nil
			}
			return b.Provider.HandleCallback(ctx, r)
		}
	}},
	"believes another payment's signature": {rule: "callback_forged", breaks: func(b *broken) {
		b.callback = func(ctx context.Context, r sdk.CallbackRequest) (*sdk.CallbackResult, error) {
			res, err := b.Provider.HandleCallback(ctx, r)
			if err == nil && res.Reason == "the signature does not match" && json.Valid(r.Body) && bytes.Contains(r.Body, []byte("payment")) {
				return &sdk.CallbackResult{Verdict: sdk.Genuine}, nil
			}
			return res, err
		}
	}},
	"panics on what is no event": {rule: "callback_malformed", breaks: func(b *broken) {
		b.callback = func(ctx context.Context, r sdk.CallbackRequest) (*sdk.CallbackResult, error) {
			if bytes.HasPrefix(r.Body, []byte("[")) {
				panic("no event")
			}
			return b.Provider.HandleCallback(ctx, r)
		}
	}},
	"what is no event is an error": {rule: "callback_malformed", breaks: func(b *broken) {
		b.callback = func(ctx context.Context, r sdk.CallbackRequest) (*sdk.CallbackResult, error) {
			if string(r.Body) == "null" {
				return nil, errors.New("no event")
			}
			return b.Provider.HandleCallback(ctx, r)
		}
	}},
	"no age": {rule: "callback_stale", breaks: func(b *broken) {
		b.callback = func(ctx context.Context, r sdk.CallbackRequest) (*sdk.CallbackResult, error) {
			if unix, err := strconv.ParseInt(r.Get("Acmepay-Time"), 10, 64); err == nil {
				r.ReceivedAt = time.Unix(unix, 0)
			}
			return b.Provider.HandleCallback(ctx, r)
		}
	}},
}
