package alipay

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/smartwalle/alipay/v3"

	"github.com/boxoffice/boxoffice/payment"
	"github.com/boxoffice/boxoffice/payment/gatewayclient"
)

const (
	maxAnswer     = 1 << 20  // bytes
	maxBillAnswer = 64 << 20 // bytes, compressed
)

// guarded is a client that takes nothing but whole, bounded answers.
func guarded(client *http.Client) *http.Client {
	c := *client
	c.Transport = &guard{c.Transport}
	return &c
}

// guard stands between the library and the network: the library reads answers without end and ignores their status.
type guard struct{ next http.RoundTripper }

func (g *guard) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := g.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		_ = response.Body.Close()
		return nil, fmt.Errorf("status %d", response.StatusCode)
	}
	limit := int64(maxAnswer)
	if r.Method == http.MethodGet { // only bills are fetched
		limit = maxBillAnswer
	}
	response.Body = gatewayclient.Limit(response.Body, limit)
	return response, nil
}

// refusal is what the gateway says when it refuses, signed.
type refusal alipay.Error

func (r *refusal) Error() string {
	return strings.TrimSpace(fmt.Sprintf("%s %s %s", r.Code, r.SubCode, r.SubMsg))
}

// Unwrap says what a refusal means for the caller. One that is about our keys or our contract, or about the gateway's being
// busy, holds until somebody mends it, not for good.
func (r *refusal) Unwrap() error {
	switch code := strings.TrimPrefix(r.SubCode, "aop."); {
	case code == "ACQ.TRADE_NOT_EXIST", strings.EqualFold(code, "isp.bill_not_exist"):
		return payment.ErrNotFound
	case code == "ACQ.SELLER_BALANCE_NOT_ENOUGH":
		return payment.ErrLowBalance
	case code == "ACQ.SYSTEM_ERROR", code == "ACQ.ACCESS_FORBIDDEN", code == "ACQ.UNKNOW_ERROR", strings.HasPrefix(code, "isp."),
		code == "isv.invalid-signature", code == "isv.invalid-app-id", code == "isv.invalid-timestamp", strings.HasPrefix(code, "isv.invalid-cert"),
		code == "isv.insufficient-isv-permissions":
		return payment.ErrUnavailable
	}
	switch r.Code { //nolint:exhaustive // the rest is what the gateway refused
	case alipay.CodeBusinessFailed, alipay.CodeInvalidParam, alipay.CodeMissingParam, alipay.CodeInsufficientConditions:
		return payment.ErrRejected
	}
	return payment.ErrUnavailable // 20000, 20001, 40005, 40006, and what is new
}

// answered is what every answer has.
type answered interface{ said() alipay.Error }

type answer struct{ alipay.Error }

func (a answer) said() alipay.Error { return a.Error }

// call sends a request and reads the answer, whose signature was verified. A refusal is a *refusal inside the error, and is
// believed only when it was signed, too: what a proxy between us says leaves the outcome unknown.
func (p *Provider) call(ctx context.Context, question alipay.Param, into answered) error {
	ctx, cancel := context.WithTimeout(ctx, p.config.Timeout)
	defer cancel()
	if err := p.client.Request(ctx, question, into); err != nil {
		if unsigned, ok := errors.AsType[*alipay.Error](err); ok {
			err = errors.New("an answer without a signature")
			if unsigned != nil {
				err = fmt.Errorf("%w: %s %.80q", err, unsigned.Code, unsigned.SubCode)
			}
		}
		return fmt.Errorf("alipay: %s: %w: %w", question.APIName(), payment.ErrUnavailable, err)
	}
	// The library returns no error where the gateway refused.
	if e := into.said(); e.Code != alipay.CodeSuccess {
		r := refusal(e)
		return fmt.Errorf("alipay: %s: %w", question.APIName(), &r)
	}
	return nil
}

// moment reads a time of the gateway's, which may have fractions of a second.
func moment(text string) (time.Time, error) {
	at, err := time.ParseInLocation(time.DateTime, text, beijing)
	if err != nil {
		return time.Time{}, fmt.Errorf("time %.40q", text)
	}
	return at.UTC(), nil
}
