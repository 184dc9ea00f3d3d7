package access

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/netip"
	"strings"
	"time"

	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/hub/internal/postgres"
)

const (
	// SessionLife ends a session however busy it is; an idle one ends sooner.
	SessionLife = 7 * 24 * time.Hour
	sessionIdle = 12 * time.Hour
	// DeviceLife is how long a browser is known after somebody signed in.
	DeviceLife = 180 * 24 * time.Hour
	// seeEvery spares a write for every page.
	seeEvery = 5 * time.Minute
)

var (
	// ErrNoSession says that a cookie opens nothing, or no more.
	ErrNoSession = errors.New("no session")
	// ErrWrongPassword does not say what was wrong: the address, the password,
	// or that the user may not come in.
	ErrWrongPassword = errors.New("the e-mail address or the password is wrong")
)

// TooManyTries says until when sign-in is refused.
type TooManyTries struct{ Until time.Time }

func (e *TooManyTries) Error() string {
	return "too many tries to sign in, again at " + e.Until.UTC().Format(time.RFC3339)
}

// Sessions signs people in and knows who is.
type Sessions struct {
	DB  *postgres.DB
	Now func() time.Time
}

// SignIn is somebody who wants to come in.
type SignIn struct {
	Email, Password string
	Device          string // the device cookie's value, if there is one
	Address, Agent  string
}

// Opened is a session that begins: what the browser's cookies hold.
type Opened struct {
	Token  string
	Device string
	User   postgres.User
	ID     string
}

// SignIn opens a session. ErrWrongPassword, or TooManyTries, which knows of the
// address and the account only what was tried, not whether there is such a one.
func (s *Sessions) SignIn(ctx context.Context, in SignIn) (Opened, error) {
	now := s.Now().UTC()
	user, err := s.DB.UserByEmail(ctx, strings.TrimSpace(in.Email))
	if err != nil && !errors.Is(err, postgres.ErrNotFound) {
		return Opened{}, err
	}
	known := false
	if user.ID != "" && in.Device != "" && len(in.Device) < 100 {
		if known, err = s.DB.KnownDevice(ctx, user.ID, HashKey(in.Device)); err != nil {
			return Opened{}, err
		}
	}
	tries := triesOf(in, known)
	for _, t := range tries {
		until, err := s.DB.TrySignIn(ctx, t, now)
		if err != nil {
			return Opened{}, err
		}
		if !until.IsZero() {
			return Opened{}, &TooManyTries{until}
		}
	}
	hash := ""
	if user.Password != nil && user.DisabledAt == nil {
		hash = *user.Password
	}
	ok, err := CheckPassword(ctx, in.Password, hash)
	if err != nil {
		return Opened{}, err
	}
	if !ok {
		return Opened{}, ErrWrongPassword
	}
	for _, t := range tries {
		// An address may be shared: the failures of others stay.
		if err := s.DB.ForgiveSignIn(ctx, t.Subject, !strings.HasPrefix(t.Subject, "address:")); err != nil {
			return Opened{}, err
		}
	}
	return s.Open(ctx, user, in)
}

// Confirm checks the password of somebody signed in: ErrWrongPassword, or
// TooManyTries. A browser that was left open must not be a place to guess.
func (s *Sessions) Confirm(ctx context.Context, user postgres.User, password string) error {
	t := Tries{Subject: "confirm:" + user.ID, Free: 5, First: time.Minute, Most: 15 * time.Minute}
	until, err := s.DB.TrySignIn(ctx, t, s.Now().UTC())
	if err != nil {
		return err
	}
	if !until.IsZero() {
		return &TooManyTries{until}
	}
	hash := ""
	if user.Password != nil {
		hash = *user.Password
	}
	ok, err := CheckPassword(ctx, password, hash)
	if err != nil {
		return err
	}
	if !ok {
		return ErrWrongPassword
	}
	return s.DB.ForgiveSignIn(ctx, t.Subject, true)
}

// triesOf are the counts that a try adds to: the address's, and the account's.
// A browser in which the user was signed in before has its own instead of the
// account's, so that strangers who guess do not lock the user out.
func triesOf(in SignIn, known bool) []Tries {
	account := "account:" + digest(strings.ToLower(strings.TrimSpace(in.Email)))
	if known {
		account = "device:" + digest(in.Device)
	}
	return []Tries{
		{Subject: "address:" + network(in.Address), Free: 30, First: time.Minute, Most: 15 * time.Minute},
		{Subject: account, Free: 5, First: time.Minute, Most: 15 * time.Minute},
	}
}

// Tries is how often a subject may fail.
type Tries = postgres.Tries

// Open begins a session of a user who has proved to be one.
func (s *Sessions) Open(ctx context.Context, user postgres.User, in SignIn) (Opened, error) {
	now := s.Now().UTC()
	o := Opened{Token: newToken(), Device: in.Device, User: user, ID: ledger.NewID("ses", now)}
	if len(o.Device) != len(o.Token) {
		o.Device = newToken()
	}
	err := s.DB.AddSession(ctx, postgres.Session{
		ID: o.ID, UserID: user.ID, Address: in.Address, Agent: cut(in.Agent, 300), CreatedAt: now, ExpiresAt: now.Add(SessionLife),
	}, HashKey(o.Token), HashKey(o.Device))
	return o, err
}

// Find tells whose session a cookie opens. ErrNoSession.
func (s *Sessions) Find(ctx context.Context, token string) (postgres.Session, postgres.User, error) {
	if token == "" || len(token) > 100 {
		return postgres.Session{}, postgres.User{}, ErrNoSession
	}
	now := s.Now().UTC()
	session, user, err := s.DB.Session(ctx, HashKey(token), now, now.Add(-sessionIdle))
	if errors.Is(err, postgres.ErrNotFound) {
		return session, user, ErrNoSession
	}
	if err == nil && now.Sub(session.SeenAt) > seeEvery {
		err = s.DB.SeeSession(ctx, session.ID, now)
	}
	return session, user, err
}

// Of lists a user's sessions that are open.
func (s *Sessions) Of(ctx context.Context, userID string) ([]postgres.Session, error) {
	now := s.Now().UTC()
	return s.DB.SessionsOf(ctx, userID, now, now.Add(-sessionIdle))
}

// newToken makes 256 random bits.
func newToken() string {
	raw := make([]byte, 32)
	_, _ = rand.Read(raw) // never fails
	return base64.RawURLEncoding.EncodeToString(raw)
}

// digest keeps what people type, perhaps a password in the wrong field, out of
// the database.
func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

// network is what one guesser has many addresses of: a /64 of IPv6.
func network(address string) string {
	a, err := netip.ParseAddr(address)
	if err != nil {
		return "unknown"
	}
	if a = a.Unmap(); a.Is6() {
		p, _ := a.Prefix(64)
		return p.String()
	}
	return a.String()
}

func cut(s string, most int) string {
	s = strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", ""), "")
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "")
	}
	return s
}
