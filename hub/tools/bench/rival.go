package main

import (
	"bufio"
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/superpayhub/superpay/hub/internal/process"
)

// rival is a program that does the same work without a hub.
type rival struct {
	title, addr string
	pid         int
	db          *sql.DB
}

// startRivals starts the integrations without a hub, each on a database of its
// own in the same cluster.
func (b *bench) startRivals(ctx context.Context) (err error) {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	if b.plain, err = b.startRival(ctx, "plain", "plain Go", exec.Command(self, "plain")); err != nil {
		return err
	}
	node, err := installNode(ctx, filepath.Join(b.dir, "node"))
	if err != nil {
		fmt.Printf("Without the rows of Node: %v\n\n", err)
		return nil
	}
	b.node, err = b.startRival(ctx, "express", "Express", node)
	return err
}

func (b *bench) startRival(ctx context.Context, database, title string, cmd *exec.Cmd) (*rival, error) {
	address, err := b.createDatabase(ctx, database)
	if err != nil {
		return nil, err
	}
	r := &rival{title: title}
	if r.db, err = sql.Open("postgres", address); err != nil {
		return nil, err
	}
	b.ends = append(b.ends, func() { _ = r.db.Close() })
	if _, err := r.db.ExecContext(ctx, plainSchema); err != nil {
		return nil, err
	}
	cmd.Env = append(os.Environ(), "PLAIN_DATABASE_URL="+address, "PLAIN_STRIPE_URL="+b.standIn.url, "PLAIN_SECRET="+b.house.WebhookSecret, "NODE_ENV=production")
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	run, err := process.Start(cmd)
	if err != nil {
		return nil, err
	}
	b.ends = append(b.ends, run.Kill)
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return nil, fmt.Errorf("%s does not say where it listens: %w", title, err)
	}
	r.addr, r.pid = strings.TrimSpace(line), run.Pid()
	return r, nil
}

// fill makes orders in a rival's table.
func (r *rival) fill(ctx context.Context, b *bench, n int) ([]string, error) {
	first, last := b.copied+1, b.copied+n
	b.copied = last
	_, err := r.db.ExecContext(ctx, `INSERT INTO orders (id, reference, amount, currency, status)
		SELECT 'att_' || lpad(n::text, 26, '0'), 'filled-' || n, 10000, 'USD', 'open' FROM generate_series($1::bigint, $2::bigint) n`, first, last)
	var ids []string
	for i := first; i <= last; i++ {
		ids = append(ids, fmt.Sprintf("att_%026d", i))
	}
	return ids, err
}

//go:embed node/package.json node/package-lock.json node/server.js
var nodeFiles embed.FS

// installNode puts the Express program into dir with its packages.
func installNode(ctx context.Context, dir string) (*exec.Cmd, error) {
	node, err := exec.LookPath("node")
	if err != nil {
		return nil, errors.New("node is not installed")
	}
	npm, err := exec.LookPath("npm")
	if err != nil {
		return nil, errors.New("npm is not installed")
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	for _, name := range []string{"package.json", "package-lock.json", "server.js"} {
		text, err := nodeFiles.ReadFile("node/" + name)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), text, 0o644) //nolint:gosec // no secrets
		}
		if err != nil {
			return nil, err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	ci := exec.CommandContext(ctx, npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	ci.Dir = dir
	if out, err := ci.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("npm ci: %w: %.300s", err, out)
	}
	cmd := exec.Command(node, "server.js")
	cmd.Dir = dir
	return cmd, nil
}
