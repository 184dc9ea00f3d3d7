package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/superpayhub/superpay/sdk"
	"github.com/superpayhub/superpay/sdk/once"
)

// repeated are broken in how an operation is repeated, and what is not known.
var repeated = map[string]variant{
	"a key of its own": {rule: "repeat_same_effect", also: []string{"repeat_same_bytes"}, why: "another key is another request", breaks: func(b *broken) {
		b.transport = func(next http.RoundTripper) http.RoundTripper {
			return roundTrip(func(r *http.Request) (*http.Response, error) {
				if r.Method == http.MethodPost {
					r.Header.Set("Idempotency-Key", fmt.Sprint(r.Header.Get("Idempotency-Key"), b.calls.Add(1), time.Now().UnixNano()))
				}
				return next.RoundTrip(r)
			})
		}
	}},
	"a clock in the request": {rule: "repeat_same_bytes", breaks: func(b *broken) {
		b.transport = func(next http.RoundTripper) http.RoundTripper {
			return roundTrip(func(r *http.Request) (*http.Response, error) {
				r.URL.RawQuery += fmt.Sprintf("&sent_at=%d", time.Now().UnixNano())
				return next.RoundTrip(r)
			})
		}
	}},
	"a mismatch is a refusal": {rule: "key_reused", breaks: func(b *broken) {
		b.create = func(ctx context.Context, r sdk.CheckoutRequest) (*sdk.Payment, error) {
			p, err := b.Provider.CreateCheckout(ctx, r)
			if isMismatch(err) {
				return nil, no
			}
			return p, err
		}
	}},
	"a mismatch was not sent": {rule: "key_reused", breaks: func(b *broken) {
		b.refund = func(ctx context.Context, r sdk.RefundRequest) (*sdk.Refund, error) {
			re, err := b.Provider.Refund(ctx, r)
			if isMismatch(err) {
				return nil, sdk.NotSent("the key is used")
			}
			return re, err
		}
	}},
	"a replay is of what was asked for": {rule: "key_reused", stand: standThatReplays, breaks: func(b *broken) {
		b.create = func(ctx context.Context, r sdk.CheckoutRequest) (*sdk.Payment, error) {
			p, err := b.Provider.CreateCheckout(ctx, r)
			if err == nil {
				p.Amount = r.Amount
			}
			return p, err
		}
	}},
	"a replay is for who asks": {rule: "key_reused", stand: standThatReplays, breaks: func(b *broken) {
		b.create = func(ctx context.Context, r sdk.CheckoutRequest) (*sdk.Payment, error) {
			p, err := b.Provider.CreateCheckout(ctx, r)
			if err == nil {
				p.AttemptID, p.InstanceID = r.AttemptID, r.InstanceID
			}
			return p, err
		}
	}},
	"a replayed refund is of what was asked for": {rule: "key_reused", stand: standThatReplays, breaks: func(b *broken) {
		b.refund = func(ctx context.Context, r sdk.RefundRequest) (*sdk.Refund, error) {
			re, err := b.Provider.Refund(ctx, r)
			if err == nil {
				re.Amount, re.RefundID = r.Refund, r.RefundID
			}
			return re, err
		}
	}},
	"tries again by itself": {rule: "repeat_never_alone", breaks: func(b *broken) {
		b.create = func(ctx context.Context, r sdk.CheckoutRequest) (*sdk.Payment, error) {
			p, err := b.Provider.CreateCheckout(ctx, r)
			if err != nil {
				return b.Provider.CreateCheckout(ctx, r)
			}
			return p, err
		}
	}},
	"what is slow was not sent": {rule: "unknown_slow", breaks: func(b *broken) {
		b.refund = func(ctx context.Context, r sdk.RefundRequest) (*sdk.Refund, error) {
			hasty, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
			defer cancel()
			re, err := b.Provider.Refund(hasty, r)
			if errors.Is(err, context.DeadlineExceeded) {
				return nil, sdk.NotSent("timeout")
			}
			return re, err
		}
	}},
	"what is not known did not happen": {rule: "unknown_cut", also: []string{"unknown_empty", "unknown_html", "unknown_500", "unknown_dropped_before", "unknown_dropped_after"}, why: "it takes every doubt for a no", breaks: func(b *broken) {
		b.create = func(ctx context.Context, r sdk.CheckoutRequest) (*sdk.Payment, error) {
			p, err := b.Provider.CreateCheckout(ctx, r)
			if isPlain(err) {
				return nil, no
			}
			return p, err
		}
	}},
	"a cut answer is a no": {rule: "unknown_cut", breaks: func(b *broken) {
		b.answers(func(r *http.Request, res *http.Response, err error) (*http.Response, error) {
			if err == nil && cutShort(res) {
				return refused(), nil
			}
			return res, err
		})
	}},
	"nothing is a success": {rule: "unknown_empty", also: []string{"unknown_html"}, why: "neither is an answer", breaks: func(b *broken) {
		b.cancel = func(ctx context.Context, r sdk.CancelRequest) (*sdk.Payment, error) {
			p, err := b.Provider.Cancel(ctx, r)
			if errors.Is(err, once.ErrUnreadable) {
				return &sdk.Payment{Refs: r.Refs, Status: sdk.Canceled}, nil
			}
			return p, err
		}
	}},
	"a page is a no": {rule: "unknown_html", breaks: func(b *broken) {
		b.answers(func(r *http.Request, res *http.Response, err error) (*http.Response, error) {
			if err == nil && strings.HasPrefix(res.Header.Get("Content-Type"), "text/html") && r.Method == http.MethodPost {
				return refused(), nil
			}
			return res, err
		})
	}},
	"trouble at the provider is a no": {rule: "unknown_500", breaks: func(b *broken) {
		b.answers(func(r *http.Request, res *http.Response, err error) (*http.Response, error) {
			if err == nil && res.StatusCode == http.StatusInternalServerError && r.Method == http.MethodPost {
				return refused(), nil
			}
			return res, err
		})
	}},
	"a broken connection is a no": {rule: "unknown_dropped_before", also: []string{"unknown_dropped_after"}, why: "from here both look the same", breaks: func(b *broken) {
		b.answers(func(r *http.Request, res *http.Response, err error) (*http.Response, error) {
			if err != nil && r.Context().Err() == nil && !isNotSent(err) && r.Method == http.MethodPost {
				return refused(), nil
			}
			return res, err
		})
	}},
	"another key after a broken connection": {rule: "unknown_dropped_after", breaks: func(b *broken) {
		var broke sync.Map
		b.transport = func(next http.RoundTripper) http.RoundTripper {
			return roundTrip(func(r *http.Request) (*http.Response, error) {
				key := r.Header.Get("Idempotency-Key")
				if _, before := broke.Load(key); before {
					r.Header.Set("Idempotency-Key", key+"_again")
				}
				res, err := next.RoundTrip(r)
				if err != nil && r.Context().Err() == nil {
					broke.Store(key, true)
				}
				return res, err
			})
		}
	}},
	"too many requests is a no": {rule: "refused_not_final", breaks: func(b *broken) {
		b.answers(func(r *http.Request, res *http.Response, err error) (*http.Response, error) {
			if err == nil && res.StatusCode == http.StatusTooManyRequests {
				return refused(), nil
			}
			return res, err
		})
	}},
	"what was not sent is final": {rule: "refused_not_final", also: []string{"no_connection"}, why: "both end as NotSent", breaks: func(b *broken) {
		b.create = func(ctx context.Context, r sdk.CheckoutRequest) (*sdk.Payment, error) {
			p, err := b.Provider.CreateCheckout(ctx, r)
			if isNotSent(err) {
				return nil, no
			}
			return p, err
		}
	}},
	"no connection is a no": {rule: "no_connection", breaks: func(b *broken) {
		b.answers(func(r *http.Request, res *http.Response, err error) (*http.Response, error) {
			if isNotSent(err) {
				return refused(), nil
			}
			return res, err
		})
	}},
	"does not let go": {rule: "canceled_call", breaks: func(b *broken) {
		b.create = func(ctx context.Context, r sdk.CheckoutRequest) (*sdk.Payment, error) {
			return b.Provider.CreateCheckout(context.WithoutCancel(ctx), r)
		}
	}},
}

// refused is an answer that says no for good.
func refused() *http.Response {
	return &http.Response{
		StatusCode: http.StatusUnprocessableEntity, Header: http.Header{},
		Body: io.NopCloser(strings.NewReader(`{"error":{"code":"declined"}}`)),
	}
}

// cutShort reads an answer, and reports whether it ends too early.
func cutShort(res *http.Response) bool {
	data, err := io.ReadAll(res.Body)
	res.Body = io.NopCloser(bytes.NewReader(data))
	return err != nil
}
