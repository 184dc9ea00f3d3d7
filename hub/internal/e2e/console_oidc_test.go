package e2e

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/hub/internal/dev"
)

// identity is a small OpenID Connect provider, at which the person who is
// signed in already is the next one.
type identity struct {
	*httptest.Server
	t      *testing.T
	signer jose.Signer
	mu     sync.Mutex
	next   map[string]any // the claims
	asked  url.Values     // the last authorisation
}

const identitySecret = "the-client-secret-of-the-hub"

func newIdentity(t *testing.T) *identity {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: key, KeyID: "one"}}, nil)
	require.NoError(t, err)
	id := &identity{t: t, signer: signer}
	mux := http.NewServeMux()
	answer := func(w http.ResponseWriter, v any) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(v)
	}
	mux.HandleFunc("/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, map[string]any{
			"issuer": id.URL, "authorization_endpoint": id.URL + "/authorize", "token_endpoint": id.URL + "/token", "jwks_uri": id.URL + "/keys",
			"id_token_signing_alg_values_supported": []string{"ES256"},
		})
	})
	mux.HandleFunc("/keys", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "one", Algorithm: "ES256", Use: "sig"}}})
	})
	mux.HandleFunc("/authorize", func(w http.ResponseWriter, r *http.Request) {
		id.mu.Lock()
		defer id.mu.Unlock()
		id.asked = r.URL.Query()
		http.Redirect(w, r, id.asked.Get("redirect_uri")+"?code=the-code&state="+url.QueryEscape(id.asked.Get("state")), http.StatusSeeOther)
	})
	mux.HandleFunc("/token", func(w http.ResponseWriter, r *http.Request) {
		id.mu.Lock()
		defer id.mu.Unlock()
		sum := sha256.Sum256([]byte(r.FormValue("code_verifier")))
		_, secret, _ := r.BasicAuth()
		if secret == "" {
			secret = r.FormValue("client_secret")
		}
		if r.FormValue("code") != "the-code" || secret != identitySecret || base64.RawURLEncoding.EncodeToString(sum[:]) != id.asked.Get("code_challenge") {
			http.Error(w, `{"error":"invalid_grant"}`, http.StatusBadRequest)
			return
		}
		claims := map[string]any{"iss": id.URL, "aud": "superpay", "sub": "1", "iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix(), "nonce": id.asked.Get("nonce")}
		for k, v := range id.next {
			claims[k] = v
		}
		raw, _ := json.Marshal(claims)
		signed, err := id.signer.Sign(raw)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		token, _ := signed.CompactSerialize()
		answer(w, map[string]any{"access_token": "a", "token_type": "Bearer", "id_token": token})
	})
	id.Server = httptest.NewServer(mux)
	t.Cleanup(id.Close)
	return id
}

// signIn goes the whole way round in a new browser, as that person.
func (id *identity) signIn(h *house, claims map[string]any) (*operator, seen) {
	id.t.Helper()
	id.mu.Lock()
	id.next = claims
	id.mu.Unlock()
	o := h.visitor()
	require.Contains(id.t, o.get("/sign-in").body, "Sign in with Example")
	a := o.get("/oidc?back=" + url.QueryEscape("/console/profile"))
	require.Equal(id.t, 303, a.status, a.body)
	res, err := browser.Get(a.where)
	require.NoError(id.t, err)
	res.Body.Close()
	return o, o.get(strings.TrimPrefix(res.Header.Get("Location"), o.base))
}

// TestConsole_SignInThroughAnIdentityProvider by an address that it has
// verified, or by a claim that gives a role.
func TestConsole_SignInThroughAnIdentityProvider(t *testing.T) {
	t.Parallel()
	id := newIdentity(t)
	h := open(t, func(o *dev.Options) {
		o.Env = append(o.Env, "HUB_CONSOLE__OIDC__ISSUER="+id.URL, "HUB_CONSOLE__OIDC__CLIENT_ID=superpay", "HUB_CONSOLE__OIDC__CLIENT_SECRET="+identitySecret,
			"HUB_CONSOLE__OIDC__NAME=Example", "HUB_CONSOLE__OIDC__ROLE_CLAIM=groups", "HUB_CONSOLE__OIDC__ROLES=support=operator,staff=viewer,boss=admin")
	})
	db := h.database()
	role := func(email string) (role string) {
		t.Helper()
		require.NoError(t, db.Get(&role, `SELECT role FROM users WHERE email = $1`, email))
		return role
	}

	o, a := id.signIn(h, map[string]any{"email": "New@example.com", "email_verified": true, "name": "New Person", "groups": []string{"staff", "support", "other"}})
	require.Equal(t, 303, a.status, a.body)
	require.Equal(t, "/console/profile", a.where)
	require.Contains(t, o.get("/profile").body, "New Person")
	require.Equal(t, "operator", role("new@example.com"), "the most that the claim gives")
	require.Equal(t, "S256", id.asked.Get("code_challenge_method"))
	_, a = id.signIn(h, map[string]any{"email": "new@example.com", "email_verified": true, "groups": "staff"})
	require.Equal(t, 303, a.status, a.body)
	require.Equal(t, "viewer", role("new@example.com"), "the role follows the claim")

	for name, claims := range map[string]map[string]any{
		"unverified":            {"email": h.Console.Email, "email_verified": false, "groups": "boss"},
		"verification unsaid":   {"email": h.Console.Email, "groups": "boss"},
		"no role":               {"email": "new@example.com", "email_verified": true, "groups": []string{"other"}},
		"no claim":              {"email": "new@example.com", "email_verified": true},
		"the last admin's role": {"email": h.Console.Email, "email_verified": true, "groups": "staff"},
		"another nonce":         {"email": "new@example.com", "email_verified": true, "groups": "staff", "nonce": "another"},
		"another client's":      {"email": "new@example.com", "email_verified": true, "groups": "staff", "aud": "another"},
		"expired":               {"email": "new@example.com", "email_verified": true, "groups": "staff", "exp": time.Now().Add(-time.Hour).Unix()},
	} {
		o, a := id.signIn(h, claims)
		require.Contains(t, []int{403, 502}, a.status, name)
		require.Contains(t, a.body, "did not work", name)
		require.Equal(t, 303, o.get("/profile").status, name)
	}
	outcome, _ := audited(t, db, "session.open")
	require.Equal(t, "refused", outcome)
	require.Equal(t, "admin", role(h.Console.Email))

	// Somebody who is sent an address that finishes another's sign-in.
	a = h.visitor().get("/oidc/callback?code=the-code&state=" + id.asked.Get("state"))
	require.Equal(t, 403, a.status)
	_, err := db.Exec(`UPDATE users SET disabled_at = created_at WHERE email = 'new@example.com'`)
	require.NoError(t, err)
	_, a = id.signIn(h, map[string]any{"email": "new@example.com", "email_verified": true, "groups": "staff"})
	require.Equal(t, 403, a.status)
	require.NotContains(t, h.logs.String(), identitySecret)
}
