package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestScript_PlaysWhatWasLoggedWithOtherIDs(t *testing.T) {
	s, err := parseLog("2026-01-02 03:04:05.678 UTC [1] LOG:  execute 9: UPDATE attempts SET due_at = $1 WHERE id = $2\n" +
		"2026-01-02 03:04:05.678 UTC [1] DETAIL:  parameters: $1 = '2026-01-02', $2 = 'att_01m809xbredfby8pgd967edfec'\n" +
		"2026-01-02 03:04:05.678 UTC [1] LOG:  execute 12: WITH d AS (SELECT $1::jsonb AS d)\n\tSELECT $2 FROM d\n" +
		"2026-01-02 03:04:05.678 UTC [1] DETAIL:  parameters: $1 = '{\"id\":\"ord_01m809xbredfby8pgd967edfec\",\"app\":\"app_01m809xbredfby8pgd967edfec\",\"name\":\"it''s\"}', $2 = NULL\n" +
		"2026-01-02 03:04:05.678 UTC [1] LOG:  execute <unnamed>: SELECT $1 FROM order_hours\n" +
		"2026-01-02 03:04:05.678 UTC [1] DETAIL:  parameters: $1 = 'counted meanwhile'\n" +
		"2026-01-02 03:04:05.678 UTC [1] LOG:  execute 13: SELECT $1, $2\n" +
		"2026-01-02 03:04:05.678 UTC [1] DETAIL:  parameters: $1 = 'one', $2 = 'name-@@@@@@@@@@'\n")
	require.NoError(t, err)
	require.Equal(t, []string{
		`v0={"id":"ord_01m809xbre@@@@@@@@@@7edfec","app":"app_01m809xbredfby8pgd967edfec","name":"it's"}`,
		`v1=name-@@@@@@@@@@`, `v2=one`,
	}, s.values)
	require.Equal(t, "\\set i :i + 1\n\\set n :base + :client_id * :per + :i\n"+
		"WITH d AS (SELECT replace(:v0::text, '@@@@@@@@@@', lpad(:n::text, 10, '0'))::jsonb AS d)\nSELECT NULL FROM d;\n"+
		"SELECT :v2, replace(:v1::text, '@@@@@@@@@@', lpad(:n::text, 10, '0'));\n", s.text)
}

func TestRow_RatiosAreTakenRoundByRound(t *testing.T) {
	rounds := func(done ...int) (results []result) {
		for _, n := range done {
			results = append(results, result{done: n, took: time.Second, latency: []time.Duration{time.Millisecond, time.Duration(n) * time.Millisecond}})
		}
		return results
	}
	r := row{entries: []*entry{{results: rounds(100, 10, 60)}, {results: rounds(50, 10, 20)}}}
	require.Equal(t, spread{1, 2, 3}, r.over(r.entries[1]))
	require.Equal(t, spread{0, 40, 50}, r.adds(r.entries[1]))
	require.Equal(t, time.Millisecond, r.entries[0].results[0].at(0.49))
}

func TestRow_CostsAreOfAllRoundsTogether(t *testing.T) {
	e := entry{results: []result{{done: 30, usage: usage{cpu: 10 * time.Millisecond}}, {done: 10, usage: usage{cpu: 70 * time.Millisecond}}}}
	require.InDelta(t, 2, e.cost(func(u usage) time.Duration { return u.cpu }), 1e-9)
	require.Zero(t, (&entry{}).cost(func(u usage) time.Duration { return u.cpu }), "nothing was done")
}

func TestCountStatements_OfOneDatabaseWithoutWhatIsSeldom(t *testing.T) {
	log := "2026-01-02 03:04:05.678 UTC [1] superpay LOG:  execute 9: UPDATE attempts\n\tSET due_at = $1\n" +
		"2026-01-02 03:04:05.678 UTC [1] superpay DETAIL:  parameters: $1 = 'nothing'\n" +
		"2026-01-02 03:04:05.678 UTC [2] beside LOG:  execute 9: UPDATE attempts\n" +
		"2026-01-02 03:04:05.678 UTC [2]  LOG:  checkpoint starting\n" +
		"2026-01-02 03:04:05.678 UTC [3] superpay LOG:  execute 8: UPDATE attempts\n" +
		"2026-01-02 03:04:05.678 UTC [1] superpay LOG:  execute <unnamed>: SELECT 1\n" +
		"2026-01-02 03:04:05.678 UTC [1] superpay LOG:  statement: BEGIN\n"
	require.Equal(t, 4, countStatements(log, "superpay", 0))
	require.Equal(t, 2, countStatements(log, "superpay", 2))
	require.Equal(t, 1, countStatements(log, "beside", 0))
}
