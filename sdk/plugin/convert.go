package plugin

import (
	"time"

	"github.com/superpayhub/superpay/sdk"
	pb "github.com/superpayhub/superpay/sdk/plugin/pluginv1"
)

// This file and convert_payment.go are the only place where the contract's
// types and the wire's meet: toX makes a message, fromX reads one. A field that
// is forgotten here fails TestConversionLosesNothing. Reading accepts nil
// messages, as generated getters do.

// each converts a list; an empty one is nil, as the wire cannot tell them apart.
func each[A, B any](in []A, f func(A) B) []B {
	if len(in) == 0 {
		return nil
	}
	out := make([]B, len(in))
	for i, a := range in {
		out[i] = f(a)
	}
	return out
}

// text converts between strings and types that are strings.
func text[B, A ~string](a A) B { return B(a) }

// toTime and fromTime keep the zero time, which has no unix nanoseconds.
func toTime(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}

func fromTime(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(0, n).UTC()
}

func toMoney(m sdk.Money) *pb.Money {
	return &pb.Money{Amount: m.Amount, Currency: m.Currency, Exponent: int32(m.Exponent)}
}

func fromMoney(m *pb.Money) sdk.Money {
	return sdk.Money{Amount: m.GetAmount(), Currency: m.GetCurrency(), Exponent: int(m.GetExponent())}
}

func toRef(r sdk.Ref) *pb.Ref   { return &pb.Ref{Kind: r.Kind, Value: r.Value} }
func fromRef(r *pb.Ref) sdk.Ref { return sdk.Ref{Kind: r.GetKind(), Value: r.GetValue()} }

func toURLs(u sdk.URLs) *pb.URLs {
	return &pb.URLs{Return: u.Return, Cancel: u.Cancel, Callback: u.Callback}
}

func fromURLs(u *pb.URLs) sdk.URLs {
	return sdk.URLs{Return: u.GetReturn(), Cancel: u.GetCancel(), Callback: u.GetCallback()}
}

func toDescription(d sdk.Description) *pb.Description {
	repeats := make(map[string]*pb.Repeat, len(d.Repeats))
	for kind, r := range d.Repeats {
		repeats[string(kind)] = &pb.Repeat{Deduplicated: r.Deduplicated, KeyLifetime: int64(r.KeyLifetime), Settling: int64(r.Settling)}
	}
	return &pb.Description{
		Name: d.Name, Title: d.Title, Version: d.Version,
		Settings: each(d.Settings, toField), Flows: each(d.Flows, toFlow), Repeats: repeats,
		Proof: string(d.Proof), Connects: d.Connects,
	}
}

func fromDescription(d *pb.Description) sdk.Description {
	repeats := make(map[sdk.OperationKind]sdk.Repeat, len(d.GetRepeats()))
	for kind, r := range d.GetRepeats() {
		repeats[sdk.OperationKind(kind)] = sdk.Repeat{
			Deduplicated: r.GetDeduplicated(),
			KeyLifetime:  time.Duration(r.GetKeyLifetime()),
			Settling:     time.Duration(r.GetSettling()),
		}
	}
	return sdk.Description{
		Name: d.GetName(), Title: d.GetTitle(), Version: d.GetVersion(),
		Settings: each(d.GetSettings(), fromField), Flows: each(d.GetFlows(), fromFlow), Repeats: repeats,
		Proof: sdk.Proof(d.GetProof()), Connects: d.GetConnects(),
	}
}

func toField(f sdk.Field) *pb.Field {
	return &pb.Field{
		Name: f.Name, Title: f.Title, Help: f.Help, Required: f.Required, Secret: f.Secret, Public: f.Public,
		Options: f.Options, Default: f.Default, MaxLen: int32(f.MaxLen), Several: f.Several, FromConnect: f.FromConnect,
	}
}

func fromField(f *pb.Field) sdk.Field {
	return sdk.Field{
		Name: f.GetName(), Title: f.GetTitle(), Help: f.GetHelp(), Required: f.GetRequired(), Secret: f.GetSecret(), Public: f.GetPublic(),
		Options: f.GetOptions(), Default: f.GetDefault(), MaxLen: int(f.GetMaxLen()), Several: f.GetSeveral(), FromConnect: f.GetFromConnect(),
	}
}

