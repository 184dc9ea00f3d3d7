package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/superpayhub/superpay/sdk"
	"github.com/superpayhub/superpay/sdk/once"
)

const (
	webhooksPath = "/v1/notifications/webhooks"
	addressTaken = "WEBHOOK_URL_ALREADY_EXISTS"
	everyType    = "*" // subscribes to all events, "including events as they are added"
)

// webhook is one of the REST app's.
type webhook struct {
	ID    string      `json:"id,omitempty"`
	URL   string      `json:"url"`
	Types []eventType `json:"event_types"`
}

type eventType struct {
	Name string `json:"name"`
}

func typesOf(names []string) (types []eventType) {
	for _, name := range names {
		types = append(types, eventType{name})
	}
	return types
}

func (w webhook) has(name string) bool { return slices.Contains(w.Types, eventType{name}) }

// lacks are the event types of these that it is not subscribed to.
func (w webhook) lacks(wanted []string) (missing []string) {
	for _, name := range wanted {
		if !w.has(name) && !w.has(everyType) {
			missing = append(missing, name)
		}
	}
	return missing
}

// patch is one operation of a JSON Patch. For webhooks PayPal "supports only the
// replace operation", of /url and of /event_types.
type patch struct {
	Op    string `json:"op"`
	Path  string `json:"path"`
	Value any    `json:"value"`
}

// patches is what has to change for the webhook to be right. PayPal refuses a
// patch that changes nothing.
func (w webhook) patches(address string, wanted []string) (out []patch) {
	if w.URL != address {
		out = append(out, patch{"replace", "/url", address})
	}
	if len(w.lacks(wanted)) > 0 {
		out = append(out, patch{"replace", "/event_types", typesOf(wanted)})
	}
	return out
}

// settle judges the webhook that is ours, after it made it right if it may. It
// returns a refusal that comes of webhooks being others than the list had shown:
// then another look is due.
func (c *connection) settle(ctx context.Context, wanted []string) (raced, err error) {
	list, err := c.webhooks(ctx)
	if isDenied(err) {
		return c.refused(err)
	}
	if err != nil {
		return nil, outcome("list webhooks", err)
	}
	ours, found := c.ours(list)
	changed := ""
	switch patches := ours.patches(c.callback, wanted); {
	case !found && !c.repair:
		c.judgeID(list, "")
		c.bad(sdk.FindingEndpoint, "This REST app has no webhook that calls the hub at "+c.callback+", so PayPal reports nothing. "+mend)
		return nil, nil
	case !c.repair, found && len(patches) == 0:
	case !found:
		changed = "It is new."
		ours, err = c.change(ctx, post(webhooksPath, "", webhook{URL: c.callback, Types: typesOf(wanted)}), "")
	default:
		changed = "It was corrected."
		ours, err = c.change(ctx, call{method: http.MethodPatch, path: webhooksPath + "/" + ours.ID, in: patches}, ours.ID)
	}
	if err != nil {
		return c.refused(err)
	}
	c.judge(list, ours, wanted, changed)
	return nil, nil
}

const mend = "`hub provider connect`, or the console, puts it right."

// webhooks lists the webhooks of the REST app; there are ten at most.
func (c *connection) webhooks(ctx context.Context) ([]webhook, error) {
	var list struct {
		Webhooks []webhook `json:"webhooks"`
	}
	err := c.api.send(ctx, get(webhooksPath), &list)
	if err == nil && list.Webhooks == nil {
		err = once.ErrUnreadable
	}
	return slices.DeleteFunc(list.Webhooks, func(w webhook) bool { return !webhookForm.MatchString(w.ID) }), err
}

// ours is the webhook that calls the hub already, else the one of the settings.
// The address goes first: PayPal takes it only once, so that no other webhook
// could get it.
func (c *connection) ours(list []webhook) (webhook, bool) {
	for _, is := range []func(webhook) bool{
		func(w webhook) bool { return w.URL == c.callback },
		func(w webhook) bool { return w.ID == c.settings.webhookID },
	} {
		if i := slices.IndexFunc(list, is); i >= 0 {
			return list[i], true
		}
	}
	return webhook{}, false
}

// change sends a change and returns the webhook as it is since, of that id.
func (c *connection) change(ctx context.Context, change call, id string) (webhook, error) {
	var now webhook
	err := c.api.send(ctx, change, &now)
	if err == nil && (!webhookForm.MatchString(now.ID) || id != "" && now.ID != id) {
		err = once.ErrUnreadable
	}
	return now, err
}

