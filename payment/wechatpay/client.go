package wechatpay

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/boxoffice/boxoffice/payment"
)

const (
	tolerance     = 5 * time.Minute
	maxAnswer     = 1 << 20  // bytes
	maxBillAnswer = 64 << 20 // bytes, packed
)

// trusted is a key of the gateway; a certificate's has an end.
type trusted struct {
	key         *rsa.PublicKey
	from, until time.Time
}

// refusal is what the gateway says when it refuses.
type refusal struct {
	status  int
	Code    string `json:"code"`
	Message string `json:"message"`
}

// refusalOf reads a refusal; one that is none has no code.
func refusalOf(status int, content []byte) *refusal {
	r := &refusal{}
	_ = json.Unmarshal(content, r)
	r.status = status
	return r
}

func (r *refusal) Error() string {
	return strings.TrimSpace(fmt.Sprintf("status %d %s %s", r.status, r.Code, r.Message))
}

// Unwrap says what a refusal means for the caller. One that is about our clock, our key or our contract, or about the
// gateway's being busy, holds until somebody mends it, not for good.
func (r *refusal) Unwrap() error {
	switch r.Code {
	case "ORDER_NOT_EXIST", "ORDERNOTEXIST", "RESOURCE_NOT_EXISTS", "REFUND_NOT_EXISTS", "REFUNDNOTEXIST":
		return payment.ErrNotFound
	case "NOT_ENOUGH":
		return payment.ErrLowBalance
	case "", "SYSTEM_ERROR", "SYSTEMERROR", "BIZERR_NEED_RETRY", "FREQUENCY_LIMITED", "RATELIMIT_EXCEEDED", "RATE_LIMITED",
		"SIGN_ERROR", "NO_AUTH", "MCH_NOT_EXISTS", "APPID_MCHID_NOT_MATCH", "BANK_ERROR":
		return payment.ErrUnavailable
	}
	if r.status < 400 || r.status >= 500 || r.status == http.StatusUnauthorized || r.status == http.StatusTooManyRequests {
		return payment.ErrUnavailable
	}
	return payment.ErrRejected
}

// refused says whether an error is the gateway's refusal with one of the codes.
func refused(err error, codes ...string) bool {
	var r *refusal
	return errors.As(err, &r) && slices.Contains(codes, r.Code)
}

// call sends a request, nil for none, and reads the answer, nil for none, whose signature was verified. A refusal is a
// *refusal inside the error.
func (p *Provider) call(ctx context.Context, method, path string, question, answer any) error {
	ctx, cancel := context.WithTimeout(ctx, p.config.Timeout)
	defer cancel()
	var body []byte
	if question != nil {
		var err error
		if body, err = json.Marshal(question); err != nil {
			return fmt.Errorf("wechatpay: %w: %w", payment.ErrRejected, err)
		}
	}
	fail := func(err error) error {
		return fmt.Errorf("wechatpay: %s %s: %w: %w", method, plainPath(path), payment.ErrUnavailable, err)
	}
	status, header, content, err := p.send(ctx, method, path, body, maxAnswer)
	if err != nil {
		return fail(err)
	}
	if err := p.verify(header, content, p.config.Now()); err != nil {
		return fail(fmt.Errorf("%.200s, which is not believed: the answer's signature: %w", refusalOf(status, content).Error(), err))
	}
	if status != http.StatusOK && status != http.StatusNoContent {
		return fmt.Errorf("wechatpay: %s %s: %w", method, plainPath(path), refusalOf(status, content))
	}
	if answer == nil {
		return nil
	}
	if err := json.Unmarshal(content, answer); err != nil {
		return fail(err)
	}
	return nil
}

// plainPath is a path for an error: a query may hold a token.
func plainPath(path string) string {
	before, _, _ := strings.Cut(path, "?")
	return before
}

// send signs and sends a request and returns the answer as it came.
func (p *Provider) send(ctx context.Context, method, path string, body []byte, limit int64) (int, http.Header, []byte, error) {
	request, err := http.NewRequestWithContext(ctx, method, p.config.URL+path, bytes.NewReader(body))
	if err != nil {
		return 0, nil, nil, err
	}
	authorization, err := p.authorize(method, path, body, p.config.Now(), rand.Text())
	if err != nil {
		return 0, nil, nil, err
	}
	request.Header.Set("Authorization", authorization)
	request.Header.Set("Accept", "application/json")
	request.Header.Set("User-Agent", "boxoffice")
	if len(body) > 0 {
		request.Header.Set("Content-Type", "application/json")
	}
	if len(p.wanted) > 0 {
		request.Header.Set("Wechatpay-Serial", p.wanted[0]) // the key we want to be answered with
	}
	response, err := p.config.HTTPClient.Do(request)
	if err != nil {
		return 0, nil, nil, err
	}
	defer response.Body.Close()
	content, err := io.ReadAll(io.LimitReader(response.Body, limit+1))
	if err == nil && int64(len(content)) > limit {
		err = fmt.Errorf("an answer of more than %d bytes", limit)
	}
	return response.StatusCode, response.Header, content, err
}

// authorize signs a request: it returns the header that says so.
func (p *Provider) authorize(method, path string, body []byte, at time.Time, nonce string) (string, error) {
	stamp := strconv.FormatInt(at.Unix(), 10)
	sum := sha256.Sum256([]byte(strings.Join([]string{method, path, stamp, nonce, string(body), ""}, "\n")))
	signature, err := rsa.SignPKCS1v15(nil, p.key, crypto.SHA256, sum[:])
	if err != nil {
		return "", err
	}
	return fmt.Sprintf(`WECHATPAY2-SHA256-RSA2048 mchid="%s",nonce_str="%s",timestamp="%s",serial_no="%s",signature="%s"`,
		p.config.Merchant, nonce, stamp, p.config.Serial, base64.StdEncoding.EncodeToString(signature)), nil
}

// verify says what is wrong with the signature of an answer or a callback.
func (p *Provider) verify(header http.Header, body []byte, now time.Time) error {
	serial, stamp, nonce := header.Get("Wechatpay-Serial"), header.Get("Wechatpay-Timestamp"), header.Get("Wechatpay-Nonce")
	encoded := header.Get("Wechatpay-Signature")
	if strings.HasPrefix(encoded, "WECHATPAY/SIGNTEST/") {
		return errors.New("the gateway's probe")
	}
	by, known := p.gateway[serial]
	if !known {
		return fmt.Errorf("no key %.64q", serial)
	}
	if !by.until.IsZero() && (now.Before(by.from) || now.After(by.until)) {
		return fmt.Errorf("certificate %s is not valid now", serial)
	}
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || nonce == "" {
		return errors.New("no time or no nonce")
	}
	if age := now.Unix() - seconds; age > int64(tolerance/time.Second) || age < -int64(tolerance/time.Second) {
		return fmt.Errorf("signed at %s", stamp)
	}
	signature, err := base64.StdEncoding.Strict().DecodeString(encoded)
	if err != nil {
		return errors.New("not base64")
	}
	sum := sha256.Sum256([]byte(stamp + "\n" + nonce + "\n" + string(body) + "\n"))
	return rsa.VerifyPKCS1v15(by.key, crypto.SHA256, sum[:], signature)
}
