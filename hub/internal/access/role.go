package access

import "slices"

// Role is what a person may do in the console: each may also do what the ones
// before it may.
type Role string

const (
	Viewer   Role = "viewer"   // reads
	Operator Role = "operator" // acts on orders, callbacks and notifications
	Admin    Role = "admin"    // also providers, apps and people
)

// Roles are all, the least first.
var Roles = []Role{Viewer, Operator, Admin}

// May reports whether a person of this role may do what needs that one. A role
// that the hub does not know may nothing.
func (r Role) May(needed Role) bool {
	has, needs := slices.Index(Roles, r), slices.Index(Roles, needed)
	return needs >= 0 && has >= needs
}