// refused tells PayPal's refusal as a finding, or returns it as raced where it
// means that somebody else changed the webhooks meanwhile.
func (c *connection) refused(err error) (raced, _ error) {
	var p *problem
	switch {
	case !errors.As(err, &p):
		return nil, outcome("change webhook", err)
	case p.is(addressTaken), p.is("WEBHOOK_PATCH_REQUEST_NO_CHANGE"), isMissing(err):
		return err, nil
	case p.is("WEBHOOK_NUMBER_LIMIT_EXCEEDED"):
		c.bad(sdk.FindingEndpoint, "PayPal takes ten webhooks of a REST app, and this one has them, none of them for "+c.callback+
			". Remove one that nobody needs, at developer.paypal.com, Apps & Credentials, the app, and connect again.")
	case isDenied(err):
		c.bad(sdk.FindingEndpoint, "PayPal does not let this REST app look after its webhooks. Make one by hand for "+c.callback+
			" at developer.paypal.com, Apps & Credentials, the app, and put its id into the setting webhook_id.")
	case p.isFinal():
		c.bad(sdk.FindingEndpoint, "PayPal refuses the webhook for "+c.callback+": "+p.words()+".")
	default:
		return nil, outcome("change webhook", err)
	}
	return nil, nil
}

// judge says what is wrong with the webhook. Its id is part of what PayPal signs.
func (c *connection) judge(list []webhook, ours webhook, wanted []string, changed string) {
	before := len(c.found.Findings)
	switch {
	case ours.ID == c.settings.webhookID:
	case c.repair:
		c.found.Settings = sdk.Settings{"webhook_id": ours.ID}
	default:
		c.judgeID(list, ours.ID)
	}
	if ours.URL != c.callback {
		c.bad(sdk.FindingEndpoint, "PayPal's webhook "+ours.ID+" calls another address than the hub's, "+c.callback+". "+mend)
	}
	if missing := ours.lacks(wanted); len(missing) > 0 {
		c.bad(sdk.FindingEndpoint, "PayPal's webhook "+ours.ID+" is not subscribed to "+strings.Join(missing, ", ")+". "+mend)
	}
	if len(c.found.Findings) > before {
		return
	}
	text := fmt.Sprintf("PayPal's webhook %s calls the hub at %s, with the %d event types that it needs.", ours.ID, c.callback, len(wanted))
	if changed != "" {
		text += " " + changed
	}
	if ours.has(everyType) {
		text += " It is subscribed to all events (*), which is more than is needed."
	} else if n := len(ours.Types) - len(wanted); n > 0 {
		text += fmt.Sprintf(" It is subscribed to %d others too, which is more than is needed.", n)
	}
	c.good(sdk.FindingEndpoint, text)
}

// judgeID says what is wrong with the id of the settings, where the right one is
// another, or none yet.
func (c *connection) judgeID(list []webhook, right string) {
	id, known := c.settings.webhookID, false
	for _, w := range list {
		known = known || w.ID == id
	}
	switch {
	case id == "" && right == "": // that there is no webhook says it all
	case id == "":
		c.bad(sdk.FindingEndpoint, "The setting webhook_id is empty; PayPal's webhook for the hub is "+right+". "+mend)
	case !known:
		c.bad(sdk.FindingEndpoint, "The setting webhook_id, "+id+", is of no webhook of this REST app, so every genuine callback is refused. "+mend)
	default:
		c.bad(sdk.FindingEndpoint, "The setting webhook_id, "+id+", is of a webhook with another address; the one that calls the hub is "+right+
			", whose callbacks are refused. "+mend)
	}
}

// is reports whether that is the problem's name: that of webhooks has no issue.
func (p *problem) is(name string) bool { return p.Name == name || p.issue() == name }

const maxWords = 200

var notWords = regexp.MustCompile(`[^A-Za-z0-9 _.,:;'*/()-]+`)

// words are PayPal's own of a refused webhook, which tell more than its name: that
// is VALIDATION_ERROR for an address as for an event type. The request held no secret.
func (p *problem) words() string {
	said := []string{p.Name, p.Message}
	for _, d := range p.Details {
		said = append(said, strings.TrimSpace(d.Field+" "+d.Issue))
	}
	said = slices.DeleteFunc(said, func(s string) bool { return s == "" })
	text := notWords.ReplaceAllString(strings.Join(said, ": "), "")
	return text[:min(len(text), maxWords)] + p.debug()
}
