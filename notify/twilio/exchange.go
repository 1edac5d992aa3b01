package twilio

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/twilio/twilio-go/client"
	api "github.com/twilio/twilio-go/rest/api/v2010"

	"github.com/boxoffice/boxoffice/notify"
)

// service is twilio-go for one request.
func (s *Sender) service(request *oneRequest) *api.ApiService {
	c := &client.Client{Credentials: client.NewCredentials(s.user, s.secret), HTTPClient: &http.Client{
		Transport: request, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	c.SetAccountSid(s.config.AccountSID)
	return api.NewApiService(client.NewRequestHandler(c))
}

// oneRequest carries the one request of a call, bound to the caller's patience, and remembers how far it got. twilio-go takes no
// context, leaves the bodies of errors open, and would send some requests again.
type oneRequest struct {
	ctx    context.Context
	sender *Sender

	used    atomic.Bool
	written atomic.Bool
	status  atomic.Int64
}

// maxAnswer bounds what is read of an answer, in bytes: a page of a thousand messages is less than half of it.
const maxAnswer = 16 << 20

// RoundTrip implements http.RoundTripper.
func (r *oneRequest) RoundTrip(request *http.Request) (*http.Response, error) {
	if r.used.Swap(true) {
		return nil, errors.New("twilio: a request is sent once")
	}
	ctx := httptrace.WithClientTrace(r.ctx, &httptrace.ClientTrace{WroteHeaders: func() { r.written.Store(true) }})
	request = request.Clone(ctx)
	request.URL.Scheme, request.URL.Host, request.Host = r.sender.url.Scheme, r.sender.url.Host, r.sender.url.Host
	response, err := r.sender.config.Transport.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	r.status.Store(int64(response.StatusCode))
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	if err == nil && len(body) > maxAnswer {
		err = fmt.Errorf("an answer of more than %d bytes", maxAnswer)
	}
	if err != nil {
		return nil, err
	}
	response.Body = io.NopCloser(bytes.NewReader(body))
	return response, nil
}

// oursToMend are Twilio's codes for what is wrong with the account or its senders, or passes: nothing is wrong with the message,
// which must not be lost while somebody mends it.
var oursToMend = []int{
	14107,                             // too many of something
	20003, 20005, 20006, 20008, 20404, // credentials, and accounts that are closed, unknown or for tests only
	20429, 30001, 63038, // too many requests, a full queue, the account's messages of a day
	21212, 21603, 21606, 21659, 21660, // senders that are not the account's
	21609,                      // the address for status callbacks
	21611,                      // a sender's full queue
	21701, 21703, 21704, 21705, // messaging services that are unknown or without a sender
	30002, // the account is suspended
}

// judge says what an error means: whether Twilio may have the message. Twilio does not promise that what it answers with 5xx was not
// done, not even with a Retry-After.
func (r *oneRequest) judge(err error, to string) error {
	var said *client.TwilioRestError
	decoded := errors.As(err, &said) && said.Code != 0
	plain := without(to, err)
	switch status := r.status.Load(); {
	case status == 0 && !r.written.Load():
		return fmt.Errorf("%w: %s", notify.ErrTemporary, plain)
	case status < 400, status >= 500, status == http.StatusRequestTimeout, status == statusClientClosed:
		// Nothing, a redirect, a success that cannot be read, a fault of theirs, or of something between us that may have passed it on.
		return fmt.Errorf("%w: status %d: %s", notify.ErrUnsure, status, plain)
	case status == http.StatusTooManyRequests, status == http.StatusUnauthorized, status == http.StatusForbidden:
		return fmt.Errorf("%w: status %d: %s", notify.ErrTemporary, status, plain)
	case !decoded: // something between us said no
		return fmt.Errorf("%w: status %d: %s", notify.ErrTemporary, status, plain)
	case slices.Contains(oursToMend, said.Code):
		return fmt.Errorf("%w: code %d: %s", notify.ErrTemporary, said.Code, plain)
	default:
		return fmt.Errorf("%w: code %d: %s", notify.ErrRefused, said.Code, plain)
	}
}

// statusClientClosed is what some proxies say when their client left.
const statusClientClosed = 499

// without is what an error says, without the number, which is personal data: net/http names the whole address that was asked.
func without(number string, err error) string {
	return strings.ReplaceAll(err.Error(), strings.TrimPrefix(number, "+"), "…")
}
