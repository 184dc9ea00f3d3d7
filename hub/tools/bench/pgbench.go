package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// script is what the hub asked PostgreSQL for one request, for pgbench to ask
// it again with other ids.
type script struct {
	text   string
	values []string // -D name=value of the parameters
}

// record has PostgreSQL log what one request makes the hub ask.
func (b *bench) record(ctx context.Context, request func() error) (*script, error) {
	if err := b.alter(ctx, "log_statement = 'all'"); err != nil {
		return nil, err
	}
	path := b.postgresLog()
	before, err := os.Stat(path)
	if err == nil {
		err = request()
	}
	time.Sleep(200 * time.Millisecond) // the log is written by another process
	err = errors.Join(err, b.alter(ctx, "log_statement = DEFAULT"))
	if err != nil {
		return nil, err
	}
	log, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return parseLog(string(log[before.Size():]))
}

// alter changes a setting of the whole cluster and waits until it holds.
func (b *bench) alter(ctx context.Context, setting string) error {
	if _, err := b.db.ExecContext(ctx, `ALTER SYSTEM SET `+setting); err != nil {
		return err
	}
	_, err := b.db.ExecContext(ctx, `SELECT pg_reload_conf()`)
	time.Sleep(500 * time.Millisecond)
	return err
}

var (
	executed  = regexp.MustCompile(`LOG:  execute \d+: `) // prepared ones: <unnamed> is none of a payment's way
	parameter = regexp.MustCompile(`\$(\d+) = (?:'((?:[^']|'')*)'|NULL)`)
)

// parseLog makes a script of the statements in a log, without the worker's.
func parseLog(log string) (*script, error) {
	s := &script{}
	var out strings.Builder
	out.WriteString("\\set i :i + 1\n\\set n :base + :client_id * :per + :i\n")
	lines := strings.Split(strings.ReplaceAll(log, "\n\t", "\n\x00"), "\n")
	for at := 0; at < len(lines); at++ {
		found := executed.FindStringIndex(lines[at])
		if found == nil {
			continue
		}
		statement := lines[at][found[1]:]
		for at+1 < len(lines) && strings.HasPrefix(lines[at+1], "\x00") {
			at++
			statement += "\n" + lines[at][1:]
		}
		parameters := ""
		if at+1 < len(lines) && strings.Contains(lines[at+1], "DETAIL:  ") {
			parameters = lines[at+1]
		}
		if strings.Contains(statement, "SET due_at = $1") {
			continue
		}
		out.WriteString(s.statement(statement, parameters) + ";\n")
	}
	if s.text = out.String(); len(s.values) == 0 {
		return nil, errors.New("PostgreSQL's log shows no statement of the hub")
	}
	return s, nil
}

// statement puts pgbench's variables in the place of parameters.
func (s *script) statement(text, parameters string) string {
	found := parameter.FindAllStringSubmatch(parameters, -1)
	slices.Reverse(found) // $12 before $1
	for _, p := range found {
		number := regexp.MustCompile(`\$` + p[1] + `\b`)
		if strings.HasSuffix(p[0], " = NULL") {
			text = number.ReplaceAllLiteralString(text, "NULL")
			continue
		}
		name := fmt.Sprintf("v%d", len(s.values))
		value := strings.ReplaceAll(p[2], "''", "'")
		marked := ids.ReplaceAllStringFunc(value, func(id string) string { return renumber(id, marker) })
		use := ":" + name
		if strings.Contains(marked, marker) {
			use = "replace(:" + name + "::text, '" + marker + "', lpad(:n::text, 10, '0'))"
		}
		text = number.ReplaceAllLiteralString(text, use)
		s.values = append(s.values, name+"="+marked)
	}
	return text
}

// pgbench runs the script; per is how often each client does at most, base the
// number that theirs follow.
func (b *bench) pgbench(ctx context.Context, s *script, clients, base, per int) (result, error) {
	program, err := findPgbench()
	if err != nil {
		return result{}, err
	}
	dir, err := os.MkdirTemp(b.dir, "pgbench-")
	if err != nil {
		return result{}, err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "script.sql")
	if err := os.WriteFile(file, []byte(s.text), 0o600); err != nil {
		return result{}, err
	}
	args := []string{
		"-n", "-M", "prepared", "-c", strconv.Itoa(clients), "-j", "2", "-t", strconv.Itoa(per), "-f", file,
		"-l", "--log-prefix=" + filepath.Join(dir, "log"),
		"-D", "i=0", "-D", "base=" + strconv.Itoa(base), "-D", "per=" + strconv.Itoa(per),
	}
	for _, v := range s.values {
		args = append(args, "-D", v)
	}
	out, err := exec.CommandContext(ctx, program, append(args, b.house.DatabaseURL)...).CombinedOutput()
	if err != nil {
		return result{}, fmt.Errorf("pgbench: %w: %.600s", err, out)
	}
	return readPgbench(dir, string(out))
}

var perSecond = regexp.MustCompile(`tps = ([0-9.]+)`)

// readPgbench reads what pgbench says of its run, and its log of each transaction.
func readPgbench(dir, out string) (result, error) {
	var r result
	found := perSecond.FindStringSubmatch(out)
	if found == nil {
		return r, fmt.Errorf("pgbench says no rate: %s", out)
	}
	rate, _ := strconv.ParseFloat(found[1], 64)
	logs, _ := filepath.Glob(filepath.Join(dir, "log*"))
	for _, log := range logs {
		text, err := os.ReadFile(log)
		if err != nil {
			return r, err
		}
		for line := range strings.Lines(string(text)) {
			if fields := strings.Fields(line); len(fields) > 2 {
				took, _ := strconv.Atoi(fields[2])
				r.latency = append(r.latency, time.Duration(took)*time.Microsecond)
			}
		}
	}
	slices.Sort(r.latency)
	r.done = len(r.latency)
	r.took = time.Duration(float64(r.done) / rate * float64(time.Second))
	return r, nil
}

// findPgbench looks where PostgreSQL's programs usually are.
func findPgbench() (string, error) {
	if path, err := exec.LookPath("pgbench"); err == nil {
		return path, nil
	}
	paths, _ := filepath.Glob("/usr/lib/postgresql/*/bin/pgbench")
	if len(paths) == 0 {
		return "", errors.New("pgbench is not installed (Debian has it in postgresql-contrib or postgresql-15)")
	}
	return paths[len(paths)-1], nil
}
