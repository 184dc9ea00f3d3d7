package main

import (
	"bytes"
	"database/sql"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/hub/internal/access"
	"github.com/superpayhub/superpay/hub/internal/config"
	"github.com/superpayhub/superpay/hub/internal/devpg/pgtest"
	"github.com/superpayhub/superpay/hub/internal/postgres"
)

const testKey = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="

// run is one command, in this process.
func run(t *testing.T, args ...string) (out, notes string, err error) {
	t.Helper()
	var o, e bytes.Buffer
	c := command()
	c.SetArgs(args)
	c.SetOut(&o)
	c.SetErr(&e)
	err = c.ExecuteContext(t.Context())
	return o.String(), e.String(), err
}

func TestKeysOfAnApp(t *testing.T) {
	address := pgtest.New(t)
	t.Setenv("HUB_DATABASE_URL", address)
	t.Setenv("HUB_ENCRYPTION_KEY", testKey)
	t.Setenv("HUB_PROVIDERS__STRIPE__SETTINGS__SECRET_KEY", "sk_test_12345678")
	_, _, err := run(t, "migrate")
	require.NoError(t, err)

	_, _, err = run(t, "app", "create", "shop", "--provider", "paypal")
	require.ErrorContains(t, err, "no such provider is configured")
	key, notes, err := run(t, "app", "create", "shop", "--provider", "stripe")
	require.NoError(t, err)
	key = strings.TrimSpace(key)
	require.Regexp(t, `^spk_[A-Za-z0-9_-]{43}$`, key)
	require.Contains(t, notes, "app shop may use: stripe\n")
	require.NotContains(t, notes, key)
	_, _, err = run(t, "app", "create", "shop")
	require.ErrorContains(t, err, "hub key create shop")
	second, _, err := run(t, "key", "create", "shop")
	require.NoError(t, err)
	require.NotEqual(t, key, strings.TrimSpace(second))

	keys, err := postgres.ParseKeys(testKey)
	require.NoError(t, err)
	db, err := postgres.Open(t.Context(), postgres.Options{URL: address, Keys: keys, MaxConns: 2})
	require.NoError(t, err)
	defer db.Close()
	app, err := db.AppOfKey(t.Context(), access.HashKey(key), time.Now())
	require.NoError(t, err)
	require.Equal(t, []string{"stripe"}, []string(app.Providers))

	list, _, err := run(t, "key", "list", "shop")
	require.NoError(t, err)
	require.NotContains(t, list, key)
	require.Contains(t, list, access.Hint(key)+"...")
	rows := strings.Split(strings.TrimSpace(list), "\n")
	require.Len(t, rows, 3)
	oldest := strings.Fields(rows[2])[0]
	_, _, err = run(t, "key", "revoke", oldest)
	require.NoError(t, err)
	_, err = db.AppOfKey(t.Context(), access.HashKey(key), time.Now())
	require.ErrorIs(t, err, postgres.ErrNotFound)
	_, _, err = run(t, "key", "revoke", oldest)
	require.ErrorContains(t, err, "does not exist, or is revoked already")
	for _, wrong := range [][]string{{"--scope", "write"}, {"--expires", "yesterday"}, {"--expires", "0d"}, {"--expires", "2020-01-01"}} {
		_, _, err = run(t, append([]string{"key", "create", "shop"}, wrong...)...)
		require.ErrorContains(t, err, wrong[0])
	}
	_, _, err = run(t, "key", "list", "nobody")
	require.ErrorContains(t, err, `there is no app "nobody"`)

	for _, name := range []string{"", " ", "Shop", "-shop", "a b", strings.Repeat("a", 64)} {
		_, _, err = run(t, "app", "create", "--", name)
		require.ErrorContains(t, err, "must be a-z, 0-9", name)
	}
	_, notes, err = run(t, "app", "create", "all.of_them-2")
	require.NoError(t, err)
	require.Contains(t, notes, "app all.of_them-2 may use: all providers\n")
	list, _, err = run(t, "app", "list")
	require.NoError(t, err)
	require.Regexp(t, `(?m)^all.of_them-2 +all providers +1 `, list)
	require.Regexp(t, `(?m)^shop +stripe +1 `, list, "a revoked key does not count")
}

func TestHelp(t *testing.T) {
	_, _, err := run(t, "app", "create")
	require.ErrorContains(t, err, "usage: hub app create NAME [flags]")
	_, _, err = run(t, "app", "list", "--colour")
	require.ErrorContains(t, err, "usage: hub app list")
	version, _, err := run(t, "--version")
	require.NoError(t, err)
	require.Contains(t, version, "superpay hub ")
	_, _, err = run(t, "order", "refnud", "ord_1")
	require.ErrorContains(t, err, `there is no command "hub order refnud"; did you mean refund?`)
	_, _, err = run(t, "ordre", "refund", "ord_1")
	require.ErrorContains(t, err, `there is no command "hub ordre"; did you mean order?`)
	all, _, err := run(t, "order")
	require.NoError(t, err)
	require.Contains(t, all, "Give money of an order back")
	help, _, err := run(t, "app", "create", "--help")
	require.NoError(t, err)
	require.Regexp(t, `--config file +settings file`, help)
	require.Regexp(t, `--provider name +name of a provider`, help)
	help, _, err = run(t, "dev", "--help")
	require.NoError(t, err)
	require.Contains(t, help, usualDir())
}

