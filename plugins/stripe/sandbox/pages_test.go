package sandbox_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPages_RefuseButtonsPressedFromElsewhere(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	cs := s.create(hosted(1000, "usd"))
	for _, header := range []map[string]string{{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "http://evil.test"}} {
		for _, path := range []string{"/dashboard/checkout/sessions/" + cs.ID + "/expire", "/pay/" + cs.ID, "/_sandbox/faults"} {
			resp, _ := s.raw("POST", path, header, nil)
			require.Equal(t, http.StatusForbidden, resp.StatusCode)
		}
	}
	req, err := http.NewRequest("POST", s.base+"/dashboard/checkout/sessions/"+cs.ID+"/expire", nil)
	require.NoError(t, err)
	req.Host = "rebound.test"
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	resp.Body.Close()
	require.Equal(t, http.StatusMisdirectedRequest, resp.StatusCode)
	got, err := s.api.CheckoutSessions.Get(cs.ID, nil)
	require.NoError(t, err)
	require.EqualValues(t, "open", got.Status)
}
