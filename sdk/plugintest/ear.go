package plugintest

import (
	"context"
	"encoding/base64"
	"fmt"
	"strings"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/prototext"

	"github.com/superpayhub/superpay/sdk"
	pb "github.com/superpayhub/superpay/sdk/plugin/pluginv1"
)

// ear hears what leaves the plugin for people to read: its log, its errors, its
// failures and reasons. It listens on the wire, before the hub's side scrubs.
type ear struct {
	mu      sync.Mutex
	secrets map[string]string // by value: whose
	fields  map[string]bool   // inputs flagged secret, by flow and name
	heard   []utterance
}

type utterance struct{ where, text string }

// minSecret is the shortest value worth looking for: "sk_test_" alone is none.
// tail is how much of a secret's end is too much.
const (
	minSecret = 12
	tail      = 8
)

// learn tells which values are secrets.
func (e *ear) learn(d sdk.Description, settings sdk.Settings, p *Paper) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.secrets, e.fields = map[string]string{}, map[string]bool{}
	for _, f := range d.Settings {
		if !f.Secret {
			continue
		}
		for part := range strings.SplitSeq(settings[f.Name], ",") {
			e.add(strings.TrimSpace(part), "the setting "+f.Name)
		}
		for _, wrong := range p.WrongSettings[f.Name] {
			e.add(wrong, "a wrong value of the setting "+f.Name)
		}
	}
	for _, flow := range d.Flows {
		for _, f := range append(append([]sdk.Field{}, flow.Inputs...), flow.Confirm...) {
			e.fields[flow.Name+"."+f.Name] = f.Secret
		}
	}
}

func (e *ear) add(secret, whose string) {
	if len(secret) >= minSecret && !strings.Contains(secret, "{{") {
		e.secrets[secret] = whose
	}
}

// Write implements io.Writer for the process's output.
func (e *ear) Write(p []byte) (int, error) {
	e.say("the plugin's log", string(p))
	return len(p), nil
}

func (e *ear) say(where, text string) {
	if text = strings.TrimSpace(text); text == "" {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.heard = append(e.heard, utterance{where, text})
}

// listen is a gRPC interceptor.
func (e *ear) listen(ctx context.Context, method string, ask, answer any, conn *grpc.ClientConn, call grpc.UnaryInvoker, o ...grpc.CallOption) error {
	name := method[strings.LastIndex(method, "/")+1:]
	switch r := ask.(type) {
	case *pb.CheckoutRequest:
		e.inputs(r.GetFlow(), r.GetInput())
	case *pb.ConfirmRequest:
		e.inputs(r.GetPayment().GetFlow(), r.GetInput())
	}
	if err := call(ctx, method, ask, answer, conn, o...); err != nil {
		e.say("an error of "+name, err.Error())
		for _, detail := range status.Convert(err).Details() {
			e.say("an error of "+name, fmt.Sprint(detail))
		}
		return err
	}
	switch a := answer.(type) {
	case *pb.Payment:
		e.payment(name, a)
	case *pb.RefundResult:
		e.failure(name, a.GetFailure())
	case *pb.CallbackResult:
		e.say("the reason of "+name, a.GetReason())
		for _, f := range a.GetFacts() {
			e.payment(name, f.GetPayment())
		}
	}
	return nil
}

func (e *ear) inputs(flow string, input map[string]string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for name, value := range input {
		if e.fields[flow+"."+name] {
			e.add(value, "the input "+name)
		}
	}
}

// payment also learns the client secrets that a next action may hold.
func (e *ear) payment(method string, p *pb.Payment) {
	e.failure(method, p.GetFailure())
	for _, r := range p.GetRefunds().GetItems() {
		e.failure(method, r.GetFailure())
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for name, value := range p.GetNextAction().GetClient() {
		if strings.Contains(name, "secret") || strings.Contains(name, "token") {
			e.add(value, "the next action's "+name)
		}
	}
}

func (e *ear) failure(method string, f *pb.Failure) {
	if f != nil {
		e.say("a failure of "+method, prototext.Format(f))
	}
}

// leaks lists which secrets were heard, as they are, encoded, or by their end:
// a text without the first characters gives away as much.
func (e *ear) leaks() (found []string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for secret, whose := range e.secrets {
		spellings := []string{secret, base64.StdEncoding.EncodeToString([]byte(secret)), secret[len(secret)-tail:]}
		for _, u := range e.heard {
			for _, s := range spellings {
				if strings.Contains(u.text, s) {
					found = append(found, fmt.Sprintf("%s holds %s", u.where, whose))
					break
				}
			}
		}
	}
	return found
}
