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
	"github.com/boxoffice/boxoffice/payment/gatewayclient"
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
	// HTTPClient sends the requests. Default: one that keeps connections for hundreds of calls at once.
	// Redirects are never followed, whatever it says.
	HTTPClient *http.Client
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
	return &Provider{config: config, client: gatewayclient.HTTP(config.HTTPClient)}, nil
}

// Name implements payment.Provider.
func (p *Provider) Name() string { return Name }

// Methods implements payment.Provider.
func (p *Provider) Methods() []string { return []string{MethodWallet, MethodCard, MethodQR} }

// Accepts implements payment.Provider: the sandbox takes any currency.
func (p *Provider) Accepts(string) bool { return true }

// Create implements payment.Provider.
func (p *Provider) Create(ctx context.Context, order payment.Order, method string) (payment.Checkout, error) {
	var made Payment
	err := p.call(ctx, p.config.CreateTimeout, http.MethodPost, "/v1/payments", Order{
		Number: order.Number, Amount: order.Amount, Method: method, Description: order.Description, Language: order.Language,
		ExpiresAt: order.ExpiresAt.UTC(), NotifyURL: order.NotifyURL, ReturnURL: order.ReturnURL,
	}, &made)
	if err == nil && (made.Number != order.Number || made.Merchant != p.config.Merchant || made.PayURL == "" && made.QR == "") {
		err = fmt.Errorf("sandbox: created %q of %q instead of %s: %w", made.Number, made.Merchant, order.Number, payment.ErrUnavailable)
	}
	if err != nil {
		return payment.Checkout{}, err
	}
	return payment.Checkout{PayURL: made.PayURL, QR: made.QR, GatewayID: made.ID}, nil
}

// Query implements payment.Provider.
func (p *Provider) Query(ctx context.Context, number string) (payment.Status, error) {
	return p.payment(ctx, http.MethodGet, number, "")
}

// Close implements payment.Provider.
func (p *Provider) Close(ctx context.Context, number string) (payment.Status, error) {
	return p.payment(ctx, http.MethodPost, number, "/close")
}

// Refund implements payment.Provider.
func (p *Provider) Refund(ctx context.Context, refund payment.Refund) (payment.RefundStatus, error) {
	var made Refund
	err := p.call(ctx, p.config.Timeout, http.MethodPost, "/v1/refunds", RefundOrder{
		ID: refund.ID, Number: refund.Number, Amount: refund.Amount, Reason: refund.Reason,
	}, &made)
	return p.refunded(refund, made, err)
}

// QueryRefund implements payment.Provider.
func (p *Provider) QueryRefund(ctx context.Context, refund payment.Refund) (payment.RefundStatus, error) {
	var made Refund
	err := p.call(ctx, p.config.Timeout, http.MethodGet, "/v1/refunds/"+url.PathEscape(refund.ID), nil, &made)
	return p.refunded(refund, made, err)
}

// Bill implements payment.Provider; the gateway's calendar is UTC.
func (p *Provider) Bill(ctx context.Context, day time.Time) ([]payment.BillLine, error) {
	lines := []payment.BillLine{}
	for {
		path := fmt.Sprintf("/v1/bills/%s?from=%d", day.UTC().Format(time.DateOnly), len(lines))
		var page Bill
		if err := p.call(ctx, p.config.Timeout, http.MethodGet, path, nil, &page); err != nil {
			return nil, err
		}
		for _, m := range page.Movements {
			lines = append(lines, payment.BillLine{
				Kind: payment.NoticeKind(m.Kind), Number: m.Number, RefundID: m.RefundID,
				GatewayID: m.GatewayID, Amount: m.Amount, Fee: m.Fee, At: m.At,
			})
		}
		switch {
		case len(lines) >= page.Total:
			return lines, nil
		case len(page.Movements) == 0: // half a bill would look like missing money
			return nil, fmt.Errorf("sandbox: bill ends after %d of %d lines: %w", len(lines), page.Total, payment.ErrTruncatedBill)
		}
	}
}

// payment asks about one payment, or closes it.
func (p *Provider) payment(ctx context.Context, method, number, step string) (payment.Status, error) {
	var known Payment
	if err := p.call(ctx, p.config.Timeout, method, "/v1/payments/"+url.PathEscape(number)+step, nil, &known); err != nil {
		return payment.Status{}, err
	}
	s, err := status(known)
	if err == nil && (known.Number != number || known.Merchant != p.config.Merchant) {
		err = fmt.Errorf("answered %s of %s", known.Number, known.Merchant)
	}
	if err != nil {
		return payment.Status{}, fmt.Errorf("sandbox: payment %s: %w: %w", number, payment.ErrUnavailable, err)
	}
	return s, nil
}

// refunded reads the answer to a refund or to a question about one.
func (p *Provider) refunded(asked payment.Refund, made Refund, err error) (payment.RefundStatus, error) {
	if err != nil {
		return payment.RefundStatus{}, err
	}
	s, err := refundStatus(made)
	if err == nil && (made.ID != asked.ID || made.Number != asked.Number || made.Amount != asked.Amount || made.Merchant != p.config.Merchant) {
		err = fmt.Errorf("answered %s of %s for %s", made.ID, made.Amount, made.Number)
	}
	if err != nil {
		return payment.RefundStatus{}, fmt.Errorf("sandbox: refund %s: %w: %w", asked.ID, payment.ErrUnavailable, err)
	}
	return s, nil
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
	answer, err := io.ReadAll(gatewayclient.Limit(response.Body, maxAnswer))
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
	if err := json.Unmarshal(answer, &failure); err != nil {
		failure = Failure{Message: "an answer that is not the gateway's"}
	}
	return fmt.Errorf("sandbox: %s %s: %d %s %s: %w", method, path, response.StatusCode, failure.Code, failure.Message, meaning(response.StatusCode, failure.Code))
}
