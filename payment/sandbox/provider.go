package sandbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/boxoffice/boxoffice/payment"
	"github.com/boxoffice/boxoffice/ticketing"
)

// Name is the provider's name.
const Name = "sandbox"

// The methods the sandbox offers.
const (
	MethodWallet = "sandbox_wallet"
	MethodCard   = "sandbox_card"
	MethodQR     = "sandbox_qr"
)

// maxAnswer bounds what is read of an answer, in bytes.
const maxAnswer = 1 << 20

// Config is what the adapter needs.
type Config struct {
	// URL is the gateway's origin, without a path.
	URL string
	// Merchant is our id there, Key signs our requests.
	Merchant string
	Key      string
	// CallbackKeys verify callbacks; during a rotation there are two.
	CallbackKeys []string
	// CreateTimeout bounds Create (default 5 s), Timeout every other call (default 3 s).
	CreateTimeout time.Duration
	Timeout       time.Duration
}

// Provider implements payment.Provider for the sandbox gateway. It never
// retries by itself: only the caller knows what a repeat means.
type Provider struct {
	config Config
	client *http.Client
}

var _ payment.Provider = (*Provider)(nil)

// New makes a provider. It returns an error when a key or the URL is missing.
func New(config Config) (*Provider, error) {
	origin, err := url.Parse(config.URL)
	if err != nil || origin.Scheme != "http" && origin.Scheme != "https" || origin.Host == "" {
		return nil, fmt.Errorf("sandbox: %q is no http(s) URL", config.URL)
	}
	if config.Merchant == "" || config.Key == "" || len(config.CallbackKeys) == 0 {
		return nil, errors.New("sandbox: merchant, key and callback key are required")
	}
	config.URL = strings.TrimSuffix(config.URL, "/")
	if config.CreateTimeout == 0 {
		config.CreateTimeout = 5 * time.Second
	}
	if config.Timeout == 0 {
		config.Timeout = 3 * time.Second
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 256
	return &Provider{config: config, client: &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// Name implements payment.Provider.
func (p *Provider) Name() string { return Name }

// Methods implements payment.Provider.
func (p *Provider) Methods() []string { return []string{MethodWallet, MethodCard, MethodQR} }

// Create implements payment.Provider.
func (p *Provider) Create(ctx context.Context, order payment.Order, method string) (payment.Checkout, error) {
	var made Payment
	err := p.call(ctx, p.config.CreateTimeout, http.MethodPost, "/v1/payments", Order{
		Number: order.Number, Amount: order.Amount, Method: method, Description: order.Description, Language: order.Language,
		ExpiresAt: order.ExpiresAt.UTC(), NotifyURL: order.NotifyURL, ReturnURL: order.ReturnURL,
	}, &made)
	return payment.Checkout{PayURL: made.PayURL, QR: made.QR, GatewayID: made.ID}, err
}

// Query implements payment.Provider.
func (p *Provider) Query(ctx context.Context, number string) (payment.Status, error) {
	return p.payment(ctx, http.MethodGet, "/v1/payments/"+url.PathEscape(number))
}

// Close implements payment.Provider.
func (p *Provider) Close(ctx context.Context, number string) (payment.Status, error) {
	return p.payment(ctx, http.MethodPost, "/v1/payments/"+url.PathEscape(number)+"/close")
}

// Refund implements payment.Provider.
func (p *Provider) Refund(ctx context.Context, refund payment.Refund) (payment.RefundStatus, error) {
	var made Refund
	err := p.call(ctx, p.config.Timeout, http.MethodPost, "/v1/refunds", RefundOrder{
		ID: refund.ID, Number: refund.Number, Amount: refund.Amount, Reason: refund.Reason,
	}, &made)
	if err != nil {
		return payment.RefundStatus{}, err
	}
	return refundStatus(made)
}

// QueryRefund implements payment.Provider.
func (p *Provider) QueryRefund(ctx context.Context, refund payment.Refund) (payment.RefundStatus, error) {
	var made Refund
	err := p.call(ctx, p.config.Timeout, http.MethodGet, "/v1/refunds/"+url.PathEscape(refund.ID), nil, &made)
	if err != nil {
		return payment.RefundStatus{}, err
	}
	return refundStatus(made)
}

// Bill implements payment.Provider; the gateway's calendar is UTC.
func (p *Provider) Bill(ctx context.Context, day time.Time) ([]payment.BillLine, error) {
	var movements []Movement
	err := p.call(ctx, 10*p.config.Timeout, http.MethodGet, "/v1/bills/"+day.UTC().Format(time.DateOnly), nil, &movements)
	if err != nil {
		return nil, err
	}
	lines := make([]payment.BillLine, len(movements))
	for i, m := range movements {
		lines[i] = payment.BillLine{
			Kind: payment.NoticeKind(m.Kind), Number: m.Number, RefundID: m.RefundID,
			GatewayID: m.GatewayID, Amount: m.Amount, At: m.At,
		}
	}
	return lines, nil
}

func (p *Provider) payment(ctx context.Context, method, path string) (payment.Status, error) {
	var known Payment
	if err := p.call(ctx, p.config.Timeout, method, path, nil, &known); err != nil {
		return payment.Status{}, err
	}
	return status(known)
}

// call sends one signed request and reads the answer into out.
func (p *Provider) call(ctx context.Context, bound time.Duration, method, path string, in, out any) error {
	ctx, cancel := context.WithTimeout(ctx, bound)
	defer cancel()
	var body []byte
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			return fmt.Errorf("sandbox: %w", err)
		}
	}
	request, err := http.NewRequestWithContext(ctx, method, p.config.URL+path, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("sandbox: %w", err)
	}
	if in != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	SignRequest(request, p.config.Merchant, p.config.Key, body, time.Now())
	response, err := p.client.Do(request)
	if err != nil {
		return fmt.Errorf("sandbox: %s %s: %w: %w", method, path, payment.ErrUnavailable, err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("sandbox: %s %s: %w: %w", method, path, payment.ErrUnavailable, err)
	}
	if response.StatusCode == http.StatusOK {
		if err := json.Unmarshal(answer, out); err != nil {
			return fmt.Errorf("sandbox: %s %s: unreadable answer: %w: %w", method, path, payment.ErrUnavailable, err)
		}
		return nil
	}
	var failure Failure
	_ = json.Unmarshal(answer, &failure)
	return fmt.Errorf("sandbox: %s %s: %d %s %s: %w", method, path, response.StatusCode, failure.Code, failure.Message, meaning(response.StatusCode))
}

// meaning says what a status other than 200 means for the caller.
func meaning(code int) error {
	switch {
	case code == http.StatusNotFound:
		return payment.ErrNotFound
	case code == http.StatusPaymentRequired, code == http.StatusTooManyRequests, code >= 500, code < 400:
		return payment.ErrUnavailable
	default:
		return payment.ErrRejected
	}
}

// status translates what the gateway says of a payment.
func status(p Payment) (payment.Status, error) {
	states := map[string]payment.State{
		Pending: payment.StatePending, Processing: payment.StateUnknown, Paid: payment.StatePaid,
		Declined: payment.StateDeclined, Closed: payment.StateClosed,
	}
	state, ok := states[p.State]
	if !ok {
		return payment.Status{}, fmt.Errorf("sandbox: payment state %q: %w", p.State, payment.ErrMalformed)
	}
	s := payment.Status{Number: p.Number, GatewayID: p.ID, State: state, At: p.At}
	if (state == payment.StatePaid) != (p.Captured != nil) {
		return payment.Status{}, fmt.Errorf("sandbox: payment is %s with captured %v: %w", p.State, p.Captured, payment.ErrMalformed)
	}
	if p.Captured != nil {
		if p.Captured.Amount <= 0 || !ticketing.ValidCurrency(p.Captured.Currency) {
			return payment.Status{}, fmt.Errorf("sandbox: captured %s: %w", *p.Captured, payment.ErrMalformed)
		}
		s.Captured = *p.Captured
	}
	return s, nil
}

func refundStatus(r Refund) (payment.RefundStatus, error) {
	states := map[string]payment.RefundState{
		RefundPending: payment.RefundPending, RefundSucceeded: payment.RefundSucceeded, RefundFailed: payment.RefundFailed,
	}
	state, ok := states[r.State]
	if !ok {
		return payment.RefundStatus{}, fmt.Errorf("sandbox: refund state %q: %w", r.State, payment.ErrMalformed)
	}
	return payment.RefundStatus{ID: r.ID, GatewayID: r.GatewayID, State: state, Reason: r.Reason, At: r.At}, nil
}
