package unionpay

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/boxoffice/boxoffice/payment"
)

// MethodPage is the method: the payer's browser goes to UnionPay's page.
const MethodPage = "unionpay_page"

// What every message says.
const (
	version    = "5.1.0"
	signMethod = "01" // RSA with certificates
	encoding   = "UTF-8"
)

const (
	maxURL         = 256
	maxAmount      = 999_999_999_999
	maxDescription = 40
	maxAnswer      = 1 << 20  // bytes
	maxBillAnswer  = 64 << 20 // bytes
)

// Provider implements payment.Provider for UnionPay's online gateway. It never
// retries by itself: only the caller knows what a repeat means.
type Provider struct {
	config Config
	key    signingKey
	trust  trust
}

var (
	_ payment.Provider = (*Provider)(nil)
	_ payment.Calendar = (*Provider)(nil)
)

// Name implements payment.Provider.
func (p *Provider) Name() string { return p.config.Name }

// Methods implements payment.Provider.
func (p *Provider) Methods() []string { return []string{MethodPage} }

// Accepts implements payment.Provider: we ask for yuan only.
func (p *Provider) Accepts(currency string) bool { return currency == "CNY" }

var numberShape = regexp.MustCompile(`^[0-9A-Za-z]{8,32}$`)

// Create implements payment.Provider. It asks the gateway nothing: the order, signed, travels in the form that the payer's
// browser posts. Making it again makes the same order, and the gateway takes an order once.
func (p *Provider) Create(_ context.Context, order payment.Order, method string) (payment.Checkout, error) {
	now := p.config.Now()
	refuse := func(format string, args ...any) (payment.Checkout, error) {
		return payment.Checkout{}, fmt.Errorf("unionpay: "+format+": %w", append(args, payment.ErrRejected)...)
	}
	sent, err := txnTime(order.Number, now)
	if err != nil {
		return payment.Checkout{}, err
	}
	const stale = time.Hour // the gateway wants the time at which it is asked
	switch {
	case method != MethodPage:
		return refuse("no method %q", method)
	case !p.Accepts(order.Amount.Currency):
		return refuse("no payments in %q", order.Amount.Currency)
	case order.Amount.Amount <= 0 || order.Amount.Amount > maxAmount:
		return refuse("amount %d", order.Amount.Amount)
	case !numberShape.MatchString(order.Number):
		return refuse("number %q", order.Number)
	case now.Sub(sent) > stale:
		return refuse("number %s was made at %s, too long ago", order.Number, sent.Format(time.RFC3339))
	case !order.ExpiresAt.After(now):
		return refuse("expired at %s", order.ExpiresAt.UTC().Format(time.RFC3339))
	}
	for _, address := range []string{order.NotifyURL, order.ReturnURL} {
		if u, err := url.Parse(address); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || len(address) > maxURL {
			return refuse("address %q must be http(s) of at most %d characters", address, maxURL)
		}
	}
	f := p.message(order.Number, sent, "01", "01")
	f["bizType"] = "000201" // online gateway
	f["channelType"] = "07" // internet
	f["txnAmt"] = strconv.FormatInt(order.Amount.Amount, 10)
	f["currencyCode"] = yuan
	f["backUrl"] = order.NotifyURL
	f["frontUrl"] = order.ReturnURL
	f["frontFailUrl"] = order.ReturnURL
	f["payTimeout"] = stamp(order.ExpiresAt)
	f["reqReserved"] = f["payTimeout"] // comes back with every answer and callback: they do not tell payTimeout itself
	if described := plain(order.Description); described != "" {
		f["riskRateInfo"] = "{commodityName=" + described + "}"
	}
	if ip, err := netip.ParseAddr(order.PayerIP); err == nil && ip.Unmap().Is4() {
		f["customerIp"] = ip.Unmap().String()
	}
	if err := p.sign(f); err != nil {
		return payment.Checkout{}, err
	}
	return payment.Checkout{PayURL: p.config.URL + "/gateway/api/frontTransReq.do", Form: f}, nil
}

// plain is a description without what separates fields, cut to what the page shows.
func plain(description string) string {
	kept := strings.Map(func(r rune) rune {
		if r < ' ' || strings.ContainsRune(`&={}[]"'`+"\ufffd", r) {
			return ' '
		}
		return r
	}, description)
	runes := []rune(strings.Join(strings.Fields(kept), " "))
	return strings.TrimSpace(string(runes[:min(len(runes), maxDescription)]))
}

