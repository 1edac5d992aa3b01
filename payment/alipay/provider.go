package alipay

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/smartwalle/alipay/v3"

	"github.com/boxoffice/boxoffice/payment"
	"github.com/boxoffice/boxoffice/ticketing"
)

// The methods: Alipay's page in the payer's browser, and a QR code that the payer's phone reads.
const (
	MethodPage = "alipay_page"
	MethodQR   = "alipay_qr"
)

const (
	maxURL         = 256
	maxDescription = 120 // characters; the gateway takes 256
)

var beijing = time.FixedZone("UTC+8", 8*60*60)

// Provider implements payment.Provider for Alipay. It never retries by itself: only the caller knows what a repeat means.
type Provider struct {
	config  Config
	gateway []trusted
	client  *alipay.Client
	http    *http.Client
	origin  string
}

var (
	_ payment.Provider = (*Provider)(nil)
	_ payment.Calendar = (*Provider)(nil)
)

// Name implements payment.Provider.
func (p *Provider) Name() string { return p.config.Name }

// Methods implements payment.Provider.
func (p *Provider) Methods() []string { return []string{MethodPage, MethodQR} }

// Accepts implements payment.Provider: these products collect yuan only.
func (p *Provider) Accepts(currency string) bool { return currency == "CNY" }

// Calendar implements payment.Calendar.
func (p *Provider) Calendar() *time.Location { return beijing }

var numberShape = regexp.MustCompile(`^[0-9A-Za-z_]{8,64}$`)

// Create implements payment.Provider. A page is a signed address and asks nobody: the gateway hears of the payment when the
// payer opens it, and knows a trade once the payer has logged in or scanned.
func (p *Provider) Create(ctx context.Context, order payment.Order, method string) (payment.Checkout, error) {
	if err := p.payable(order, method); err != nil {
		return payment.Checkout{}, fmt.Errorf("alipay: %w: %w", payment.ErrRejected, err)
	}
	subject, total := plain(order.Description), yuan(order.Amount.Amount)
	expire := order.ExpiresAt.In(beijing).Format(time.DateTime)
	if method == MethodPage {
		page, err := p.client.TradePagePay(alipay.TradePagePay{Trade: alipay.Trade{
			NotifyURL: order.NotifyURL, ReturnURL: order.ReturnURL, Subject: subject, OutTradeNo: order.Number, TotalAmount: total,
			ProductCode: "FAST_INSTANT_TRADE_PAY", TimeExpire: expire,
		}})
		if err != nil {
			return payment.Checkout{}, fmt.Errorf("alipay: %w: %w", payment.ErrRejected, err)
		}
		return payment.Checkout{PayURL: page.String()}, nil
	}
	// Not the library's own struct for this: it sends fields that are empty.
	question := alipay.NewPayload("alipay.trade.precreate").AddParam("notify_url", order.NotifyURL).
		AddBizField("subject", subject).AddBizField("out_trade_no", order.Number).AddBizField("total_amount", total).
		AddBizField("product_code", "FACE_TO_FACE_PAYMENT").AddBizField("time_expire", expire)
	var a struct {
		answer

		Number string `json:"out_trade_no"`
		QR     string `json:"qr_code"`
	}
	switch err := p.call(ctx, question, &a); {
	case errors.Is(err, payment.ErrNotFound), errors.Is(err, payment.ErrLowBalance): // neither can be said of what is being made
		return payment.Checkout{}, fmt.Errorf("%w: %v", payment.ErrRejected, err) //nolint:errorlint // see above
	case err != nil:
		return payment.Checkout{}, err
	case a.Number != order.Number || a.QR == "" || len(a.QR) > 1024:
		return payment.Checkout{}, fmt.Errorf("alipay: asked for %s, answered %.80q for %.80q: %w", order.Number, a.QR, a.Number, payment.ErrUnavailable)
	}
	return payment.Checkout{QR: a.QR}, nil
}

// payable says what about an order the gateway would refuse.
func (p *Provider) payable(order payment.Order, method string) error {
	back, err := url.Parse(order.ReturnURL)
	now := p.config.Now()
	switch {
	case method != MethodPage && method != MethodQR:
		return fmt.Errorf("no method %q", method)
	case !p.Accepts(order.Amount.Currency):
		return fmt.Errorf("no payments in %q", order.Amount.Currency)
	case order.Amount.Amount <= 0 || order.Amount.Amount > maxAmount:
		return fmt.Errorf("amount %d", order.Amount.Amount)
	case !numberShape.MatchString(order.Number):
		return fmt.Errorf("number %q", order.Number)
	case !order.ExpiresAt.Truncate(time.Second).After(now): // seconds are all that can be said
		return fmt.Errorf("expired at %s", order.ExpiresAt.UTC().Format(time.RFC3339))
	case order.ExpiresAt.Sub(now) > 15*24*time.Hour:
		return fmt.Errorf("expires only at %s, after more than 15 days", order.ExpiresAt.UTC().Format(time.RFC3339))
	case !callable(order.NotifyURL):
		return fmt.Errorf("notify address %q must be http(s) without a query, of at most %d characters", order.NotifyURL, maxURL)
	case method == MethodPage && (err != nil || !isWeb(back) || len(order.ReturnURL) > maxURL):
		return fmt.Errorf("return address %q must be http(s), of at most %d characters", order.ReturnURL, maxURL)
	}
	return nil
}

