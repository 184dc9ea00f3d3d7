package api

import (
	"errors"
	"log/slog"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gofiber/fiber/v2"

	"github.com/superpayhub/superpay/hub/internal/ledger"
)

// Problem is every error answer (RFC 9457). It never repeats what was sent: a
// card number or a key in a wrong place must not come back or reach a log.
type Problem struct {
	Type         string `json:"type,omitempty" doc:"Always about:blank; code tells errors apart"`
	Title        string `json:"title" doc:"The HTTP status in words"`
	Status       int    `json:"status"`
	Detail       string `json:"detail" doc:"What is wrong and what to do"`
	Code         string `json:"code" doc:"Stable, for programs"`
	Param        string `json:"param,omitempty" doc:"The field to blame"`
	RequestID    string `json:"request_id,omitempty"`
	OrderID      string `json:"order_id,omitempty" doc:"The order that is in the way"`
	AttemptID    string `json:"attempt_id,omitempty" doc:"The attempt that is in the way"`
	Held         *Held  `json:"held,omitempty" doc:"The money that is in the way"`
	ProviderCode string `json:"provider_code,omitempty" doc:"The provider's own code"`

	retryAfter time.Duration
}

// Held is money that a provider has of an order.
type Held struct {
	Amount   int64  `json:"amount" doc:"In minor units"`
	Currency string `json:"currency" doc:"ISO 4217" example:"USD"`
	Exponent int    `json:"exponent" doc:"Digits of the minor unit"`
}

func (p *Problem) Error() string { return p.Code + ": " + p.Detail }

// GetStatus makes a Problem an answer of huma.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType is RFC 9457's.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

// GetHeaders carries Retry-After.
func (p *Problem) GetHeaders() http.Header {
	h := http.Header{}
	if p.retryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(int((p.retryAfter+time.Second-1)/time.Second)))
	}
	return h
}

var statusOf = map[ledger.Kind]int{
	ledger.Invalid:      http.StatusUnprocessableEntity,
	ledger.Conflict:     http.StatusConflict,
	ledger.NotFound:     http.StatusNotFound,
	ledger.Unauthorized: http.StatusUnauthorized,
	ledger.Forbidden:    http.StatusForbidden,
	ledger.TooMany:      http.StatusTooManyRequests,
	ledger.Rejected:     http.StatusUnprocessableEntity,
	ledger.Unavailable:  http.StatusServiceUnavailable,
}

// problemOf maps errors outward, once. What the hub did not expect is logged
// with its cause and told as "unavailable": the caller repeats, with the key.
func problemOf(err error, requestID string, log *slog.Logger) *Problem {
	var p *Problem
	var e *ledger.Error
	var f *fiber.Error
	switch {
	case errors.As(err, &p):
	case errors.As(err, &e):
		p = newProblem(statusOf[e.Kind], e.Code, e.Message)
		p.Param, p.OrderID, p.ProviderCode, p.retryAfter = e.Param, e.OrderID, e.ProviderCode, e.RetryAfter
		p.AttemptID = e.AttemptID
		if !e.Held.IsZero() {
			p.Held = &Held{e.Held.Amount, e.Held.Currency, e.Held.Exponent}
		}
	case errors.As(err, &f):
		p = newProblem(f.Code, codeOf(f.Code), f.Message)
	default:
		log.Error("request failed", "request_id", requestID, "error", err)
		p = newProblem(http.StatusServiceUnavailable, "unavailable", "the hub cannot do this right now; repeat the request with the same Idempotency-Key")
		p.retryAfter = 2 * time.Second
	}
	p.RequestID = requestID
	return p
}

func newProblem(status int, code, detail string) *Problem {
	return &Problem{Title: http.StatusText(status), Status: status, Detail: detail, Code: code}
}

// codeOf names the errors of the HTTP layer: 404 is not_found, and so on.
func codeOf(status int) string {
	return strings.ReplaceAll(strings.ToLower(http.StatusText(status)), " ", "_")
}

// missing is how huma words a field that is not there.
var missing = regexp.MustCompile(`^expected required property (\S+) to be present$`)

// validation builds the Problem for what huma refused. It names the field and
// says why, without the value.
func validation(ctx huma.Context, status int, msg string, errs ...error) huma.StatusError {
	if msg == "request body is required" { // huma's words; nothing is read into what is not there
		status, msg = http.StatusUnprocessableEntity, "the body is missing: send a JSON object; {} where the call needs no field"
	}
	p := newProblem(status, codeOf(status), msg)
	if ctx != nil {
		p.RequestID = requestID(ctx.Context())
	}
	if status == http.StatusUnprocessableEntity || status == http.StatusBadRequest {
		p.Code = "invalid_request"
	}
	var said []string
	for _, err := range errs {
		var d *huma.ErrorDetail
		if !errors.As(err, &d) {
			continue
		}
		param, why := d.Location, d.Message
		if m := missing.FindStringSubmatch(why); m != nil {
			param, why = param+"."+m[1], "is required"
		}
		for _, place := range []string{"body.", "header.", "query.", "path."} {
			param = strings.TrimPrefix(param, place)
		}
		param = field(param)
		if p.Param == "" {
			p.Param = param
		}
		said = append(said, param+": "+why)
	}
	if len(said) > 5 {
		said = append(said[:5], "and more")
	}
	if len(said) > 0 {
		p.Detail = strings.Join(said, "; ")
	}
	return p
}

// field cuts a location that came from the sender to a harmless size.
func field(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < 0x20 || r > 0x7e {
			return '?'
		}
		return r
	}, s)
	if len(s) > 60 {
		s = s[:60]
	}
	return s
}

// write answers with a problem, outside of huma.
func (p *Problem) write(c *fiber.Ctx) error {
	for k, v := range p.GetHeaders() {
		c.Set(k, v[0])
	}
	if err := c.Status(p.Status).JSON(p); err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, "application/problem+json")
	return nil
}
