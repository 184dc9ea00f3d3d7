package devpg

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"sort"
	"strconv"
	"strings"
	"time"
)

// binaries is a folder that holds initdb, pg_ctl and postgres of one version together.
type binaries struct {
	dir   string
	major int
}

func (b binaries) path(program string) string { return filepath.Join(b.dir, program+exeSuffix()) }

// installed lists where packages put PostgreSQL. A folder that is not there costs nothing.
var installed = []string{
	"/usr/lib/postgresql/*/bin", // Debian, Ubuntu
	"/usr/pgsql-*/bin",          // Red Hat and relatives
	"/opt/homebrew/opt/postgresql*/bin",
	"/usr/local/opt/postgresql*/bin",
	"/Applications/Postgres.app/Contents/Versions/*/bin",
	`C:\Program Files\PostgreSQL\*\bin`,
}

// locate finds the programs. HUB_PG_BIN decides alone if it is set. Otherwise the first of these
// that works and fits: PATH, pg_config, the usual folders newest first, the cache of `make postgres`.
// wantMajor is the major version that made the data, 0 when there are none yet: PostgreSQL cannot
// read the data of another major version.
func locate(ctx context.Context, wantMajor int, as *account) (binaries, error) {
	if dir := os.Getenv("HUB_PG_BIN"); dir != "" {
		found, err := probe(ctx, dir, as)
		if err != nil {
			return binaries{}, fmt.Errorf("HUB_PG_BIN: %w", err)
		}
		if wantMajor != 0 && found.major != wantMajor {
			return binaries{}, fmt.Errorf("HUB_PG_BIN: %w", majorError(wantMajor, []binaries{found}))
		}
		return found, nil
	}

	var unfit []binaries
	var broken []error
	for _, group := range []func(context.Context) []string{fromPath, fromPgConfig, fromInstalled, fromCache} {
		var fit []binaries
		for _, dir := range group(ctx) {
			found, err := probe(ctx, dir, as)
			switch {
			case err != nil:
				broken = append(broken, err)
			case wantMajor != 0 && found.major != wantMajor:
				unfit = append(unfit, found)
			default:
				fit = append(fit, found)
			}
		}
		if len(fit) > 0 {
			sort.SliceStable(fit, func(i, j int) bool { return fit[i].major > fit[j].major })
			return fit[0], nil
		}
	}
	if len(unfit) > 0 {
		return binaries{}, majorError(wantMajor, unfit)
	}
	return binaries{}, errors.Join(append([]error{errNotFound}, broken...)...)
}

var errNotFound = errors.New("no usable PostgreSQL found: run `make postgres`, or `apt-get install postgresql`, " +
	"or set HUB_PG_BIN to a folder with initdb, pg_ctl and postgres, or HUB_DATABASE_URL to a server of your own")

func majorError(want int, found []binaries) error {
	var list []string
	for _, b := range found {
		list = append(list, fmt.Sprintf("%d in %s", b.major, b.dir))
	}
	return fmt.Errorf("the data were made by PostgreSQL %d, which was not found (only %s): install version %d, "+
		"or move the data to the new version with pg_upgrade; they were left untouched",
		want, strings.Join(list, ", "), want)
}

func fromPath(context.Context) []string {
	program, err := exec.LookPath("postgres")
	if err != nil {
		return nil
	}
	// What is in PATH is often a link into the real folder, which alone has all three programs.
	dirs := []string{filepath.Dir(program)}
	if real, err := filepath.EvalSymlinks(program); err == nil && filepath.Dir(real) != dirs[0] {
		dirs = append([]string{filepath.Dir(real)}, dirs...)
	}
	return dirs
}

func fromPgConfig(ctx context.Context) []string {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, "pg_config", "--bindir").Output()
	dir := strings.TrimSpace(string(out))
	if err != nil || !hasPrograms(dir) { // pg_config often comes with the client's headers alone
		return nil
	}
	return []string{dir}
}

func fromInstalled(context.Context) []string {
	var dirs []string
	for _, pattern := range installed {
		dirs = append(dirs, serverFolders(pattern)...)
	}
	return dirs
}

func fromCache(context.Context) []string {
	return serverFolders(filepath.Join(cacheDir(), "*", "bin"))
}

// serverFolders drops what holds only client programs.
func serverFolders(pattern string) []string {
	matches, _ := filepath.Glob(pattern) // the only error is a bad pattern
	var dirs []string
	for _, dir := range matches {
		if hasPrograms(dir) {
			dirs = append(dirs, dir)
		}
	}
	return dirs
}

// cacheDir is where `make postgres` (.ci/postgres.sh) unpacks PostgreSQL when it cannot install it:
// change both together. Root's own cache is out of reach for the user that runs PostgreSQL.
func cacheDir() string {
	if runtime.GOOS != "windows" && os.Geteuid() == 0 {
		return "/var/cache/superpay/postgres"
	}
	if dir := os.Getenv("XDG_CACHE_HOME"); dir != "" {
		return filepath.Join(dir, "superpay", "postgres")
	}
	home, _ := os.UserHomeDir()
	return filepath.Join(home, ".cache", "superpay", "postgres")
}

var versionLine = regexp.MustCompile(`\(PostgreSQL\) (\d+)`)

// probe runs the programs of a folder as the user that will run the server: being there is not enough.
func probe(ctx context.Context, dir string, as *account) (binaries, error) {
	found := binaries{dir: dir}
	if !hasPrograms(dir) {
		return found, fmt.Errorf("%s does not hold initdb, pg_ctl and postgres together", dir)
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	for _, program := range []string{"initdb", "pg_ctl", "postgres"} {
		cmd := command(ctx, as, found.path(program), "--version")
		out, err := cmd.CombinedOutput()
		match := versionLine.FindSubmatch(out)
		if err != nil || match == nil {
			return found, fmt.Errorf("%s does not work: %w: %s", found.path(program), err, strings.TrimSpace(string(out)))
		}
		found.major, _ = strconv.Atoi(string(match[1])) // digits by the pattern
	}
	return found, nil
}

func hasPrograms(dir string) bool {
	for _, program := range []string{"initdb", "pg_ctl", "postgres"} {
		info, err := os.Stat(binaries{dir: dir}.path(program))
		if err != nil || info.IsDir() {
			return false
		}
	}
	return true
}

func exeSuffix() string {
	if runtime.GOOS == "windows" {
		return ".exe"
	}
	return ""
}
