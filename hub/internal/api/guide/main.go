// Command guide is the receiver of notifications that /docs shows.
package main

import (
	"encoding/json"
	"io"
	"log"
	"net/http"
	"os"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

type order struct {
	ID, Reference, Status string
	Version               int64
}

func main() {
	genuine, err := standardwebhooks.NewWebhook(os.Getenv("WEBHOOK_SECRET")) // whsec_..., from the answer that made the endpoint
	if err != nil {
		log.Fatal(err)
	}
	changed := make(chan order, 1000) // yours: a table or a queue that outlives you
	go act(changed)
	http.HandleFunc("POST /superpay", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
		if err != nil || genuine.Verify(body, r.Header) != nil {
			http.Error(w, "not from the hub", http.StatusUnauthorized)
			return
		}
		var n struct{ Data order }
		if json.Unmarshal(body, &n) == nil && n.Data.Version > 0 { // else it is about an endpoint
			changed <- n.Data // and nothing more: answer at once, act later
		}
		w.WriteHeader(http.StatusNoContent)
	})
	log.Fatal(http.ListenAndServe(os.Getenv("LISTEN"), nil)) // behind your https
}

// act has what a notification told done. It may come twice, late, or after a
// newer one: what has an older version than you know is no news.
func act(changed <-chan order) {
	seen := map[string]int64{} // yours: a column beside your order
	for told := range changed {
		if told.Version <= seen[told.ID] {
			continue
		}
		now, err := read(told.ID) // the truth of this moment, before anything is shipped
		if err != nil {
			log.Print(err) // yours: try again later
			continue
		}
		seen[now.ID] = now.Version
		log.Printf("%s is %s", now.Reference, now.Status)
	}
}

func read(id string) (o order, err error) {
	req, err := http.NewRequest(http.MethodGet, os.Getenv("HUB")+"/v1/orders/"+id, nil)
	if err != nil {
		return o, err
	}
	req.Header.Set("Authorization", "Bearer "+os.Getenv("API_KEY"))
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return o, err
	}
	defer res.Body.Close()
	return o, json.NewDecoder(res.Body).Decode(&o)
}