// Commands find the database of the house that runs on the data folder.
func TestBesideAHouse(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("DATA_DIR", dir)
	_, _, err := run(t, "--dev", "app", "list")
	require.ErrorContains(t, err, "nothing runs on the data folder "+dir)
	t.Setenv("HUB_DATABASE_URL", "postgres://127.0.0.1:1/nothing")
	t.Setenv("HUB_PROVIDERS__OURS__PLUGIN", "stripe")
	settings := `["HUB_DATABASE_URL=` + pgtest.New(t) + `", "HUB_ENCRYPTION_KEY=` + testKey + `", "HUB_PROVIDERS__ACME__SETTINGS__API_KEY=k"]`
	require.NoError(t, os.WriteFile(filepath.Join(dir, "environment.json"), []byte(settings), 0o600))
	_, _, err = run(t, "--dev", "migrate")
	require.NoError(t, err)
	key, _, err := run(t, "--dev", "app", "create", "mine", "--provider", "acme")
	require.NoError(t, err)
	require.Contains(t, key, "spk_")
	_, _, err = run(t, "--dev", "app", "create", "another", "--provider", "ours")
	require.ErrorContains(t, err, "no such provider is configured", "only the running house's settings count")
	t.Setenv("DATA_DIR", "")
	t.Setenv("HUB_DEV_DIR", dir)
	list, _, err := run(t, "app", "list")
	require.NoError(t, err)
	require.Regexp(t, `mine +acme`, list)
	_, _, err = run(t, "--dev", "serve")
	require.ErrorContains(t, err, "serves already")
}

// TestCommands_MigrateNothing: a look at a database, perhaps the wrong one, leaves
// nothing in it; and who may only read can look.
func TestCommands_MigrateNothing(t *testing.T) {
	address := pgtest.New(t)
	t.Setenv("HUB_ENCRYPTION_KEY", testKey)
	t.Setenv("HUB_DATABASE_URL", address)
	db, err := sql.Open("postgres", address)
	require.NoError(t, err)
	defer db.Close()
	looks := [][]string{{"app", "list"}, {"ledger", "verify"}, {"provider", "unmatched"}, {"notification", "endpoints"}}
	refused := [][]string{{"order", "show", "ord_none"}, {"key", "list", "shop"}, {"app", "create", "shop"}}
	for _, command := range append(refused, looks...) {
		_, _, err := run(t, command...)
		require.ErrorContains(t, err, "run `hub migrate`", command)
		var tables int
		require.NoError(t, db.QueryRow(`SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'`).Scan(&tables))
		require.Zero(t, tables, command)
	}
	_, _, err = run(t, "migrate")
	require.NoError(t, err)
	_, _, err = run(t, "app", "create", "shop")
	require.NoError(t, err)
	_, err = db.Exec(`DELETE FROM goose_db_version WHERE version_id = 45`)
	require.NoError(t, err)
	_, _, err = run(t, "app", "list")
	require.ErrorContains(t, err, "it lacks migration 45: run `hub migrate`")
	_, err = db.Exec(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (45, true)`)
	require.NoError(t, err)

	reader := "reader_" + strconv.FormatInt(time.Now().UnixNano(), 36)
	_, err = db.Exec(`CREATE ROLE ` + reader + ` LOGIN PASSWORD 'x'; GRANT SELECT ON ALL TABLES IN SCHEMA public TO ` + reader)
	require.NoError(t, err)
	t.Cleanup(func() {
		again, err := sql.Open("postgres", address)
		require.NoError(t, err)
		defer again.Close()
		_, err = again.Exec(`DROP OWNED BY ` + reader + `; DROP ROLE ` + reader)
		require.NoError(t, err)
	})
	as, err := url.Parse(address)
	require.NoError(t, err)
	as.User = url.UserPassword(reader, "x")
	t.Setenv("HUB_DATABASE_URL", as.String())
	for _, command := range looks {
		out, _, err := run(t, command...)
		require.NoError(t, err, command)
		require.NotContains(t, out, "permission denied")
	}
	list, _, err := run(t, "app", "list")
	require.NoError(t, err)
	require.Contains(t, list, "shop")
	_, _, err = run(t, "app", "create", "another")
	require.ErrorContains(t, err, "permission denied")
}

func TestProviderList_ShowsNoValue(t *testing.T) {
	t.Setenv("HUB_DATABASE_URL", "postgres://127.0.0.1:1/superpay")
	t.Setenv("HUB_ENCRYPTION_KEY", testKey)
	t.Setenv("HUB_PROVIDERS__STRIPE__SETTINGS__SECRET_KEY", "sk_test_12345678")
	t.Setenv("HUB_PROVIDERS__STRIPE_EU__PLUGIN", "stripe")
	t.Setenv("HUB_PROVIDERS__STRIPE_EU__DISABLED", "true")
	out, notes, err := run(t, "provider", "list")
	require.NoError(t, err)
	require.Contains(t, notes, "What was set up in the console is not shown: reach the database")
	require.Regexp(t, `stripe +stripe +no executable in .* HUB_PROVIDERS__STRIPE__SETTINGS__SECRET_KEY +- +secret_key\n`, out)
	require.Regexp(t, `stripe_eu +stripe +disabled`, out)
	require.NotContains(t, out, "12345678")
}

func TestCommandsThatNeedNothing(t *testing.T) {
	for _, c := range []struct{ name, want string }{
		{"config", config.Example}, {"openapi", `"openapi":`}, {"version", "superpay hub "},
	} {
		out, _, err := run(t, c.name)
		require.NoError(t, err)
		require.Contains(t, out, c.want)
	}
}

func TestSettingsAreCheckedFirst(t *testing.T) {
	t.Setenv("HUB_ENCRYPTION_KEY", "short")
	_, _, err := run(t, "serve")
	require.ErrorContains(t, err, "HUB_DATABASE_URL")
	t.Setenv("HUB_DATABASE_URL", "postgres://127.0.0.1:1/superpay")
	_, _, err = run(t, "serve")
	require.ErrorContains(t, err, "openssl rand -base64 32")
}
