package providers

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log"
	"log/slog"
	"strings"
	"sync/atomic"

	"github.com/hashicorp/go-hclog"

	"github.com/superpayhub/superpay/sdk/plugin"
)

const (
	maxLine = 64 << 10 // a longer line of a plugin is cut
	cutBack = 1 << 10  // from the end of a cut line, as it may end inside a secret
)

// lines joins what a plugin writes into the hub's log, without the secrets it
// was configured with.
type lines struct {
	log      *slog.Logger
	client   *atomic.Pointer[plugin.Client] // nil until it is connected
	rest     []byte                         // of a line that has not ended
	cut      bool                           // the rest of this line is dropped
	panicked bool                           // all that follows is the stack
}

func (l *lines) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		end := bytes.IndexByte(rest, '\n')
		if end < 0 {
			l.keep(rest)
			break
		}
		l.keep(rest[:end])
		if !l.cut {
			l.line(l.scrub(string(l.rest)))
		}
		l.rest, l.cut = l.rest[:0], false
		rest = rest[end+1:]
	}
	return len(p), nil
}

func (l *lines) keep(part []byte) {
	if l.cut {
		return
	}
	l.rest = append(l.rest, part[:min(len(part), maxLine-len(l.rest))]...)
	if len(l.rest) == maxLine {
		whole := l.scrub(string(l.rest))
		l.line(whole[:max(0, len(whole)-cutBack)] + "... (cut)")
		l.cut = true
	}
}

func (l *lines) scrub(text string) string {
	if c := l.client.Load(); c != nil {
		return c.Scrub(text)
	}
	return text
}

// line logs one line: hclog's JSON with its level, anything else as text.
func (l *lines) line(text string) {
	ctx := context.Background()
	var fields map[string]any
	if json.Unmarshal([]byte(text), &fields) == nil {
		message, _ := fields["@message"].(string)
		name, _ := fields["@level"].(string)
		var attrs []slog.Attr
		for key, value := range fields {
			if s, ok := value.(string); ok {
				value = l.scrub(s) // it may have been spelled otherwise in JSON
			}
			if !strings.HasPrefix(key, "@") {
				attrs = append(attrs, slog.Any(key, value))
			}
		}
		l.log.LogAttrs(ctx, levelOf(name), l.scrub(message), attrs...)
		return
	}
	level := slog.LevelInfo
	if l.panicked = l.panicked || strings.HasPrefix(text, "panic: ") || strings.HasPrefix(text, "fatal error: "); l.panicked {
		level = slog.LevelError
	}
	if strings.TrimSpace(text) != "" {
		l.log.LogAttrs(ctx, level, text)
	}
}

func levelOf(name string) slog.Level {
	switch hclog.LevelFromString(name) {
	case hclog.Trace, hclog.Debug:
		return slog.LevelDebug
	case hclog.Warn:
		return slog.LevelWarn
	case hclog.Error:
		return slog.LevelError
	}
	return slog.LevelInfo
}

// bridge lets go-plugin write to slog. All it says of itself is for debugging:
// what an operator needs, the supervisor says.
type bridge struct {
	log  *slog.Logger
	name string
	args []any
}

var _ hclog.Logger = bridge{}

func (b bridge) Log(_ hclog.Level, msg string, args ...any) { b.log.Debug("go-plugin: "+msg, args...) }
func (b bridge) Trace(string, ...any)                       {}
func (b bridge) Debug(msg string, args ...any)              { b.Log(hclog.Debug, msg, args...) }
func (b bridge) Info(msg string, args ...any)               { b.Log(hclog.Info, msg, args...) }
func (b bridge) Warn(msg string, args ...any)               { b.Log(hclog.Warn, msg, args...) }
func (b bridge) Error(msg string, args ...any)              { b.Log(hclog.Error, msg, args...) }

func (b bridge) IsTrace() bool { return false }
func (b bridge) IsDebug() bool { return b.log.Enabled(context.Background(), slog.LevelDebug) }
func (b bridge) IsInfo() bool  { return b.IsDebug() }
func (b bridge) IsWarn() bool  { return b.IsDebug() }
func (b bridge) IsError() bool { return b.IsDebug() }

func (b bridge) ImpliedArgs() []any { return b.args }
func (b bridge) Name() string       { return b.name }

func (b bridge) With(args ...any) hclog.Logger {
	return bridge{b.log.With(args...), b.name, append(b.args[:len(b.args):len(b.args)], args...)}
}

func (b bridge) Named(name string) hclog.Logger {
	return b.ResetNamed(strings.TrimPrefix(b.name+"."+name, "."))
}

func (b bridge) ResetNamed(name string) hclog.Logger { return bridge{b.log, name, b.args} }

func (b bridge) SetLevel(hclog.Level)  {}
func (b bridge) GetLevel() hclog.Level { return hclog.Debug }

func (b bridge) StandardLogger(o *hclog.StandardLoggerOptions) *log.Logger {
	return log.New(b.StandardWriter(o), "", 0)
}

func (b bridge) StandardWriter(*hclog.StandardLoggerOptions) io.Writer {
	return slog.NewLogLogger(b.log.Handler(), slog.LevelDebug).Writer()
}
