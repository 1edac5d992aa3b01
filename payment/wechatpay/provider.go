package wechatpay

import (
	"context"
	"crypto/rsa"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/boxoffice/boxoffice/payment"
	"github.com/boxoffice/boxoffice/ticketing"
)

// The methods: a QR code that the payer's phone reads, and a page for the browser of that phone itself.
const (
	MethodNative = "wechatpay_native"
	MethodH5     = "wechatpay_h5"
)

const (
	maxURL         = 255
	maxAmount      = 99_999_999_999
	maxDescription = 40 // characters: the gateway takes 127 bytes
)

var beijing = time.FixedZone("UTC+8", 8*60*60)

// Provider implements payment.Provider for WeChat Pay. It never retries by itself: only the caller knows what a repeat
// means.
type Provider struct {
	config  Config
	key     *rsa.PrivateKey
	gateway map[string]*trusted // by id or serial number
	wanted  []string            // ids of public keys
	maxBill int64               // bytes
}

var (
	_ payment.Provider = (*Provider)(nil)
	_ payment.Calendar = (*Provider)(nil)
)

// Name implements payment.Provider.
func (p *Provider) Name() string { return p.config.Name }

// Methods implements payment.Provider.
func (p *Provider) Methods() []string { return []string{MethodNative, MethodH5} }

// Accepts implements payment.Provider: we ask for yuan only.
func (p *Provider) Accepts(currency string) bool { return currency == "CNY" }

// Calendar implements payment.Calendar.
func (p *Provider) Calendar() *time.Location { return beijing }

var numberShape = regexp.MustCompile(`^[0-9A-Za-z]{8,32}$`)

type orderAmount struct {
	Total    int64  `json:"total"`
	Currency string `json:"currency"`
}

type h5Info struct {
	Type    string `json:"type"`
	AppName string `json:"app_name,omitempty"`
}

type sceneInfo struct {
	PayerClientIP string  `json:"payer_client_ip"`
	H5Info        *h5Info `json:"h5_info,omitempty"`
}

type newOrder struct {
	AppID       string      `json:"appid"`
	Merchant    string      `json:"mchid"`
	Description string      `json:"description"`
	Number      string      `json:"out_trade_no"`
	Expire      string      `json:"time_expire"`
	NotifyURL   string      `json:"notify_url"`
	Amount      orderAmount `json:"amount"`
	Scene       *sceneInfo  `json:"scene_info,omitempty"`
}

// Create implements payment.Provider.
func (p *Provider) Create(ctx context.Context, order payment.Order, method string) (payment.Checkout, error) {
	refuse := func(format string, args ...any) (payment.Checkout, error) {
		return payment.Checkout{}, fmt.Errorf("wechatpay: "+format+": %w", append(args, payment.ErrRejected)...)
	}
	back, err := url.Parse(order.ReturnURL)
	payer, noPayer := netip.ParseAddr(order.PayerIP)
	switch {
	case method != MethodNative && method != MethodH5:
		return refuse("no method %q", method)
	case !p.Accepts(order.Amount.Currency):
		return refuse("no payments in %q", order.Amount.Currency)
	case order.Amount.Amount <= 0 || order.Amount.Amount > maxAmount:
		return refuse("amount %d", order.Amount.Amount)
	case !numberShape.MatchString(order.Number):
		return refuse("number %q", order.Number)
	case !order.ExpiresAt.After(p.config.Now()):
		return refuse("expired at %s", order.ExpiresAt.UTC().Format(time.RFC3339))
	case !callable(order.NotifyURL):
		return refuse("notify address %q must be http(s) without a query, of at most %d characters", order.NotifyURL, maxURL)
	case err != nil || !isWeb(back):
		return refuse("return address %q must be http(s)", order.ReturnURL)
	case method == MethodH5 && noPayer != nil:
		return refuse("%s needs the payer's address", MethodH5)
	}
	asked := newOrder{
		AppID: p.config.AppID, Merchant: p.config.Merchant, Description: plain(order.Description), Number: order.Number,
		Expire: order.ExpiresAt.In(beijing).Format(time.RFC3339), NotifyURL: order.NotifyURL,
		Amount: orderAmount{Total: order.Amount.Amount, Currency: order.Amount.Currency},
	}
	if noPayer == nil {
		asked.Scene = &sceneInfo{PayerClientIP: payer.Unmap().WithZone("").String()}
	}
	if method == MethodH5 {
		asked.Scene.H5Info = &h5Info{Type: "Wap", AppName: p.config.SiteName}
		var answer struct {
			URL string `json:"h5_url"`
		}
		if err := p.call(ctx, http.MethodPost, "/v3/pay/transactions/h5", asked, &answer); err != nil {
			return payment.Checkout{}, hardly(err)
		}
		page, err := url.Parse(answer.URL)
		if err != nil || !isWeb(page) {
			return payment.Checkout{}, fmt.Errorf("wechatpay: h5_url %.200q: %w", answer.URL, payment.ErrUnavailable)
		}
		// What the gateway put there stays as it is.
		page.RawQuery = strings.TrimPrefix(page.RawQuery+"&redirect_url="+url.QueryEscape(order.ReturnURL), "&")
		return payment.Checkout{PayURL: page.String()}, nil
	}
	var answer struct {
		Code string `json:"code_url"`
	}
	if err := p.call(ctx, http.MethodPost, "/v3/pay/transactions/native", asked, &answer); err != nil {
		return payment.Checkout{}, hardly(err)
	}
	if answer.Code == "" {
		return payment.Checkout{}, fmt.Errorf("wechatpay: no code_url: %w", payment.ErrUnavailable)
	}
	return payment.Checkout{QR: answer.Code}, nil
}

