package telemetry

import (
	"context"
	"io"
	"log/slog"
	"slices"
)

// LogOptions say how to log.
type LogOptions struct {
	Level   slog.Level
	JSON    bool
	Secrets *Secrets // nil: none but attributes that are named like one

	// FromContext tells what a record's context knows: the request, the order.
	FromContext func(context.Context) []slog.Attr
}

// NewLogger logs to w, one record a line, without secrets.
func NewLogger(w io.Writer, o LogOptions) *slog.Logger {
	if o.Secrets == nil {
		o.Secrets = &Secrets{}
	}
	w = o.Secrets.Writer(w)
	options := &slog.HandlerOptions{Level: o.Level, ReplaceAttr: hide}
	var h slog.Handler = slog.NewTextHandler(w, options)
	if o.JSON {
		h = slog.NewJSONHandler(w, options)
	}
	if o.FromContext != nil {
		h = handler{h, o.FromContext}
	}
	return slog.New(h)
}

// hide blanks an attribute that is named like a secret, or is in a group that is.
func hide(groups []string, a slog.Attr) slog.Attr {
	if SecretName(a.Key) || slices.ContainsFunc(groups, SecretName) {
		return slog.String(a.Key, Hidden)
	}
	if a.Value.Kind() == slog.KindDuration {
		a.Value = slog.StringValue(a.Value.Duration().String()) // "25s", not 25000000000
	}
	return a
}

// handler adds what the context knows, unless the record says it itself.
type handler struct {
	slog.Handler
	fromContext func(context.Context) []slog.Attr
}

func (h handler) Handle(ctx context.Context, r slog.Record) error {
	known := h.fromContext(ctx)
	if len(known) == 0 {
		return h.Handler.Handle(ctx, r)
	}
	r.Attrs(func(a slog.Attr) bool {
		known = slices.DeleteFunc(known, func(k slog.Attr) bool { return k.Key == a.Key })
		return true
	})
	r = r.Clone()
	r.AddAttrs(known...)
	return h.Handler.Handle(ctx, r)
}

func (h handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return handler{h.Handler.WithAttrs(attrs), h.fromContext}
}

func (h handler) WithGroup(name string) slog.Handler {
	return handler{h.Handler.WithGroup(name), h.fromContext}
}
