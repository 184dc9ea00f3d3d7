package access

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/hub/internal/postgres"
)

// NewUser is a user as somebody asks for it. hash is of the password; "" for
// one that signs in through OpenID Connect alone.
func NewUser(email, name string, role Role, hash string, now time.Time) (postgres.User, error) {
	u := postgres.User{ID: ledger.NewID("usr", now), Name: strings.TrimSpace(name), Role: string(role), CreatedAt: now}
	var err error
	if u.Email, err = checkEmail(email); err != nil {
		return u, err
	}
	if !role.May(Viewer) {
		return u, invalid("role", "role_invalid", "must be viewer, operator or admin")
	}
	if u.Name == "" {
		u.Name, _, _ = strings.Cut(u.Email, "@")
	}
	if utf8.RuneCountInString(u.Name) > 100 || !clean(u.Name) {
		return u, invalid("name", "name_invalid", "must be at most 100 characters, none of them control characters")
	}
	if hash != "" {
		u.Password = &hash
	}
	return u, nil
}

// invalid blames a field, with a code that the console has words for.
func invalid(param, code, message string) *ledger.Error {
	return &ledger.Error{Kind: ledger.Invalid, Code: code, Param: param, Message: message}
}

// AddUser stores a new user, and says so if the address is taken.
func AddUser(ctx context.Context, db *postgres.DB, u postgres.User) error {
	err := db.AddUser(ctx, u)
	if errors.Is(err, postgres.ErrDuplicate) {
		return &ledger.Error{Kind: ledger.Conflict, Code: "email_taken", Param: "email", Message: fmt.Sprintf("a user with the e-mail address %s exists already", u.Email)}
	}
	return err
}

// checkEmail returns the address in the one spelling that is stored.
func checkEmail(email string) (string, error) {
	email = strings.ToLower(strings.TrimSpace(email))
	local, domain, ok := strings.Cut(email, "@")
	if !ok || local == "" || domain == "" || len(email) > 254 || strings.ContainsAny(email, " <>\"',;") || strings.Contains(domain, "@") || !clean(email) {
		return "", invalid("email", "email_invalid", "must be an e-mail address, as li.wei@example.com")
	}
	return email, nil
}

// Typed is what somebody gave as an e-mail address, if it looks like one:
// people type passwords there.
func Typed(email string) string {
	if email, err := checkEmail(email); err == nil {
		return email
	}
	return "(no e-mail address)"
}

// clean reports whether a text is UTF-8 without control characters.
func clean(s string) bool {
	return utf8.ValidString(s) && strings.IndexFunc(s, func(r rune) bool { return r < 0x20 || r == 0x7f }) < 0
}
