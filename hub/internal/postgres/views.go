package postgres

import (
	"context"
	"time"
)

// View is a list's filter under a name, of one person or shared with all.
type View struct {
	ID        string    `db:"id"`
	UserID    string    `db:"user_id"`
	Screen    string    `db:"screen"`
	Name      string    `db:"name"`
	Query     string    `db:"query"`
	Shared    bool      `db:"shared"`
	CreatedAt time.Time `db:"created_at"`
}

// Views lists a person's own views of a screen and the shared ones, by name.
func (p *DB) Views(ctx context.Context, userID, screen string) ([]View, error) {
	var out []View
	err := p.db.SelectContext(ctx, &out, `SELECT id, user_id, screen, name, query, shared, created_at FROM views
		WHERE screen = $2 AND (user_id = $1 OR shared) ORDER BY name, id LIMIT 100`, userID, screen)
	return out, mapErr(err)
}

// SaveView keeps a view; another of that person's with its name is replaced.
// ErrNotFound: the person has limit of others already.
func (p *DB) SaveView(ctx context.Context, v View, limit int) error {
	err := p.mustHit(ctx, `INSERT INTO views (id, user_id, screen, name, query, shared, created_at)
		SELECT $1, $2, $3, $4, $5, $6, $7 WHERE (SELECT count(*) FROM views WHERE user_id = $2 AND screen = $3 AND name <> $4) < $8
		ON CONFLICT ON CONSTRAINT views_name_once DO UPDATE SET query = excluded.query, shared = excluded.shared`,
		v.ID, v.UserID, v.Screen, v.Name, v.Query, v.Shared, v.CreatedAt, limit)
	return err
}

// DeleteView ends one of a person's own views. ErrNotFound.
func (p *DB) DeleteView(ctx context.Context, userID, id string) error {
	return p.remove(ctx, "views", "user_id = $1 AND id = $2", "true", userID, id)
}
