package main

import (
	"net/http"
	"os"
	"testing"

	"github.com/superpayhub/superpay/plugins/paypal/sandbox"
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
			ClientID: s["client_id"], ClientSecret: s["client_secret"], MerchantID: s["merchant_id"],
			WebhookID: s["webhook_id"], PublicURL: publicURL, Strict: true,
		})
		if err != nil {
			return nil, nil, err
		}
		return stand, stand.Close, nil
	}})
}