// plain is a description without what the gateway refuses ("/", "=", "&") and without what separates the values of a bill, which
// knows no characters beyond the basic plane, cut to what the gateway takes; it takes none that is empty.
func plain(description string) string {
	kept := strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == '\ufffd' || r > 0xffff || strings.ContainsRune(`/=&,"'#<>\`, r) {
			return ' '
		}
		return r
	}, description)
	runes := []rune(strings.Join(strings.Fields(kept), " "))
	if cut := strings.TrimSpace(string(runes[:min(len(runes), maxDescription)])); cut != "" {
		return cut
	}
	return "-"
}

// trade is what answers and callbacks say of a payment.
type trade struct {
	answer

	Number   string `json:"out_trade_no"`
	ID       string `json:"trade_no"`
	Status   string `json:"trade_status"`
	Total    string `json:"total_amount"`
	Currency string `json:"trans_currency"`
	Paid     string `json:"send_pay_date"`
}

// currencyShape is ISO 4217's.
var currencyShape = regexp.MustCompile(`^[A-Z]{3}$`)

// status reads a trade, heard at a moment. A trade is closed when nobody paid in time, but also when everything that was paid
// went back: then it says when it was paid, and what was captured stays a fact.
func (t *trade) status(heard time.Time) (payment.Status, error) {
	s := payment.Status{Number: t.Number, GatewayID: t.ID}
	if t.ID == "" || len(t.ID) > 64 {
		return payment.Status{}, fmt.Errorf("trade_no %.80q", t.ID)
	}
	switch {
	case t.Status == "WAIT_BUYER_PAY":
		s.State = payment.StatePending
	case t.Status == "TRADE_SUCCESS", t.Status == "TRADE_FINISHED", t.Status == "TRADE_CLOSED" && t.Paid != "":
		s.State = payment.StatePaid
	case t.Status == "TRADE_CLOSED":
		s.State = payment.StateClosed
	default:
		return payment.Status{}, fmt.Errorf("trade_status %.40q", t.Status)
	}
	if s.State != payment.StatePaid {
		return s, nil
	}
	s.At = heard.UTC()
	if t.Paid != "" { // it may be missing
		var err error
		if s.At, err = moment(t.Paid); err != nil {
			return payment.Status{}, err
		}
	}
	currency := t.Currency
	if currency == "" {
		currency = "CNY"
	}
	amount, err := fen(t.Total)
	if err != nil || amount <= 0 || !currencyShape.MatchString(currency) {
		return payment.Status{}, fmt.Errorf("total_amount %.40q in %.10q", t.Total, currency)
	}
	s.Captured = ticketing.Money{Amount: amount, Currency: currency}
	return s, nil
}

// Query implements payment.Provider. ErrNotFound means that the payer has not scanned or logged in yet; they still may, until
// the order's own end.
func (p *Provider) Query(ctx context.Context, number string) (payment.Status, error) {
	if !numberShape.MatchString(number) {
		return payment.Status{}, fmt.Errorf("alipay: number %q: %w", number, payment.ErrNotFound)
	}
	var t trade
	if err := p.call(ctx, alipay.TradeQuery{OutTradeNo: number}, &t); err != nil {
		return payment.Status{}, err
	}
	if t.Number != number {
		return payment.Status{}, fmt.Errorf("alipay: asked about %s, answered about %.80q: %w", number, t.Number, payment.ErrUnavailable)
	}
	s, err := t.status(p.config.Now())
	if err != nil {
		return payment.Status{}, fmt.Errorf("alipay: payment %s: %w: %w", number, payment.ErrUnavailable, err)
	}
	return s, nil
}

// Close implements payment.Provider. What the gateway refuses to close is asked about. ErrNotFound means what it means for
// Query: the gateway has nothing to close, and the page that was opened can be paid until the order's own end.
func (p *Provider) Close(ctx context.Context, number string) (payment.Status, error) {
	if !numberShape.MatchString(number) {
		return payment.Status{}, fmt.Errorf("alipay: number %q: %w", number, payment.ErrNotFound)
	}
	var a struct {
		answer

		Number string `json:"out_trade_no"`
		ID     string `json:"trade_no"`
	}
	err := p.call(ctx, alipay.TradeClose{OutTradeNo: number}, &a)
	switch {
	case err == nil && a.Number == number:
		return payment.Status{Number: number, GatewayID: a.ID, State: payment.StateClosed, At: p.config.Now().UTC()}, nil
	case err == nil:
		return payment.Status{}, fmt.Errorf("alipay: asked to close %s, closed %.80q: %w", number, a.Number, payment.ErrUnavailable)
	case !errors.Is(err, payment.ErrRejected):
		return payment.Status{}, err
	}
	s, err := p.Query(ctx, number)
	if err == nil && s.State == payment.StatePending {
		s.State = payment.StateUnknown // it was not closed, and the payer may be paying
	}
	return s, err
}
