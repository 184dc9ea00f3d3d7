package sdk

import (
	"errors"
	"fmt"
)

// A plugin's method ends in one of four ways:
//
//	(payment, nil)  the provider answered; a decline is a Payment with Failure
//	Rejected        the provider answered no, and nothing happened
//	NotSent         the request provably never left
//	any other error unknown: it may have happened
//
// Unknown is the default on purpose. A timeout, a connection that broke, an
// answer that cannot be read, a panic: none of them proves that no money
// moved. Mark an error as Rejected or NotSent only where you can prove it.

// RejectedError says that the provider refused and nothing happened.
type RejectedError struct{ Failure Failure }

func (e *RejectedError) Error() string {
	return fmt.Sprintf("rejected by the provider: %s (%s) %s", e.Failure.Code, e.Failure.ProviderCode, e.Failure.Message)
}

// Rejected marks a refusal that had no effect.
func Rejected(f Failure) error { return &RejectedError{f} }

// NotSentError says that the request never left this process, or was refused
// before the provider looked at it. On a repeat it says so of this sending
// only: whether an earlier one arrived stays unknown.
type NotSentError struct{ Reason string }

func (e *NotSentError) Error() string { return "not sent: " + e.Reason }

// NotSent marks a request that provably never left. The reason holds no secret.
func NotSent(reason string) error { return &NotSentError{reason} }

// MismatchError says that the provider refused a repeat because its parameters
// differ from the first sending. So the first sending arrived.
type MismatchError struct{ Reason string }

func (e *MismatchError) Error() string { return "idempotency mismatch: " + e.Reason }

// Mismatch marks the answer to a repeated key with other parameters.
func Mismatch(reason string) error { return &MismatchError{reason} }

// ErrNotFound is GetPayment's and GetRefund's answer when the provider
// answered that there is no such thing.
var ErrNotFound = errors.New("not found at the provider")

// SettingsError says which setting is wrong and why; it never holds the value.
type SettingsError struct{ Field, Reason string }

func (e *SettingsError) Error() string { return fmt.Sprintf("setting %q: %s", e.Field, e.Reason) }
