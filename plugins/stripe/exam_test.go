package main

import (
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/superpayhub/superpay/plugins/stripe/sandbox"
	"github.com/superpayhub/superpay/sdk"
	"github.com/superpayhub/superpay/sdk/plugintest"
)

func TestMain(m *testing.M) {
	plugintest.ServeIfStarted(main) // the exam's plugin process is this binary
	os.Exit(m.Run())
}

func TestExam(t *testing.T) {
	t.Parallel()
	plugintest.Run(t, plugintest.Options{Sandbox: func(publicURL string, s sdk.Settings) (http.Handler, func() error, error) {
		stand, err := sandbox.New(sandbox.Options{
			APIKey: s["secret_key"], WebhookSecret: s["webhook_secret"], PublicURL: publicURL,
			RefundDelay: 50 * time.Millisecond, // until a bouncing refund bounces
		})
		if err != nil {
			return nil, nil, err
		}
		return stand, stand.Close, nil
	}})
}
