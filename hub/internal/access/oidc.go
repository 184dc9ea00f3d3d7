package access

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/hub/internal/postgres"
)

// oidcTimeout bounds each call of the identity provider.
const oidcTimeout = 10 * time.Second

// OIDC signs people in through an OpenID Connect provider: those whose verified
// e-mail address is a user's, or, with RoleClaim, those to whom it gives a role.
type OIDC struct {
	Issuer, ClientID, ClientSecret string
	RedirectURL                    string
	// RoleClaim names the claim, as "groups", whose values Roles maps to roles.
	// A person gets the most that one of them gives, at each sign-in anew, and
	// is made a user if there is none. Without it users are made beforehand.
	RoleClaim string
	Roles     map[string]Role

	DB  *postgres.DB
	Now func() time.Time

	mu       sync.Mutex
	provider *oidc.Provider
}

// Journey is what the browser keeps while it is away at the provider.
type Journey struct {
	State    string `json:"s"`
	Nonce    string `json:"n"`
	Verifier string `json:"v"`
	Back     string `json:"b,omitempty"`
}

// Stranger says that the provider knows the person, and the hub does not let
// that person in.
type Stranger struct{ Email, Why string }

func (e *Stranger) Error() string { return "no sign-in for " + e.Email + ": " + e.Why }

// Start begins a journey and says where it goes.
func (o *OIDC) Start(ctx context.Context, back string) (Journey, string, error) {
	config, _, err := o.config(ctx)
	if err != nil {
		return Journey{}, "", err
	}
	j := Journey{State: rand.Text(), Nonce: rand.Text(), Verifier: oauth2.GenerateVerifier(), Back: back}
	return j, config.AuthCodeURL(j.State, oidc.Nonce(j.Nonce), oauth2.S256ChallengeOption(j.Verifier)), nil
}

// Finish ends a journey: whose sign-in it was. A *Stranger may not come in.
func (o *OIDC) Finish(ctx context.Context, j Journey, state, code string) (postgres.User, error) {
	if j.State == "" || subtle.ConstantTimeCompare([]byte(state), []byte(j.State)) != 1 {
		return postgres.User{}, &Stranger{"(unknown)", "the answer does not belong to a sign-in of this browser"}
	}
	config, provider, err := o.config(ctx)
	if err != nil {
		return postgres.User{}, err
	}
	ctx, cancel := context.WithTimeout(o.client(ctx), oidcTimeout)
	defer cancel()
	token, err := config.Exchange(ctx, code, oauth2.VerifierOption(j.Verifier))
	if err != nil {
		return postgres.User{}, fmt.Errorf("exchange the code: %w", err)
	}
	raw, _ := token.Extra("id_token").(string)
	id, err := provider.Verifier(&oidc.Config{ClientID: o.ClientID, Now: o.Now}).Verify(ctx, raw)
	if err != nil {
		return postgres.User{}, fmt.Errorf("verify the id token: %w", err)
	}
	if subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(j.Nonce)) != 1 {
		return postgres.User{}, errors.New("verify the id token: the nonce is another one")
	}
	var claims map[string]any
	if err := id.Claims(&claims); err != nil {
		return postgres.User{}, fmt.Errorf("read the claims: %w", err)
	}
	return o.admit(ctx, claims)
}

// admit finds or makes the user of the claims. An address counts only if the
// provider has verified it: else anybody could claim an admin's.
func (o *OIDC) admit(ctx context.Context, claims map[string]any) (postgres.User, error) {
	email, _ := claims["email"].(string)
	if verified, _ := claims["email_verified"].(bool); !verified || email == "" {
		return postgres.User{}, &Stranger{Typed(email), "the provider has not verified the e-mail address"}
	}
	role := o.roleOf(claims)
	if o.RoleClaim != "" && role == "" {
		return postgres.User{}, &Stranger{Typed(email), "no role is given by the claim " + o.RoleClaim}
	}
	user, err := o.DB.UserByEmail(ctx, email)
	switch {
	case errors.Is(err, postgres.ErrNotFound) && role != "":
		name, _ := claims["name"].(string)
		return o.make(ctx, email, name, role)
	case errors.Is(err, postgres.ErrNotFound):
		return user, &Stranger{Typed(email), "there is no such user"}
	case err != nil:
		return user, err
	case user.DisabledAt != nil:
		return user, &Stranger{user.Email, "the user is disabled"}
	}
	if role != "" && user.Role != string(role) {
		if err := o.DB.SetRole(ctx, user.ID, string(role)); errors.Is(err, postgres.ErrNotFound) {
			return user, &Stranger{user.Email, "the claim takes the role from the last admin"}
		} else if err != nil {
			return user, err
		}
		user.Role = string(role)
	}
	return user, nil
}

func (o *OIDC) make(ctx context.Context, email, name string, role Role) (postgres.User, error) {
	if !clean(name) || len(name) > 100 {
		name = ""
	}
	user, err := NewUser(email, name, role, "", o.Now().UTC())
	if err == nil {
		err = AddUser(ctx, o.DB, user)
	}
	var taken *ledger.Error
	if errors.As(err, &taken) && taken.Kind == ledger.Conflict { // at the same moment in another tab
		return o.DB.UserByEmail(ctx, email)
	}
	return user, err
}

// roleOf is the most that the claim's values give; "" if nothing.
func (o *OIDC) roleOf(claims map[string]any) Role {
	var values []string
	switch v := claims[o.RoleClaim].(type) {
	case string:
		values = []string{v}
	case []any:
		for _, x := range v {
			if s, ok := x.(string); ok {
				values = append(values, s)
			}
		}
	}
	best := Role("")
	for _, v := range values {
		if role := o.Roles[v]; slices.Index(Roles, role) > slices.Index(Roles, best) {
			best = role
		}
	}
	return best
}

// config discovers the provider once it can be reached: the hub starts without it.
func (o *OIDC) config(ctx context.Context) (*oauth2.Config, *oidc.Provider, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.provider == nil {
		// It keeps the context for fetching keys later: one without an end.
		found, err := oidc.NewProvider(o.client(context.WithoutCancel(ctx)), o.Issuer)
		if err != nil {
			return nil, nil, fmt.Errorf("discover the identity provider %s: %w", o.Issuer, err)
		}
		o.provider = found
	}
	return &oauth2.Config{
		ClientID: o.ClientID, ClientSecret: o.ClientSecret, Endpoint: o.provider.Endpoint(), RedirectURL: o.RedirectURL, Scopes: o.scopes(),
	}, o.provider, nil
}

func (o *OIDC) scopes() []string {
	scopes := []string{oidc.ScopeOpenID, "email", "profile"}
	if strings.Contains(o.RoleClaim, "groups") {
		scopes = append(scopes, "groups")
	}
	return scopes
}

func (o *OIDC) client(ctx context.Context) context.Context {
	return oidc.ClientContext(ctx, &http.Client{Timeout: oidcTimeout})
}
