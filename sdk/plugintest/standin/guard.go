package standin

import (
	"net"
	"net/http"
	"net/url"
)

// Guard lets only people at this machine press buttons. It refuses requests
// that a page from elsewhere makes, and those for a foreign host name: a name
// that was made to resolve to loopback would pass for the same origin.
func Guard(publicURL string, next http.Handler) http.Handler {
	own := ""
	if u, err := url.Parse(publicURL); err == nil {
		own = u.Hostname()
	}
	protected := http.NewCrossOriginProtection().Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := r.Host
		if name, _, err := net.SplitHostPort(host); err == nil {
			host = name
		}
		if ip := net.ParseIP(host); host != own && host != "localhost" && (ip == nil || !ip.IsLoopback()) {
			http.Error(w, "the sandbox is not known by this name", http.StatusMisdirectedRequest)
			return
		}
		protected.ServeHTTP(w, r)
	})
}
