package sandbox_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"

	"github.com/plutov/paypal/v4"
	"github.com/stretchr/testify/require"
)

// reply is what the API answered.
type reply struct {
	status int
	header http.Header
	raw    string
	thing
}

// thing is what tests look at, of every object.
type thing struct {
	ID, Status, Name string
	Amount           paypal.Money
	CustomID         string `json:"custom_id"`
	FinalCapture     bool   `json:"final_capture"`
	ExpirationTime   string `json:"expiration_time"`
	Links            []paypal.Link
	Details          []paypal.ErrorResponseDetail
	StatusDetails    struct{ Reason string } `json:"status_details"`
	Units            []struct {
		Amount   paypal.Money
		Payee    paypal.PayeeForOrders
		CustomID string `json:"custom_id"`
		Payments struct{ Captures, Authorizations, Refunds []thing }
	} `json:"purchase_units"`
	Breakdown struct {
		Total paypal.Money `json:"total_refunded_amount"`
		Fee   paypal.Money `json:"paypal_fee"`
		Net   paypal.Money `json:"net_amount"`
	} `json:"seller_payable_breakdown"`
	Related struct {
		IDs struct {
			Order string `json:"order_id"`
		} `json:"related_ids"`
	} `json:"supplementary_data"`
}

func (r reply) issue() string {
	if len(r.Details) == 0 {
		return ""
	}
	return r.Details[0].Issue
}

func (a thing) link(rel string) string {
	for _, l := range a.Links {
		if l.Rel == rel {
			return l.Href
		}
	}
	return ""
}

// ask calls the API without the library. Headers are name, value, ...
func (s *stand) ask(method, path, body string, headers ...string) reply {
	s.t.Helper()
	r, err := s.try(method, path, body, headers...)
	require.NoError(s.t, err)
	return r
}

func (s *stand) try(method, path, body string, headers ...string) (reply, error) {
	req, err := http.NewRequest(method, s.base+path, strings.NewReader(body))
	if err != nil {
		return reply{}, err
	}
	req.Header.Set("Authorization", "Bearer "+s.token)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Prefer", "return=representation")
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := web.Do(req)
	if err != nil {
		return reply{}, err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	r := reply{status: resp.StatusCode, header: resp.Header, raw: string(raw)}
	_ = json.Unmarshal(raw, &r.thing)
	return r, err
}
