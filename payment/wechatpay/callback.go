package wechatpay

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/boxoffice/boxoffice/payment"
)

// maxCallback bounds a callback, in bytes; the gateway's have about two thousand.
const maxCallback = 64 << 10

// event is what a callback says openly.
type event struct {
	ID       string   `json:"id"`
	Type     string   `json:"event_type"`
	Resource resource `json:"resource"`
}

type resource struct {
	Algorithm  string `json:"algorithm"`
	Ciphertext string `json:"ciphertext"`
	Associated string `json:"associated_data"`
	Nonce      string `json:"nonce"`
}

// ParseCallback implements payment.Provider.
func (p *Provider) ParseCallback(header http.Header, body []byte, now time.Time) (payment.Notice, error) {
	if len(body) > maxCallback {
		return payment.Notice{}, fmt.Errorf("wechatpay: callback too long: %w", payment.ErrSignature)
	}
	if err := p.verify(header, body, now); err != nil {
		return payment.Notice{}, fmt.Errorf("wechatpay: %w: %w", payment.ErrSignature, err)
	}
	notice, err := p.read(body)
	switch {
	case errors.Is(err, payment.ErrWrongMerchant):
		return payment.Notice{}, fmt.Errorf("wechatpay: %w", err)
	case err != nil:
		return payment.Notice{}, fmt.Errorf("wechatpay: %w: %w", payment.ErrMalformed, err)
	}
	return notice, nil
}

func (p *Provider) read(body []byte) (payment.Notice, error) {
	var e event
	if err := json.Unmarshal(body, &e); err != nil {
		return payment.Notice{}, err
	}
	if e.ID == "" || len(e.ID) > 128 || e.Type == "" {
		return payment.Notice{}, fmt.Errorf("id %.140q of type %.40q", e.ID, e.Type)
	}
	notice := payment.Notice{Provider: p.config.Name, EventID: e.ID, Kind: payment.NoticeOther}
	content, err := p.open(e.Resource)
	if err != nil {
		return payment.Notice{}, err
	}
	switch e.Type {
	case "TRANSACTION.SUCCESS":
		var t transaction
		if err := json.Unmarshal(content, &t); err != nil {
			return payment.Notice{}, err
		}
		if t.Merchant != p.config.Merchant || t.AppID != p.config.AppID {
			return payment.Notice{}, fmt.Errorf("merchant %.40q, app %.40q: %w", t.Merchant, t.AppID, payment.ErrWrongMerchant)
		}
		if !numberShape.MatchString(t.Number) {
			return payment.Notice{}, fmt.Errorf("out_trade_no %.40q", t.Number)
		}
		notice.Kind = payment.NoticePayment
		notice.Payment, err = t.status()
	case "REFUND.SUCCESS", "REFUND.ABNORMAL", "REFUND.CLOSED":
		var r refunded
		if err := json.Unmarshal(content, &r); err != nil {
			return payment.Notice{}, err
		}
		if r.Merchant != p.config.Merchant {
			return payment.Notice{}, fmt.Errorf("merchant %.40q: %w", r.Merchant, payment.ErrWrongMerchant)
		}
		if !numberShape.MatchString(r.ID) || "REFUND."+r.RefundStatus != e.Type {
			return payment.Notice{}, fmt.Errorf("%s of refund %.40q that is %.40q", e.Type, r.ID, r.RefundStatus)
		}
		notice.Kind = payment.NoticeRefund
		notice.Refund, err = r.status(r.RefundStatus)
	}
	if err != nil {
		return payment.Notice{}, err
	}
	return notice, nil
}

// open decrypts what a callback carries.
func (p *Provider) open(r resource) ([]byte, error) {
	if r.Algorithm != "AEAD_AES_256_GCM" {
		return nil, fmt.Errorf("algorithm %.40q", r.Algorithm)
	}
	sealed, err := base64.StdEncoding.DecodeString(r.Ciphertext)
	if err != nil {
		return nil, errors.New("ciphertext is not base64")
	}
	block, err := aes.NewCipher([]byte(p.config.APIv3Key))
	if err != nil {
		return nil, err
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	if len(r.Nonce) != gcm.NonceSize() { // Open panics
		return nil, fmt.Errorf("a nonce of %d bytes", len(r.Nonce))
	}
	return gcm.Open(nil, []byte(r.Nonce), sealed, []byte(r.Associated))
}

// Acknowledge implements payment.Provider.
func (p *Provider) Acknowledge() (status int, contentType string, body []byte) {
	return http.StatusOK, "application/json; charset=utf-8", []byte(`{"code":"SUCCESS","message":"成功"}`)
}