// hardly is a refusal to create: that something does not exist cannot be said of what is being made.
func hardly(err error) error {
	if errors.Is(err, payment.ErrNotFound) || errors.Is(err, payment.ErrLowBalance) {
		return fmt.Errorf("%w: %v", payment.ErrRejected, err) //nolint:errorlint // its own meaning does not hold here
	}
	return err
}

// plain is a description without control characters and what separates the values of a bill, cut to what the gateway takes; it takes none that is empty.
func plain(description string) string {
	kept := strings.Map(func(r rune) rune {
		if r < ' ' || r == '`' || r == '\ufffd' || r == 0x7f || r > 0xffff { // it does not take all beyond the basic plane
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

// transaction is what answers and callbacks say of a payment.
type transaction struct {
	AppID    string `json:"appid"`
	Merchant string `json:"mchid"`
	Number   string `json:"out_trade_no"`
	ID       string `json:"transaction_id"`
	State    string `json:"trade_state"`
	Success  string `json:"success_time"`
	Amount   struct {
		Total    int64  `json:"total"`
		Currency string `json:"currency"`
	} `json:"amount"`
}

var currencyShape = regexp.MustCompile(`^[A-Z]{3}$`)

func (t *transaction) status() (payment.Status, error) {
	s := payment.Status{Number: t.Number, GatewayID: t.ID}
	switch t.State {
	case "SUCCESS", "REFUND":
		s.State = payment.StatePaid
	case "NOTPAY":
		s.State = payment.StatePending
	case "USERPAYING", "ACCEPT":
		s.State = payment.StateUnknown
	case "PAYERROR":
		s.State = payment.StateDeclined
	case "CLOSED", "REVOKED":
		s.State = payment.StateClosed
	default:
		return payment.Status{}, fmt.Errorf("trade_state %.40q", t.State)
	}
	if s.State != payment.StatePaid {
		return s, nil
	}
	var err error
	if s.At, err = time.Parse(time.RFC3339, t.Success); err != nil {
		return payment.Status{}, fmt.Errorf("success_time: %w", err)
	}
	s.At = s.At.UTC()
	if s.GatewayID == "" || len(s.GatewayID) > 64 {
		return payment.Status{}, fmt.Errorf("paid, but transaction_id %.80q", s.GatewayID)
	}
	if t.Amount.Total <= 0 || t.Amount.Total > maxAmount || !currencyShape.MatchString(t.Amount.Currency) {
		return payment.Status{}, fmt.Errorf("amount %d in %.10q", t.Amount.Total, t.Amount.Currency)
	}
	s.Captured = ticketing.Money{Amount: t.Amount.Total, Currency: t.Amount.Currency}
	return s, nil
}

// Query implements payment.Provider.
func (p *Provider) Query(ctx context.Context, number string) (payment.Status, error) {
	if !numberShape.MatchString(number) {
		return payment.Status{}, fmt.Errorf("wechatpay: number %q: %w", number, payment.ErrNotFound)
	}
	var t transaction
	err := p.call(ctx, http.MethodGet, "/v3/pay/transactions/out-trade-no/"+number+"?mchid="+p.config.Merchant, nil, &t)
	if err != nil {
		return payment.Status{}, err
	}
	if t.Number != number || t.Merchant != p.config.Merchant {
		return payment.Status{}, fmt.Errorf("wechatpay: asked about %s, answered about %.40q of %.40q: %w", number, t.Number, t.Merchant, payment.ErrUnavailable)
	}
	s, err := t.status()
	if err != nil {
		return payment.Status{}, fmt.Errorf("wechatpay: payment %s: %w: %w", number, payment.ErrUnavailable, err)
	}
	return s, nil
}

// Close implements payment.Provider. What the gateway refuses to close is asked about.
func (p *Provider) Close(ctx context.Context, number string) (payment.Status, error) {
	if !numberShape.MatchString(number) {
		return payment.Status{}, fmt.Errorf("wechatpay: number %q: %w", number, payment.ErrNotFound)
	}
	err := p.call(ctx, http.MethodPost, "/v3/pay/transactions/out-trade-no/"+number+"/close", map[string]string{"mchid": p.config.Merchant}, nil)
	switch {
	case err == nil:
		return payment.Status{Number: number, State: payment.StateClosed, At: p.config.Now().UTC()}, nil
	case !errors.Is(err, payment.ErrRejected):
		return payment.Status{}, err
	}
	s, err := p.Query(ctx, number)
	if err == nil && s.State == payment.StatePending {
		s.State = payment.StateUnknown // it was not closed, and the payer may be paying
	}
	return s, err
}
