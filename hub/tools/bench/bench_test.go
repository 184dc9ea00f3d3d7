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
