package main

import (
	"strings"

	"github.com/superpayhub/superpay/hub/internal/access"
	"github.com/superpayhub/superpay/hub/internal/assets"
	"github.com/superpayhub/superpay/hub/internal/console"
	"github.com/superpayhub/superpay/hub/internal/notifications"
	"github.com/superpayhub/superpay/hub/internal/payments"
	"github.com/superpayhub/superpay/hub/internal/postgres"
	"github.com/superpayhub/superpay/hub/internal/providers"
)

// console makes the pages for people.
func (h *hub) console(db *postgres.DB, service *payments.Service, registry *providers.Registry, sender *notifications.Sender, files *assets.Files, watcher *providerWatch) *console.Console {
	connector := h.connector(db, registry)
	connector.Changed = watcher.look
	o := console.Options{
		DB: db, Payments: service, Providers: registry, Connect: connector, Sender: sender, Assets: files, BasePath: h.config.Server.BasePath,
		PublicURL: h.config.Server.PublicURL, Zone: h.config.Console.TimeZone, Logger: h.log,
		Now: service.Now, Changed: watcher.look, Hide: h.secrets.Add, Scrub: h.secrets.Scrub,
	}
	if id := h.config.Console.OIDC; id.Issuer != "" {
		o.OIDCName = id.Name
		o.OIDC = &access.OIDC{
			Issuer: id.Issuer, ClientID: id.ClientID, ClientSecret: id.ClientSecret, RedirectURL: o.PublicURL + "/console/oidc/callback",
			RoleClaim: id.RoleClaim, Roles: map[string]access.Role{}, DB: db, Now: service.Now,
		}
		for _, pair := range id.Roles {
			value, role, _ := strings.Cut(pair, "=")
			o.OIDC.Roles[value] = access.Role(role)
		}
	}
	return console.New(o)
}
