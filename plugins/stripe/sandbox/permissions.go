package sandbox

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/superpayhub/superpay/sdk/plugintest/standin"
)

// A restricted key was given its permissions one by one, by names such as
// rak_charge_read. The stand-in has one key, which may do all but what it is told
// that it lacks. Who may write may read (docs.stripe.com/keys-best-practices).

var permissionForm = regexp.MustCompile(`^rak_([a-z]+_)+(read|write)$`)

// permissionNames are those that are not called as the objects are.
var permissionNames = map[string]string{
	"checkout.session":    "checkout_session",
	"balance_transaction": "balance_transaction_source",
	"webhook_endpoint":    "webhook",
}

func checkPermissions(names []string) error {
	for _, name := range names {
		if !permissionForm.MatchString(name) {
			return fmt.Errorf("there is no permission %q: it is like rak_charge_read", name)
		}
	}
	return nil
}

// permit refuses what the key was not given, in Stripe's words: they hold part of it.
func (s *Server) permit(kind, method string) *apiError {
	s.mu.Lock()
	lacks := s.lacks
	s.mu.Unlock()
	if len(lacks) == 0 {
		return nil
	}
	name := "rak_" + or(permissionNames[kind], kind)
	lacking := name + "_read"
	refused := slices.Contains(lacks, lacking)
	if method != http.MethodGet {
		lacking = name + "_write"
		refused = refused || slices.Contains(lacks, lacking)
	}
	if !refused {
		return nil
	}
	e := invalid("more_permissions_required", "", "The provided key '%s' does not have the required permissions for this endpoint "+
		"on account '"+ownAccount+"'. Having the '%s' permission would allow this request to continue.",
		strings.ReplaceAll(masked(s.opts.APIKey), "sk_", "rk_"), lacking)
	e.status = http.StatusForbidden
	return e
}

// permissionsDoor sets what the key lacks from now on.
func (s *Server) permissionsDoor(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Lacks []string `json:"lacks"`
	}
	if !standin.ReadJSON(w, r, &body) {
		return
	}
	if err := checkPermissions(body.Lacks); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lacks = body.Lacks
	w.WriteHeader(http.StatusNoContent)
}
