package access

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/alexedwards/argon2id"

	"github.com/superpayhub/superpay/hub/internal/ledger"
)

// One password check takes 46 MiB and about a tenth of a second of a core
// (OWASP's advice). Two at once bound what sign-ins may take of the machine.
var (
	hashing      = &argon2id.Params{Memory: 46 << 10, Iterations: 1, Parallelism: 1, SaltLength: 16, KeyLength: 32}
	hashingSlots = make(chan struct{}, 2)
)

// light is for passwords that are random themselves: what protects those is
// their length.
var light = &argon2id.Params{Memory: 1 << 10, Iterations: 1, Parallelism: 1, SaltLength: 16, KeyLength: 32}

// nobody is what a password is compared with if there is no such user, so that
// the answer takes as long.
const nobody = "$argon2id$v=19$m=47104,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

const (
	minPassword = 12
	maxPassword = 200
)

// NewPassword makes one of 120 random bits, that can be read out.
func NewPassword() string {
	text := strings.ToLower(rand.Text())[:24]
	return text[:6] + "-" + text[6:12] + "-" + text[12:18] + "-" + text[18:]
}

// HashNewPassword hashes what NewPassword made, at once.
func HashNewPassword(password string) (string, error) {
	return argon2id.CreateHash(password, light)
}

// HashPassword checks that a password may be one, and hashes it. It waits for
// its turn, as long as ctx allows.
func HashPassword(ctx context.Context, password, email string) (string, error) {
	switch {
	case utf8.RuneCountInString(password) < minPassword:
		return "", invalid("password", "password_short", fmt.Sprintf("must have at least %d characters", minPassword))
	case len(password) > maxPassword:
		return "", invalid("password", "password_long", fmt.Sprintf("must have at most %d bytes", maxPassword))
	case strings.EqualFold(password, email):
		return "", invalid("password", "password_is_email", "must not be the e-mail address")
	}
	leave, err := enterHashing(ctx)
	if err != nil {
		return "", err
	}
	defer leave()
	return argon2id.CreateHash(password, hashing)
}

// CheckPassword reports whether it is the one that was hashed. "" as hash takes
// as long and is wrong.
func CheckPassword(ctx context.Context, password, hash string) (bool, error) {
	leave, err := enterHashing(ctx)
	if err != nil {
		return false, err
	}
	defer leave()
	if hash == "" {
		_, _ = argon2id.ComparePasswordAndHash(password, nobody)
		return false, nil
	}
	ok, err := argon2id.ComparePasswordAndHash(password, hash)
	if err != nil {
		return false, fmt.Errorf("check a password: %w", err)
	}
	return ok, nil
}

func enterHashing(ctx context.Context) (leave func(), err error) {
	select {
	case hashingSlots <- struct{}{}:
		return func() { <-hashingSlots }, nil
	case <-ctx.Done():
		return nil, &ledger.Error{Kind: ledger.Unavailable, Code: "busy", Message: "too many people sign in at once; try again in a moment"}
	}
}
