package unionpay

import (
	"errors"
	"fmt"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/boxoffice/boxoffice/payment"
)

// maxCallback bounds a callback, in bytes; the gateway's have about three thousand.
const maxCallback = 64 << 10

// ParseCallback implements payment.Provider. The gateway's messages carry no moment of sending: what was signed stays
// genuine for as long as the certificate that signed it is valid.
func (p *Provider) ParseCallback(header http.Header, body []byte, now time.Time) (payment.Notice, error) {
	f, err := p.genuine(header, body, now)
	if err != nil {
		return payment.Notice{}, fmt.Errorf("unionpay: %w: %w", payment.ErrSignature, err)
	}
	if f["merId"] != p.config.Merchant {
		return payment.Notice{}, fmt.Errorf("unionpay: merchant %q: %w", f["merId"], payment.ErrWrongMerchant)
	}
	notice, err := p.read(f, now)
	if err != nil {
		return payment.Notice{}, fmt.Errorf("unionpay: %w: %w", payment.ErrMalformed, err)
	}
	return notice, nil
}

func (p *Provider) genuine(header http.Header, body []byte, now time.Time) (fields, error) {
	kind, _, err := mime.ParseMediaType(header.Get("Content-Type"))
	if err != nil || kind != "application/x-www-form-urlencoded" || header.Get("Content-Encoding") != "" {
		return nil, errors.New("not a form")
	}
	if len(body) > maxCallback {
		return nil, errors.New("too long")
	}
	f, err := parseForm(string(body))
	if err != nil {
		return nil, err
	}
	return f, p.verify(f, now)
}

func (p *Provider) read(f fields, now time.Time) (payment.Notice, error) {
	if !numberShape.MatchString(f["orderId"]) {
		return payment.Notice{}, fmt.Errorf("orderId %q", f["orderId"])
	}
	// Answers are signed as callbacks are. In an answer to a query 00 means that the query succeeded, in one to a request that
	// it was accepted, and then nothing has a traceTime yet.
	if _, answer := f["origRespCode"]; answer || succeeded(f["respCode"]) && f["traceTime"] == "" {
		return payment.Notice{}, errors.New("an answer, not a callback")
	}
	// The gateway numbers transactions, not what it tells of them.
	notice := payment.Notice{
		Provider: p.config.Name,
		EventID:  strings.Join([]string{f["txnType"], f["orderId"], f["txnTime"], f["queryId"], f["respCode"]}, "-"),
	}
	if len(notice.EventID) > 128 {
		return payment.Notice{}, errors.New("ids too long")
	}
	var err error
	switch f["txnType"] {
	case "01":
		notice.Kind = payment.NoticePayment
		notice.Payment, err = p.status(f, f["respCode"], now)
	case "04":
		notice.Kind = payment.NoticeRefund
		notice.Refund, err = refundStatus(f, f["respCode"], f["respMsg"])
	case "":
		err = errors.New("no txnType")
	default:
		notice.Kind = payment.NoticeOther
	}
	if err != nil {
		return payment.Notice{}, err
	}
	return notice, nil
}

// Acknowledge implements payment.Provider: any answer with status 200 ends the gateway's repeats.
func (p *Provider) Acknowledge() (status int, contentType string, body []byte) {
	return http.StatusOK, "text/plain; charset=utf-8", []byte("ok")
}
