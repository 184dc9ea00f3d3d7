package standin

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
)

// DoorPrefix is where the doors are, below the stand-in's own base URL.
const DoorPrefix = "/_sandbox/"

// Doors is how a test, or a person with curl, looks into a stand-in and bends
// it. They need no key, hence loopback only.
type Doors struct {
	Faults     *Faults
	Callbacks  *Deliverer
	Requests   *Requests
	Books      func() Books
	SetWebhook func(url string) error
	Clock      *Clock // nil: it cannot be set
}

// Handler serves the doors on paths that begin with DoorPrefix.
func (d Doors) Handler() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+DoorPrefix+"books", func(w http.ResponseWriter, r *http.Request) {
		WriteJSON(w, d.Books().of(r.URL.Query().Get("payment")))
	})
	mux.HandleFunc("GET "+DoorPrefix+"requests", func(w http.ResponseWriter, _ *http.Request) { WriteJSON(w, d.Requests.List()) })
	mux.HandleFunc("GET "+DoorPrefix+"callbacks", d.callbacks)
	mux.HandleFunc("POST "+DoorPrefix+"callbacks/release", d.release)
	mux.HandleFunc("POST "+DoorPrefix+"callbacks/{id}/resend", d.resend)
	mux.HandleFunc("GET "+DoorPrefix+"faults", func(w http.ResponseWriter, _ *http.Request) { WriteJSON(w, d.Faults.Bitten()) })
	mux.HandleFunc("POST "+DoorPrefix+"faults", d.addFault)
	mux.HandleFunc("DELETE "+DoorPrefix+"faults", func(w http.ResponseWriter, r *http.Request) {
		d.Faults.Clear(r.URL.Query().Get("match"))
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("PUT "+DoorPrefix+"webhook", d.setWebhook)
	if d.Clock != nil {
		mux.HandleFunc("PUT "+DoorPrefix+"clock", d.Clock.set)
	}
	return mux
}

func (d Doors) callbacks(w http.ResponseWriter, r *http.Request) {
	match := []byte(r.URL.Query().Get("match"))
	list := slices.DeleteFunc(d.Callbacks.List(), func(c Callback) bool { return !bytes.Contains(c.Body, match) })
	for i := range list {
		list[i].Body = nil // the provider's own API shows events; this shows deliveries
	}
	WriteJSON(w, list)
}

func (d Doors) release(w http.ResponseWriter, r *http.Request) {
	var order ReleaseOrder
	if !ReadJSON(w, r, &order) {
		return
	}
	WriteJSON(w, map[string]int{"released": d.Callbacks.Release(order)})
}

func (d Doors) resend(w http.ResponseWriter, r *http.Request) {
	if err := d.Callbacks.Resend(r.PathValue("id")); err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (d Doors) addFault(w http.ResponseWriter, r *http.Request) {
	var fault Fault
	if !ReadJSON(w, r, &fault) {
		return
	}
	id, err := d.Faults.Add(fault)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	WriteJSON(w, map[string]string{"id": id})
}

func (d Doors) setWebhook(w http.ResponseWriter, r *http.Request) {
	var body struct {
		URL string `json:"url"`
	}
	if !ReadJSON(w, r, &body) {
		return
	}
	if err := d.SetWebhook(body.URL); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// WriteJSON answers 200 with v.
func WriteJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // the client is gone if this fails
}

// ReadJSON decodes a door's body into v, or answers 400 and returns false. An
// empty body leaves v as it is; an unknown field is an error, so that a
// misspelt rule does not pass for one that never bites.
func ReadJSON(w http.ResponseWriter, r *http.Request, v any) bool {
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, 64<<10))
	decoder.DisallowUnknownFields()
	decoder.UseNumber() // an amount beyond 2^53 keeps its last digit
	if err := decoder.Decode(v); err != nil && !errors.Is(err, io.EOF) {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return false
	}
	return true
}
