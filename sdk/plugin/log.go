package plugin

import (
	"context"
	"io"
	"log/slog"
	"strings"
	"sync/atomic"

	"google.golang.org/grpc/metadata"
)

// Names of the gRPC metadata by which a call's ids travel.
const (
	requestIDKey = "superpay-request-id"
	orderIDKey   = "superpay-order-id"
)

// maxID bounds an id on its way into headers and logs, in bytes.
const maxID = 128

// Outgoing adds a call's ids to its metadata. An id that a header cannot carry
// is left out: a request id may be a stranger's, and it must not fail a call.
func Outgoing(ctx context.Context, requestID, orderID string) context.Context {
	var pairs []string
	if printable(requestID) {
		pairs = append(pairs, requestIDKey, requestID)
	}
	if printable(orderID) {
		pairs = append(pairs, orderIDKey, orderID)
	}
	if pairs == nil {
		return ctx
	}
	return metadata.AppendToOutgoingContext(ctx, pairs...)
}

func printable(id string) bool {
	outside := func(r rune) bool { return r <= ' ' || r > '~' }
	return id != "" && len(id) <= maxID && !strings.ContainsFunc(id, outside)
}

type loggerKey struct{}

// Logger is the logger of the call that ctx belongs to: its lines reach the
// hub's log with the call's request and order ids, without the secrets among
// the settings.
func Logger(ctx context.Context) *slog.Logger {
	log, ok := ctx.Value(loggerKey{}).(*slog.Logger)
	if !ok {
		return slog.Default()
	}
	md, _ := metadata.FromIncomingContext(ctx)
	if id := md.Get(requestIDKey); len(id) == 1 {
		log = log.With("request_id", id[0])
	}
	if id := md.Get(orderIDKey); len(id) == 1 {
		log = log.With("order_id", id[0])
	}
	return log
}

// newLogger writes what the hub's side of go-plugin reads: hclog's JSON.
func newLogger(w io.Writer, level slog.Level, scrub *atomic.Pointer[Scrubber]) *slog.Logger {
	rename := func(groups []string, a slog.Attr) slog.Attr {
		if len(groups) > 0 {
			return a
		}
		switch a.Key {
		case slog.TimeKey:
			return slog.String("@timestamp", a.Value.Time().Format("2006-01-02T15:04:05.000000Z07:00"))
		case slog.LevelKey:
			return slog.String("@level", strings.ToLower(a.Value.String()))
		case slog.MessageKey:
			return slog.String("@message", a.Value.String())
		}
		return a
	}
	options := &slog.HandlerOptions{Level: level, ReplaceAttr: rename}
	return slog.New(slog.NewJSONHandler(&scrubWriter{w, scrub}, options))
}

// scrubWriter scrubs line by line: a slog handler writes each record at once.
type scrubWriter struct {
	out   io.Writer
	scrub *atomic.Pointer[Scrubber]
}

func (w *scrubWriter) Write(line []byte) (int, error) {
	if _, err := io.WriteString(w.out, w.scrub.Load().Text(string(line))); err != nil {
		return 0, err
	}
	return len(line), nil
}
