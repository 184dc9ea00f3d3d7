package plugin

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/superpayhub/superpay/sdk"
	pb "github.com/superpayhub/superpay/sdk/plugin/pluginv1"
)

// maxErrorText bounds, in bytes, what one error may say: it travels in headers
// and ends in logs.
const maxErrorText = 1024

// errNotOffered answers a call of an optional interface that the provider
// lacks. It is a refusal: nothing was sent.
var errNotOffered = sdk.Rejected(sdk.Failure{Code: sdk.FailureState, Message: "not offered by this plugin"})

// toStatus makes an error fit to cross: without secrets, and with its outcome
// as a detail. An error without that detail is unknown.
func toStatus(err error, scrub *Scrubber) error {
	clean := func(s string) string { return shorten(scrub.Text(s)) }
	outcome, code := outcomeOf(err)
	outcome.Reason, outcome.Field = clean(outcome.Reason), clean(outcome.Field)
	if f := outcome.Failure; f != nil {
		f.Code, f.ProviderCode, f.Message = clean(f.Code), clean(f.ProviderCode), clean(f.Message)
	}
	st := status.New(code, clean(err.Error()))
	if outcome.Kind == pb.Outcome_UNKNOWN {
		return st.Err()
	}
	detailed, failed := st.WithDetails(outcome)
	if failed != nil {
		return st.Err()
	}
	return detailed.Err()
}

// outcomeOf classifies an error. The code is for people who look at the wire;
// only the outcome counts.
func outcomeOf(err error) (*pb.Outcome, codes.Code) {
	var (
		rejected *sdk.RejectedError
		notSent  *sdk.NotSentError
		mismatch *sdk.MismatchError
		settings *sdk.SettingsError
	)
	switch {
	case errors.As(err, &rejected):
		return &pb.Outcome{Kind: pb.Outcome_REJECTED, Failure: toFailure(&rejected.Failure)}, codes.FailedPrecondition
	case errors.As(err, &notSent):
		return &pb.Outcome{Kind: pb.Outcome_NOT_SENT, Reason: notSent.Reason}, codes.Aborted
	case errors.As(err, &mismatch):
		return &pb.Outcome{Kind: pb.Outcome_MISMATCH, Reason: mismatch.Reason}, codes.AlreadyExists
	case errors.As(err, &settings):
		return &pb.Outcome{Kind: pb.Outcome_SETTINGS, Field: settings.Field, Reason: settings.Reason}, codes.InvalidArgument
	case errors.Is(err, sdk.ErrNotFound):
		return &pb.Outcome{Kind: pb.Outcome_NOT_FOUND}, codes.NotFound
	case errors.Is(err, context.DeadlineExceeded): // unknown, but it can be told why
		return &pb.Outcome{}, codes.DeadlineExceeded
	case errors.Is(err, context.Canceled):
		return &pb.Outcome{}, codes.Canceled
	}
	return &pb.Outcome{}, codes.Unknown
}

// fromStatus is the other end of toStatus. It scrubs again, as a plugin need
// not be made with this package.
func fromStatus(err error, scrub *Scrubber) error {
	clean := func(s string) string { return shorten(scrub.Text(s)) }
	st := status.Convert(err)
	for _, detail := range st.Details() {
		outcome, ok := detail.(*pb.Outcome)
		if !ok {
			continue
		}
		switch outcome.Kind {
		case pb.Outcome_REJECTED:
			f := outcome.GetFailure()
			return sdk.Rejected(sdk.Failure{
				Code: clean(f.GetCode()), ProviderCode: clean(f.GetProviderCode()), Message: clean(f.GetMessage()),
			})
		case pb.Outcome_NOT_SENT:
			return sdk.NotSent(clean(outcome.Reason))
		case pb.Outcome_MISMATCH:
			return sdk.Mismatch(clean(outcome.Reason))
		case pb.Outcome_SETTINGS:
			return &sdk.SettingsError{Field: clean(outcome.Field), Reason: clean(outcome.Reason)}
		case pb.Outcome_NOT_FOUND:
			return sdk.ErrNotFound
		}
	}
	switch text := clean(st.Message()); st.Code() {
	case codes.Unimplemented: // an older plugin, without a method that was added since
		return errNotOffered
	case codes.DeadlineExceeded:
		return fmt.Errorf("plugin call: %w: %s", context.DeadlineExceeded, text)
	case codes.Canceled:
		return fmt.Errorf("plugin call: %w: %s", context.Canceled, text)
	default:
		return errors.New("plugin call: " + text)
	}
}

// shorten cuts an overlong text and whatever is not UTF-8, which protobuf
// would refuse to carry.
func shorten(s string) string {
	if len(s) > maxErrorText {
		s = s[:maxErrorText] + "..."
	}
	return strings.ToValidUTF8(s, "")
}
