package e2e

import (
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"

	"github.com/stretchr/testify/require"
)

// operator is a person with a browser without scripts, at the console. A
// browser sends where a form is from, and keeps cookies.
type operator struct {
	h      *house
	client *http.Client
	base   string // of the console
	token  string // of the last page
}

// seen is what a page said.
type seen struct {
	status int
	header http.Header
	body   string
	where  string // Location, for a redirect
}

// visitor is an operator who has not signed in.
func (h *house) visitor() *operator {
	h.t.Helper()
	jar, err := cookiejar.New(nil)
	require.NoError(h.t, err)
	client := *browser
	client.Jar = jar
	return &operator{h: h, client: &client, base: h.Console.URL}
}

// admin is the house's first operator, signed in.
func (h *house) admin() *operator {
	h.t.Helper()
	o := h.visitor()
	a := o.signIn(h.Console.Email, h.Console.Password)
	require.Equal(h.t, 303, a.status, a.body)
	require.Equal(h.t, 200, o.get("/profile").status) // its forms have the session's token
	return o
}

func (o *operator) signIn(email, password string) seen {
	o.h.t.Helper()
	o.get("/sign-in")
	return o.post("/sign-in", url.Values{"email": {email}, "password": {password}})
}

// get loads a page: a path below the console, or an address.
func (o *operator) get(path string) seen {
	o.h.t.Helper()
	req, err := http.NewRequest("GET", o.address(path), nil)
	require.NoError(o.h.t, err)
	return o.send(req)
}

// post sends a form with the token of the page seen last.
func (o *operator) post(path string, form url.Values) seen {
	o.h.t.Helper()
	if form == nil {
		form = url.Values{}
	}
	if !form.Has("token") {
		form.Set("token", o.token)
	}
	req, err := http.NewRequest("POST", o.address(path), strings.NewReader(form.Encode()))
	require.NoError(o.h.t, err)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	return o.send(req)
}

func (o *operator) address(path string) string {
	if strings.HasPrefix(path, "http") {
		return path
	}
	if base, err := url.Parse(o.base); err == nil && base.Path != "" && strings.HasPrefix(path, base.Path) {
		return strings.TrimSuffix(o.base, base.Path) + path
	}
	return o.base + path
}

var formToken = regexp.MustCompile(`name="token" value="([^"]+)"`)

func (o *operator) send(req *http.Request) seen {
	o.h.t.Helper()
	res, err := o.client.Do(req)
	require.NoError(o.h.t, err)
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	require.NoError(o.h.t, err)
	if found := formToken.FindStringSubmatch(string(raw)); found != nil {
		o.token = html.UnescapeString(found[1])
	}
	return seen{res.StatusCode, res.Header, string(raw), res.Header.Get("Location")}
}
