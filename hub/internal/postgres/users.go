package postgres

import (
	"context"
	"time"
)

// User is a person who may sign in to the console.
type User struct {
	ID         string     `db:"id"`
	Email      string     `db:"email"` // lower case
	Name       string     `db:"name"`
	Role       string     `db:"role"`     // viewer, operator or admin
	Password   *string    `db:"password"` // argon2id; nil: OpenID Connect alone
	Lang       string     `db:"lang"`
	Theme      string     `db:"theme"`
	Zone       string     `db:"zone"`
	Keys       bool       `db:"keys"`
	DisabledAt *time.Time `db:"disabled_at"`
	SeenAt     *time.Time `db:"seen_at"`
	CreatedAt  time.Time  `db:"created_at"`
}

const userColumns = `u.id, u.email, u.name, u.role, u.password, u.lang, u.theme, u.zone, u.keys, u.disabled_at, u.seen_at, u.created_at`

// AddUser makes a user. ErrDuplicate if the e-mail address is taken. The same
// user twice is harmless.
func (p *DB) AddUser(ctx context.Context, u User) error {
	_, err := p.exec(ctx, `INSERT INTO users (id, email, name, role, password, created_at) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (id) DO NOTHING`,
		u.ID, u.Email, u.Name, u.Role, u.Password, u.CreatedAt)
	return mapErr(err)
}

// EnsureUser makes a user, or gives the one with that e-mail address the
// password and role, and lets it in again.
func (p *DB) EnsureUser(ctx context.Context, u User) error {
	_, err := p.exec(ctx, `INSERT INTO users (id, email, name, role, password, created_at) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (email) DO UPDATE SET password = excluded.password, role = excluded.role, disabled_at = NULL`,
		u.ID, u.Email, u.Name, u.Role, u.Password, u.CreatedAt)
	return mapErr(err)
}

// Users lists all by e-mail address.
func (p *DB) Users(ctx context.Context) ([]User, error) {
	var out []User
	err := p.db.SelectContext(ctx, &out, `SELECT `+userColumns+` FROM users u ORDER BY u.email LIMIT 1000`)
	return out, mapErr(err)
}

// UserByEmail finds a user. ErrNotFound.
func (p *DB) UserByEmail(ctx context.Context, email string) (User, error) {
	var u User
	err := p.db.GetContext(ctx, &u, `SELECT `+userColumns+` FROM users u WHERE u.email = lower($1)`, email)
	return u, mapErr(err)
}

// User finds a user by id. ErrNotFound.
func (p *DB) User(ctx context.Context, id string) (User, error) {
	var u User
	err := p.db.GetContext(ctx, &u, `SELECT `+userColumns+` FROM users u WHERE u.id = $1`, id)
	return u, mapErr(err)
}

// SetPassword changes a password and ends the user's sessions, but the one
// with the id keep ("" keeps none); its devices are forgotten. ErrNotFound.
func (p *DB) SetPassword(ctx context.Context, id, password, keep string, now time.Time) error {
	return p.mustHit(ctx, `WITH ended AS (
			UPDATE sessions SET ended_at = $3 WHERE user_id = $1 AND id <> $4 AND ended_at IS NULL
		), forgotten AS (
			DELETE FROM devices WHERE user_id = $1
		) UPDATE users SET password = $2 WHERE id = $1`, id, password, now, keep)
}

// otherAdmin holds the admins while one may be lost, so that two who take the
// role from each other at once do not leave none.
const otherAdmin = `WITH admins AS (SELECT id FROM users WHERE role = 'admin' AND disabled_at IS NULL FOR NO KEY UPDATE) `

// DisableUser keeps a user out from now on, signed in or not. ErrNotFound, also
// if it is disabled already, or is the last admin.
func (p *DB) DisableUser(ctx context.Context, id string, now time.Time) error {
	return p.mustHit(ctx, otherAdmin+`, gone AS (
			UPDATE users SET disabled_at = $2 WHERE id = $1 AND (disabled_at IS NULL OR disabled_at = $2)
				AND (role <> 'admin' OR EXISTS (SELECT 1 FROM admins WHERE id <> $1)) RETURNING id
		), ended AS (
			UPDATE sessions SET ended_at = $2 WHERE user_id IN (SELECT id FROM gone) AND ended_at IS NULL
		) SELECT id FROM gone`, id, now)
}

// EnableUser lets a user in again; one who is not disabled stays so. ErrNotFound.
func (p *DB) EnableUser(ctx context.Context, id string) error {
	return p.mustHit(ctx, `UPDATE users SET disabled_at = NULL WHERE id = $1`, id)
}

// SetRole changes what a user may do, from the next request on. ErrNotFound,
// also for the last admin.
func (p *DB) SetRole(ctx context.Context, id, role string) error {
	return p.mustHit(ctx, otherAdmin+`UPDATE users SET role = $2 WHERE id = $1
		AND ($2 = 'admin' OR role <> 'admin' OR disabled_at IS NOT NULL OR EXISTS (SELECT 1 FROM admins WHERE id <> $1))`, id, role)
}

// SetLook keeps how a user wants to see the console.
func (p *DB) SetLook(ctx context.Context, u User) error {
	return p.mustHit(ctx, `UPDATE users SET lang = $2, theme = $3, zone = $4, keys = $5 WHERE id = $1`, u.ID, u.Lang, u.Theme, u.Zone, u.Keys)
}