// Query implements payment.Provider.
func (p *Provider) Query(ctx context.Context, number string) (payment.Status, error) {
	f, err := p.query(ctx, number)
	if err != nil {
		return payment.Status{}, err
	}
	if f["txnType"] != "01" {
		return payment.Status{}, fmt.Errorf("unionpay: %s is a transaction of type %q: %w", number, f["txnType"], payment.ErrNotFound)
	}
	s, err := p.status(f, f["origRespCode"], p.config.Now())
	if err != nil {
		return payment.Status{}, fmt.Errorf("unionpay: payment %s: %w: %w", number, payment.ErrUnavailable, err)
	}
	return s, nil
}

// Close implements payment.Provider. The gateway cannot be told to close a payment: it closes by itself at its end. So
// this asks, and says StateUnknown as long as the payer's page is open, whatever was tried on it.
func (p *Provider) Close(ctx context.Context, number string) (payment.Status, error) {
	s, err := p.Query(ctx, number)
	if err == nil && s.State == payment.StatePending {
		s.State = payment.StateUnknown
	}
	return s, err
}

// query asks what became of a transaction. The answer is about this number of this merchant.
func (p *Provider) query(ctx context.Context, number string) (fields, error) {
	sent, err := txnTime(number, p.config.Now())
	if err != nil { // never sent, then
		return nil, fmt.Errorf("%w: %w", err, payment.ErrNotFound)
	}
	asked := p.message(number, sent, "00", "00")
	asked["bizType"] = "000000"
	f, err := p.call(ctx, p.config.Timeout, maxAnswer, p.config.URL+"/gateway/api/queryTrans.do", asked)
	if err != nil {
		return nil, err
	}
	if err := about(f, asked); err != nil {
		return nil, err
	}
	if f["respCode"] != codeDone {
		err := meaning(f["respCode"])
		if errors.Is(err, payment.ErrLowBalance) {
			err = payment.ErrUnavailable
		}
		return nil, fmt.Errorf("unionpay: query %s: %s %s: %w", number, f["respCode"], f["respMsg"], err)
	}
	return f, nil
}

// about says whether an answer is about what was asked. A refusal may not tell: the gateway does not repeat what it
// could not read.
func about(f, asked fields) error {
	for _, name := range []string{"orderId", "txnTime"} {
		if value, told := f[name]; value != asked[name] && (told || f["respCode"] == codeDone) {
			return fmt.Errorf("unionpay: answered %s %q instead of %q: %w", name, f[name], asked[name], payment.ErrUnavailable)
		}
	}
	return nil
}

// message is what every request of a kind begins with.
func (p *Provider) message(number string, sent time.Time, kind, subkind string) fields {
	return fields{
		"version": version, "encoding": encoding, "signMethod": signMethod, "accessType": "0",
		"merId": p.config.Merchant, "orderId": number, "txnTime": stamp(sent), "txnType": kind, "txnSubType": subkind,
	}
}

// call signs and sends a request and returns the answer, whose signature was verified.
func (p *Provider) call(ctx context.Context, bound time.Duration, limit int64, address string, f fields) (fields, error) {
	ctx, cancel := context.WithTimeout(ctx, bound)
	defer cancel()
	if err := p.sign(f); err != nil {
		return nil, err
	}
	form := url.Values{}
	for name, value := range f {
		form.Set(name, value)
	}
	unavailable := func(err error) error {
		return fmt.Errorf("unionpay: %s %s: %w: %w", f["txnType"], f["orderId"], payment.ErrUnavailable, err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, unavailable(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded;charset=UTF-8")
	response, err := p.config.HTTPClient.Do(request)
	if err != nil {
		return nil, unavailable(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, limit+1))
	switch {
	case err != nil:
		return nil, unavailable(err)
	case response.StatusCode != http.StatusOK:
		return nil, unavailable(fmt.Errorf("status %d", response.StatusCode))
	case int64(len(body)) > limit:
		return nil, unavailable(fmt.Errorf("an answer of more than %d bytes", limit))
	}
	answer, err := parseAnswer(strings.TrimRight(string(body), "\r\n"))
	if err != nil {
		return nil, unavailable(err)
	}
	if err := p.verify(answer, p.config.Now()); err != nil {
		return nil, unavailable(fmt.Errorf("the answer's signature: %w", err))
	}
	if answer["merId"] != p.config.Merchant {
		return nil, unavailable(fmt.Errorf("an answer for merchant %q", answer["merId"]))
	}
	return answer, nil
}
