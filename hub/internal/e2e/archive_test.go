package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/oklog/ulid/v2"
	"github.com/stretchr/testify/require"
)

// TestArchive_OfTimelines: an old order's story goes into a file and comes back;
// what it says of money never moves.
func TestArchive_OfTimelines(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	o, file := h.paid(nil), filepath.Join(t.TempDir(), "2020.jsonl.gz")
	h.quiet()
	run := func(args ...string) (string, error) {
		cmd := h.hubCommand(append([]string{"order"}, args...)...)
		cmd.Env = append(cmd.Env, "USER=mia", "SUDO_USER=")
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	for _, wrong := range []string{"soon", "2999-01-01"} {
		out, err := run("archive", "--before", wrong, "--to", file)
		require.Error(t, err)
		require.Contains(t, out, "want a day before")
	}
	// Six years pass.
	h.exec(`UPDATE attempts SET due_at = NULL, read_wanted = false`)
	h.exec(`UPDATE orders SET updated_at = '2020-05-04'`)
	var first string
	require.NoError(t, h.query(`SELECT min(id) FROM events`).Scan(&first))
	was, is := ulid.MustParse(strings.ToUpper(first[4:])), ulid.MustParse("01E7"+strings.ToUpper(first[8:]))
	h.exec(`UPDATE events SET id = 'evt_01e7' || substr(id, 9), at = at - make_interval(secs => $1)`,
		ulid.Time(was.Time()).Sub(ulid.Time(is.Time())).Seconds())
	story := func() string { return h.ask("GET", "/v1/orders/"+o.ID+"/events?limit=100", "", nil).raw }
	whole, order := story(), h.ask("GET", "/v1/orders/"+o.ID, "", nil).raw
	require.Contains(t, whole, "order.paid")

	out, err := run("archive", "--before", "2021-01-01", "--to", file)
	require.NoError(t, err, out)
	require.Regexp(t, `^[1-9]\d* lines of 1 orders are in `, out)
	require.NotContains(t, story(), "order.paid")
	require.Contains(t, story(), `"who":"mia","why":"2020.jsonl.gz"`)
	require.Contains(t, h.admin().get("/orders/"+o.ID).body, "moved the earlier lines to a file")
	require.Equal(t, order, h.ask("GET", "/v1/orders/"+o.ID, "", nil).raw)
	out, err = run("archive", "--before", "2021-01-01", "--to", file)
	require.Error(t, err, "a file is never written over")
	require.Contains(t, out, "exists")
	out, err = h.operator("ledger", "verify")
	require.NoError(t, err, out)

	raw, err := os.ReadFile(file)
	require.NoError(t, err)
	cut := filepath.Join(t.TempDir(), "2020.jsonl.gz")
	require.NoError(t, os.WriteFile(cut, raw[:len(raw)-20], 0o600))
	out, err = run("restore", cut)
	require.Error(t, err)
	require.Contains(t, out, "ends in the middle")
	out, err = run("restore", file)
	require.NoError(t, err, out)
	require.Equal(t, whole, story())
	out, err = run("restore", filepath.Join(bins, "hub"))
	require.Error(t, err)
	require.Contains(t, out, "no archive of timelines")
}
