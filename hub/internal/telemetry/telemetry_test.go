package telemetry

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// awkward needs another spelling in JSON, in quoted text and in a URL.
const awkward = "p\"w\\<&>/ ü@\n1"

func TestLog_NoRegisteredSecretGetsOut(t *testing.T) {
	for _, asJSON := range []bool{true, false} {
		for _, secret := range []string{"sk_test_12345678", awkward} {
			var out bytes.Buffer
			secrets := &Secrets{}
			secrets.Add("sk_test", secret, "short")
			log := NewLogger(&out, LogOptions{JSON: asJSON, Secrets: secrets})

			address := fmt.Sprintf("open %q", "postgres://hub:"+url.PathEscape(secret)+"@db") + fmt.Sprintf("%q", secret)
			type inner struct{ Value string }
			log.With("with", secret).WithGroup("group").Info("message "+secret,
				"text", "before "+secret+" after",
				"error", fmt.Errorf("ask: %w", errors.New("answer "+secret)),
				"address", address,
				"struct", inner{secret}, "pointer", &inner{secret}, "map", map[string]any{"a": []string{secret}},
				"raw", json.RawMessage(`{"a":"b"}`),
				slog.Group("deep", slog.Group("deeper", "x", secret)),
				slog.Any("valuer", valuer(secret)))
			require.NotContains(t, out.String(), secret)
			require.NotContains(t, out.String(), "12345678")
			require.NotContains(t, out.String(), "ü@")
			require.Contains(t, out.String(), Hidden)
			if asJSON {
				require.True(t, json.Valid(out.Bytes()), out.String())
			}
			require.Equal(t, 1, strings.Count(out.String(), "\n"), "a record is one line")
		}
	}
}

type valuer string

func (v valuer) LogValue() slog.Value { return slog.StringValue(string(v)) }

func TestLog_AttributesNamedLikeASecretAreHidden(t *testing.T) {
	var out bytes.Buffer
	log := NewLogger(&out, LogOptions{JSON: true})
	log.Info("m", "secret_key", "aaaa", "Authorization", "bbbb", "client_secret", []byte("cccc"), slog.Group("cookies", "x", "dddd"),
		"publishable_key", "pk_1", "idempotency_key", "idem_1", "amount", 5)
	for _, hidden := range []string{"aaaa", "bbbb", "cccc", "Y2NjYw", "dddd"} {
		require.NotContains(t, out.String(), hidden)
	}
	for _, shown := range []string{"pk_1", "idem_1", `"amount":5`} {
		require.Contains(t, out.String(), shown)
	}
}

func TestLog_SecretsMayBeAddedLater(t *testing.T) {
	var out bytes.Buffer
	secrets := &Secrets{}
	log := NewLogger(&out, LogOptions{Secrets: secrets})
	log.Info("tiny", "region", "eu")
	secrets.Add("eu", "whsec_late")
	log.Info("whsec_late", "region", "eu")
	require.Equal(t, 2, strings.Count(out.String(), "region=eu"), "what is shorter than a secret is left alone")
	require.NotContains(t, out.String(), "whsec_late")
}

func TestLog_ContextIsAddedOnce(t *testing.T) {
	var out bytes.Buffer
	log := NewLogger(&out, LogOptions{FromContext: func(context.Context) []slog.Attr {
		return []slog.Attr{slog.String("request_id", "req_1"), slog.String("order_id", "ord_1")}
	}})
	log.With("a", 1).Info("m", "order_id", "ord_2")
	require.Contains(t, out.String(), "request_id=req_1")
	require.Contains(t, out.String(), "order_id=ord_2")
	require.NotContains(t, out.String(), "ord_1")
}

func TestMetrics_PoolIsMeasured(t *testing.T) {
	r := NewMetrics()
	r.MustRegister(DBPool(func() sql.DBStats { return sql.DBStats{InUse: 3} }))
	families, err := r.Gather()
	require.NoError(t, err)
	found := map[string]float64{}
	for _, f := range families {
		found[f.GetName()] = f.GetMetric()[0].GetGauge().GetValue()
	}
	require.Equal(t, 3.0, found["superpay_db_used_connections"])
	require.Contains(t, found, "go_goroutines")
}
