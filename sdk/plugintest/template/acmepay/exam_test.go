package main

import (
	"net/http"
	"os"
	"testing"

	"github.com/superpayhub/superpay/sdk"
	"github.com/superpayhub/superpay/sdk/plugintest"
	"github.com/superpayhub/superpay/sdk/plugintest/template/acmepay/sandbox"
)

func TestMain(m *testing.M) {
	plugintest.ServeIfStarted(main) // the exam's plugin process is this binary
	os.Exit(m.Run())
}

func TestExam(t *testing.T) {
	plugintest.Run(t, plugintest.Options{Sandbox: stand})
}

func stand(publicURL string, s sdk.Settings) (http.Handler, func() error, error) {
	return sandbox.New(sandbox.Options{APIKey: s["api_key"], SigningSecret: s["signing_secret"], PublicURL: publicURL})
}
