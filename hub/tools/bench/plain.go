package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/oklog/ulid/v2"
	stripe "github.com/stripe/stripe-go/v76"
	"github.com/stripe/stripe-go/v76/client"
	"github.com/stripe/stripe-go/v76/webhook"

	"github.com/superpayhub/superpay/sdk"
)

// plainSchema is all that the integrations without a hub keep.
const plainSchema = `
CREATE TABLE orders (id text PRIMARY KEY, reference text NOT NULL UNIQUE, amount bigint NOT NULL, currency text NOT NULL, status text NOT NULL,
	session_id text UNIQUE, url text, payment text, refunded bigint NOT NULL DEFAULT 0, created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now());
CREATE INDEX ON orders (created_at DESC);
CREATE TABLE idempotency (key text PRIMARY KEY, request text NOT NULL, answer text, created_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE seen (event_id text PRIMARY KEY, created_at timestamptz NOT NULL DEFAULT now());`

// plain is what a shop writes that needs no hub: net/http, stripe-go,
// database/sql; a transaction before the call of the provider and one after it.
type plain struct {
	db     *sql.DB
	stripe *client.API
	secret string
}

// servePlain is the program, run by the bench as `bench plain`.
func servePlain() error {
	db, err := sql.Open("postgres", os.Getenv("PLAIN_DATABASE_URL"))
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(16)
	db.SetMaxIdleConns(16)
	s := &plain{db: db, stripe: stripeGo(os.Getenv("PLAIN_STRIPE_URL")), secret: os.Getenv("PLAIN_SECRET")}
	mux := http.NewServeMux()
	for pattern, f := range map[string]func(*http.Request) (any, error){
		"POST /checkouts": s.checkout, "POST /callback": s.callback, "POST /orders/{id}/refunds": s.refund,
		"GET /orders/{id}": s.read, "GET /orders": s.list,
	} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			answer, err := f(r)
			w.Header().Set("Content-Type", "application/json")
			if err != nil {
				w.WriteHeader(http.StatusInternalServerError)
				answer = map[string]string{"error": err.Error()}
			}
			_ = json.NewEncoder(w).Encode(answer)
		})
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(listener.Addr())
	return http.Serve(listener, mux)
}

// stripeGo is the library, as one sets it up.
func stripeGo(url string) *client.API {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 64
	backend := stripe.GetBackendWithConfig(stripe.APIBackend, &stripe.BackendConfig{
		URL: stripe.String(url), HTTPClient: &http.Client{Transport: transport, Timeout: 20 * time.Second},
		MaxNetworkRetries: stripe.Int64(0), EnableTelemetry: stripe.Bool(false), LeveledLogger: &stripe.LeveledLogger{Level: stripe.LevelError},
	})
	return client.New("sk_test_plain", &stripe.Backends{API: backend, Connect: backend, Uploads: backend})
}

// newSession asks Stripe for a page on which the order can be paid.
func newSession(ctx context.Context, c *client.API, key, order string, amount int64) (*stripe.CheckoutSession, error) {
	return c.CheckoutSessions.New(&stripe.CheckoutSessionParams{
		Params: stripe.Params{Context: ctx, IdempotencyKey: stripe.String(key)}, Mode: stripe.String("payment"),
		SuccessURL: stripe.String("https://shop.example/thanks"), ClientReferenceID: stripe.String(order),
		Metadata:          map[string]string{"order": order},
		PaymentIntentData: &stripe.CheckoutSessionPaymentIntentDataParams{Metadata: map[string]string{"order": order}},
		LineItems: []*stripe.CheckoutSessionLineItemParams{{
			Quantity: stripe.Int64(1), PriceData: &stripe.CheckoutSessionLineItemPriceDataParams{
				Currency: stripe.String("usd"), UnitAmount: stripe.Int64(amount),
				ProductData: &stripe.CheckoutSessionLineItemPriceDataProductDataParams{Name: stripe.String("Two tickets")},
			},
		}},
	})
}

// plainOrder is an order as it is answered.
type plainOrder struct {
	ID        string    `json:"id"`
	Reference string    `json:"reference"`
	Amount    int64     `json:"amount"`
	Currency  string    `json:"currency"`
	Status    string    `json:"status"`
	URL       *string   `json:"url"`
	Refunded  int64     `json:"refunded"`
	CreatedAt time.Time `json:"created_at"`
}

