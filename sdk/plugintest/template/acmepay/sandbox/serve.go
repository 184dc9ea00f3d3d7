//go:build ignore

// Serve runs the stand-in by itself: go run sandbox/serve.go. It is no command
// of its own, so that building all plugins does not build it, too.
package main

import (
	"encoding/json"
	"flag"
	"log"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/superpayhub/superpay/sdk/plugintest/template/acmepay/sandbox"
)

func main() {
	var o sandbox.Options
	addr := flag.String("addr", "127.0.0.1:0", "loopback address to listen on")
	flag.StringVar(&o.APIKey, "api-key", "", "the API key to accept")
	flag.StringVar(&o.SigningSecret, "signing-secret", "", "signs the callbacks")
	flag.StringVar(&o.WebhookURL, "webhook-url", "", "where callbacks go")
	flag.Parse()
	listener, err := net.Listen("tcp", *addr)
	if err != nil {
		log.Fatal(err)
	}
	if !listener.Addr().(*net.TCPAddr).IP.IsLoopback() {
		log.Fatal("whoever reaches the stand-in is its merchant and its payer: it listens on loopback only")
	}
	o.PublicURL = "http://" + listener.Addr().String()
	handler, _, err := sandbox.New(o)
	if err != nil {
		log.Fatal(err)
	}
	// Whoever started this reads where it is.
	if err := json.NewEncoder(os.Stdout).Encode(map[string]string{"url": o.PublicURL}); err != nil {
		log.Fatal(err)
	}
	server := http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	log.Fatal(server.Serve(listener))
}
