package pgtest

import (
	"context"
	"database/sql"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/superpayhub/superpay/hub/internal/devpg"
)

// Standby is a server that follows another one.
type Standby struct {
	*devpg.Server
	t testing.TB
}

// Follow starts a standby of a server. It takes over what the server confirms a
// moment later.
func Follow(t testing.TB, primary *devpg.Server) *Standby {
	t.Helper()
	dir := newDir(t)
	data := filepath.Join(dir, "data")
	for _, command := range [][]string{
		{primary.Program("pg_basebackup"), "-D", data, "-R", "-X", "stream", "-c", "fast", "-d", primary.URL()},
		{"cp", "-p", filepath.Join(primary.Dir(), "password"), dir},
		{"chown", "-R", "--reference=" + filepath.Join(primary.Dir(), "data"), data},
	} {
		if out, err := exec.Command(command[0], command[1:]...).CombinedOutput(); err != nil { //nolint:gosec // of the test's own
			t.Fatalf("pgtest: %s: %v: %s", command[0], err, out)
		}
	}
	server, err := devpg.Start(context.Background(), devpg.Options{Dir: dir, Unsafe: true})
	if err != nil {
		t.Fatalf("pgtest: %v", err)
	}
	t.Cleanup(server.Kill)
	return &Standby{server, t}
}

// Detach ends the following: from now on the standby lags.
func (s *Standby) Detach() {
	s.t.Helper()
	s.run(`ALTER SYSTEM SET primary_conninfo = ''`, `SELECT pg_reload_conf()`)
	s.until(`SELECT NOT EXISTS (SELECT FROM pg_stat_wal_receiver)`)
}

// CaughtUp waits until the standby has taken over all that its primary, which has
// ended, confirmed.
func (s *Standby) CaughtUp() {
	s.t.Helper()
	s.until(`SELECT NOT EXISTS (SELECT FROM pg_stat_wal_receiver) AND pg_last_wal_receive_lsn() <= pg_last_wal_replay_lsn()`)
}

// Promote makes it the primary.
func (s *Standby) Promote() {
	s.t.Helper()
	s.run(`SELECT pg_promote()`)
	s.until(`SELECT NOT pg_is_in_recovery()`)
}

func (s *Standby) run(statements ...string) {
	s.t.Helper()
	db, err := sql.Open("postgres", s.URL())
	if err != nil {
		s.t.Fatalf("pgtest: %v", err)
	}
	defer db.Close()
	for _, statement := range statements {
		if _, err := db.Exec(statement); err != nil {
			s.t.Fatalf("pgtest: %s: %v", statement, err)
		}
	}
}

// until waits for a condition, ten seconds at most.
func (s *Standby) until(condition string) {
	s.t.Helper()
	s.run(`DO $$ DECLARE met boolean := false; BEGIN
		FOR i IN 1..200 LOOP
			EXECUTE $q$` + condition + `$q$ INTO met;
			EXIT WHEN met;
			PERFORM pg_sleep(0.05), pg_stat_clear_snapshot();
		END LOOP;
		IF NOT met THEN RAISE EXCEPTION 'it does not come about'; END IF;
	END $$`)
}