const plainColumns = `id, reference, amount, currency, status, url, refunded, created_at`

func (o *plainOrder) into() []any {
	return []any{&o.ID, &o.Reference, &o.Amount, &o.Currency, &o.Status, &o.URL, &o.Refunded, &o.CreatedAt}
}

// within runs f in a transaction.
func (s *plain) within(ctx context.Context, f func(*sql.Tx) error) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := f(tx); err != nil {
		_ = tx.Rollback()
		return err
	}
	return tx.Commit()
}

func (s *plain) checkout(r *http.Request) (any, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	o := plainOrder{ID: ulid.Make().String(), Status: "open", CreatedAt: time.Now()}
	if err := json.Unmarshal(body, &o); err != nil {
		return nil, err
	}
	ctx, key := r.Context(), r.Header.Get("Idempotency-Key")
	err = s.within(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `INSERT INTO idempotency (key, request) VALUES ($1, $2)`, key, string(body)); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO orders (id, reference, amount, currency, status) VALUES ($1, $2, $3, $4, 'created')`, o.ID, o.Reference, o.Amount, o.Currency)
		return err
	})
	if err != nil {
		return nil, err
	}
	session, err := newSession(ctx, s.stripe, key, o.ID, o.Amount)
	if err != nil {
		return nil, err
	}
	o.URL = &session.URL
	answer, _ := json.Marshal(o)
	return o, s.within(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `UPDATE orders SET session_id = $2, url = $3, status = 'open', updated_at = now() WHERE id = $1`, o.ID, session.ID, session.URL); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `UPDATE idempotency SET answer = $2 WHERE key = $1`, key, string(answer))
		return err
	})
}

func (s *plain) callback(r *http.Request) (any, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	event, err := webhook.ConstructEvent(body, r.Header.Get("Stripe-Signature"), s.secret)
	if err != nil {
		return nil, err
	}
	var intent stripe.PaymentIntent
	if err := json.Unmarshal(event.Data.Raw, &intent); err != nil {
		return nil, err
	}
	ctx := r.Context()
	return map[string]bool{"received": true}, s.within(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `INSERT INTO seen (event_id) VALUES ($1)`, event.ID); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `UPDATE orders SET status = 'paid', payment = $2, updated_at = now() WHERE id = $1`, intent.Metadata[sdk.MetadataAttempt], intent.ID)
		return err
	})
}

func (s *plain) refund(r *http.Request) (any, error) {
	ctx, id, key, amount := r.Context(), r.PathValue("id"), r.Header.Get("Idempotency-Key"), int64(100)
	err := s.within(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `INSERT INTO idempotency (key, request) VALUES ($1, $2)`, key, id); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `UPDATE orders SET refunded = refunded + $2, updated_at = now() WHERE id = $1 AND refunded + $2 <= amount`, id, amount)
		return err
	})
	if err != nil {
		return nil, err
	}
	refund, err := s.stripe.Refunds.New(&stripe.RefundParams{
		Params: stripe.Params{Context: ctx, IdempotencyKey: stripe.String(key)}, Amount: stripe.Int64(amount), Charge: stripe.String("ch_" + id),
	})
	if err != nil {
		return nil, err
	}
	answer := map[string]string{"id": refund.ID, "amount": strconv.FormatInt(amount, 10), "status": string(refund.Status)}
	text, _ := json.Marshal(answer)
	return answer, s.within(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE idempotency SET answer = $2 WHERE key = $1`, key, string(text))
		return err
	})
}

func (s *plain) read(r *http.Request) (any, error) {
	var o plainOrder
	err := s.db.QueryRowContext(r.Context(), `SELECT `+plainColumns+` FROM orders WHERE id = $1`, r.PathValue("id")).Scan(o.into()...)
	return o, err
}

func (s *plain) list(r *http.Request) (any, error) {
	rows, err := s.db.QueryContext(r.Context(), `SELECT `+plainColumns+` FROM orders ORDER BY created_at DESC LIMIT $1`, r.FormValue("limit"))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []plainOrder
	for rows.Next() {
		var o plainOrder
		if err := rows.Scan(o.into()...); err != nil {
			return nil, err
		}
		all = append(all, o)
	}
	return all, rows.Err()
}