func toFlow(f sdk.Flow) *pb.Flow {
	return &pb.Flow{
		Name: f.Name, Title: f.Title, Inputs: each(f.Inputs, toField), Confirm: each(f.Confirm, toField),
		CaptureModes: each(f.CaptureModes, text[string]), Currencies: f.Currencies, Capabilities: each(f.Capabilities, text[string]),
		ExpiresAfter: int64(f.ExpiresAfter), Countries: f.Countries,
		Amounts: each(f.Amounts, func(r sdk.Range) *pb.Range { return &pb.Range{Least: toMoney(r.Least), Most: toMoney(r.Most)} }),
	}
}

func fromFlow(f *pb.Flow) sdk.Flow {
	return sdk.Flow{
		Name: f.GetName(), Title: f.GetTitle(), Inputs: each(f.GetInputs(), fromField), Confirm: each(f.GetConfirm(), fromField),
		CaptureModes: each(f.GetCaptureModes(), text[sdk.CaptureMode]), Currencies: f.GetCurrencies(),
		Capabilities: each(f.GetCapabilities(), text[sdk.Capability]),
		ExpiresAfter: time.Duration(f.GetExpiresAfter()), Countries: f.GetCountries(),
		Amounts: each(f.GetAmounts(), func(r *pb.Range) sdk.Range {
			return sdk.Range{Least: fromMoney(r.GetLeast()), Most: fromMoney(r.GetMost())}
		}),
	}
}

func toAccount(a sdk.Account) *pb.Account { return &pb.Account{Id: a.ID, Mode: string(a.Mode)} }

func fromAccount(a *pb.Account) sdk.Account {
	return sdk.Account{ID: a.GetId(), Mode: sdk.Mode(a.GetMode())}
}

func toCallbackRequest(r sdk.CallbackRequest) *pb.CallbackRequest {
	return &pb.CallbackRequest{
		ReceivedAt: toTime(r.ReceivedAt), Method: []byte(r.Method), Path: []byte(r.Path), Query: []byte(r.Query), Body: r.Body,
		Headers: each(r.Headers, func(h sdk.Header) *pb.Header {
			return &pb.Header{Name: []byte(h.Name), Value: []byte(h.Value)}
		}),
	}
}

func fromCallbackRequest(r *pb.CallbackRequest) sdk.CallbackRequest {
	return sdk.CallbackRequest{
		ReceivedAt: fromTime(r.GetReceivedAt()), Method: string(r.GetMethod()), Path: string(r.GetPath()), Query: string(r.GetQuery()), Body: r.GetBody(),
		Headers: each(r.GetHeaders(), func(h *pb.Header) sdk.Header {
			return sdk.Header{Name: string(h.GetName()), Value: string(h.GetValue())}
		}),
	}
}

func toCallbackResult(r *sdk.CallbackResult) *pb.CallbackResult {
	return &pb.CallbackResult{
		Verdict: string(r.Verdict), Reason: r.Reason, EventId: r.EventID, Type: r.Type,
		Facts: each(r.Facts, func(f sdk.Fact) *pb.Fact {
			return &pb.Fact{Proven: f.Proven, Payment: toPayment(&f.Payment), Expect: each(f.Expect, toExpectation)}
		}),
		Ack: &pb.Ack{Status: int32(r.Ack.Status), ContentType: r.Ack.ContentType, Body: r.Ack.Body},
	}
}

func fromCallbackResult(r *pb.CallbackResult) *sdk.CallbackResult {
	ack := r.GetAck()
	return &sdk.CallbackResult{
		Verdict: sdk.Verdict(r.GetVerdict()), Reason: r.GetReason(), EventID: r.GetEventId(), Type: r.GetType(),
		Facts: each(r.GetFacts(), func(f *pb.Fact) sdk.Fact {
			return sdk.Fact{Proven: f.GetProven(), Payment: *fromPayment(f.GetPayment()), Expect: each(f.GetExpect(), fromExpectation)}
		}),
		Ack: sdk.Ack{Status: int(ack.GetStatus()), ContentType: ack.GetContentType(), Body: ack.GetBody()},
	}
}

func toExpectation(e sdk.Expectation) *pb.Expectation {
	return &pb.Expectation{Kind: string(e.Kind), Id: e.ID, AtLeast: e.AtLeast, Amount: toMoney(e.Amount), Reversed: e.Reversed}
}

func fromExpectation(e *pb.Expectation) sdk.Expectation {
	return sdk.Expectation{
		Kind: sdk.ExpectationKind(e.GetKind()), ID: e.GetId(), AtLeast: e.GetAtLeast(), Amount: fromMoney(e.GetAmount()), Reversed: e.GetReversed(),
	}
}
