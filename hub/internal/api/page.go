package api

import (
	"strconv"
	"strings"
	"time"

	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/hub/internal/postgres"
)

// A cursor is what the page before gave as next: the id of its last line; in lists
// by the time of change that time before it, in microseconds since 1970, and a dot.

// checkCursor refuses what cannot be a cursor of a list of ids with that prefix. Any
// text would be a place in the list, and its page an end that is none.
func checkCursor(prefix, cursor string) error {
	id := cursor
	if named := strings.SplitN(cursor, "_", 3); len(named) == 3 { // a notification's id ends with its endpoint's
		id = named[0] + "_" + named[1]
	}
	if cursor == "" || ledger.ValidID(prefix, id) {
		return nil
	}
	return ledger.Invalidf("cursor", "this is no cursor of this list: leave it out for the first page, and take next of the page before for each further one")
}

// placeOf reads the cursor of a list by the time of change; since is where the list
// begins.
func placeOf(prefix string, since time.Time, cursor string) (postgres.Place, error) {
	if cursor == "" {
		return postgres.Place{At: since}, nil
	}
	micros, id, _ := strings.Cut(cursor, ".")
	at, err := strconv.ParseInt(micros, 10, 64)
	if err != nil || id == "" {
		id = "-" // no id
	}
	return postgres.Place{At: time.UnixMicro(at), ID: id}, checkCursor(prefix, id)
}

// cursorOf is the cursor that goes on after a line which last changed at that time.
func cursorOf(id string, changed time.Time) string {
	return strconv.FormatInt(changed.UnixMicro(), 10) + "." + id
}
