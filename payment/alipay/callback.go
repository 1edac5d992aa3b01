package alipay

import (
	"encoding/base64"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/smartwalle/alipay/v3"
	"github.com/smartwalle/nsign"

	"github.com/boxoffice/boxoffice/payment"
)

const (
	maxCallback = 64 << 10 // bytes; the gateway's have about two thousand
	// The gateway repeats a callback for 25 hours. One that is older is somebody else's repeat.
	oldest    = 26 * time.Hour
	tolerance = 5 * time.Minute // between its clock and ours
)

// foreignNumber is any number that a payment of our account may have; those that are not ours are kept, too.
var foreignNumber = regexp.MustCompile(`^[0-9A-Za-z_-]{1,64}$`)

// ParseCallback implements payment.Provider.
func (p *Provider) ParseCallback(header http.Header, body []byte, now time.Time) (payment.Notice, error) {
	values, err := p.verified(header, body, now)
	if err != nil {
		return payment.Notice{}, fmt.Errorf("alipay: %w: %w", payment.ErrSignature, err)
	}
	notice, err := p.read(values, now)
	switch {
	case errors.Is(err, payment.ErrWrongMerchant), errors.Is(err, payment.ErrSignature):
		return payment.Notice{}, fmt.Errorf("alipay: %w", err)
	case err != nil:
		return payment.Notice{}, fmt.Errorf("alipay: %w: %w", payment.ErrMalformed, err)
	}
	return notice, nil
}

// verified reads a form that the gateway signed.
func (p *Provider) verified(header http.Header, body []byte, now time.Time) (url.Values, error) {
	kind, _, err := mime.ParseMediaType(header.Get("Content-Type"))
	switch {
	case err != nil || kind != "application/x-www-form-urlencoded":
		return nil, fmt.Errorf("content type %.80q", header.Get("Content-Type"))
	case header.Get("Content-Encoding") != "":
		return nil, fmt.Errorf("content encoding %.80q", header.Get("Content-Encoding"))
	case len(body) > maxCallback:
		return nil, errors.New("too long")
	}
	values, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, errors.New("not a form")
	}
	for name, said := range values {
		if len(said) != 1 || !utf8.ValidString(name) || !utf8.ValidString(said[0]) {
			return nil, fmt.Errorf("%.40q is there %d times, or not UTF-8", name, len(said))
		}
	}
	if kind := values.Get("sign_type"); kind != "RSA2" { // it is not signed itself
		return nil, fmt.Errorf("sign_type %.40q", kind)
	}
	signature, err := base64.StdEncoding.Strict().DecodeString(values.Get("sign"))
	if err != nil {
		return nil, errors.New("sign is not base64")
	}
	return values, p.believe(now, func(v alipay.Verifier) error {
		return v.VerifyValues(values, signature, nsign.WithIgnore("sign", "sign_type", "alipay_cert_sn"))
	})
}

// read reads what was verified.
func (p *Provider) read(v url.Values, now time.Time) (payment.Notice, error) {
	if app := v.Get("app_id"); app != p.config.AppID {
		return payment.Notice{}, fmt.Errorf("app_id %.40q: %w", app, payment.ErrWrongMerchant)
	}
	if by := v.Get("auth_app_id"); by != "" && by != p.config.AppID {
		return payment.Notice{}, fmt.Errorf("auth_app_id %.40q: %w", by, payment.ErrWrongMerchant)
	}
	notice := payment.Notice{Provider: p.config.Name, EventID: v.Get("notify_id"), Kind: payment.NoticeOther}
	if notice.EventID == "" || len(notice.EventID) > 128 {
		return payment.Notice{}, fmt.Errorf("notify_id %.140q", notice.EventID)
	}
	sent, err := moment(v.Get("notify_time"))
	if err != nil {
		return payment.Notice{}, err
	}
	if age := now.Sub(sent); age > oldest || age < -tolerance {
		return payment.Notice{}, fmt.Errorf("%w: sent at %s", payment.ErrSignature, sent.Format(time.RFC3339))
	}
	switch kind := v.Get("notify_type"); kind {
	case "trade_status_sync":
	case "":
		return payment.Notice{}, errors.New("no notify_type")
	default:
		return notice, nil
	}
	if seller := v.Get("seller_id"); seller != p.config.SellerID {
		return payment.Notice{}, fmt.Errorf("seller_id %.40q: %w", seller, payment.ErrWrongMerchant)
	}
	if charset := v.Get("charset"); charset != "" && !strings.EqualFold(charset, "utf-8") {
		return payment.Notice{}, fmt.Errorf("charset %.40q", charset)
	}
	return p.readTrade(notice, v, sent)
}

// readTrade reads a callback about a payment or, when it names the request, a refund.
func (p *Provider) readTrade(notice payment.Notice, v url.Values, sent time.Time) (payment.Notice, error) {
	t := trade{
		Number: v.Get("out_trade_no"), ID: v.Get("trade_no"), Status: v.Get("trade_status"), Total: v.Get("total_amount"), Paid: v.Get("gmt_payment"),
	}
	if !foreignNumber.MatchString(t.Number) {
		return payment.Notice{}, fmt.Errorf("out_trade_no %.80q", t.Number)
	}
	s, err := t.status(sent)
	if err != nil {
		return payment.Notice{}, err
	}
	request := v.Get("out_biz_no")
	// The parts that make this event another one than the next about the same payment.
	notice.EventID += ":" + t.Status
	if v.Get("gmt_refund") == "" || request == "" || t.Status != "TRADE_SUCCESS" && t.Status != "TRADE_CLOSED" {
		notice.Kind, notice.Payment = payment.NoticePayment, s
		return notice, nil
	}
	at, err := moment(v.Get("gmt_refund"))
	if err != nil {
		return payment.Notice{}, err
	}
	back, err := fen(v.Get("refund_fee")) // of all refunds of the payment together
	if err != nil || back <= 0 || !foreignNumber.MatchString(request) {
		return payment.Notice{}, fmt.Errorf("refund %.80q, refund_fee %.40q", request, v.Get("refund_fee"))
	}
	notice.EventID += ":" + request
	notice.Kind = payment.NoticeRefund
	notice.Refund = payment.RefundStatus{ID: request, GatewayID: t.ID, State: payment.RefundSucceeded, At: at}
	return notice, nil
}

// Acknowledge implements payment.Provider.
func (p *Provider) Acknowledge() (status int, contentType string, body []byte) {
	return http.StatusOK, "text/plain; charset=utf-8", []byte("success")
}
