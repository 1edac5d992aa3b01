package twilio

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptrace"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/nyaruka/phonenumbers"
	"github.com/twilio/twilio-go/client"
	api "github.com/twilio/twilio-go/rest/api/v2010"

	"github.com/boxoffice/boxoffice/notify"
)

// Name implements notify.Sender.
func (s *Sender) Name() string { return s.config.Name }

// Send implements notify.Sender.
func (s *Sender) Send(ctx context.Context, m notify.Message) (notify.Receipt, error) {
	from, err := s.from(m.To)
	if err != nil {
		return notify.Receipt{}, fmt.Errorf("%w: %w", notify.ErrRefused, err)
	}
	params := (&api.CreateMessageParams{}).SetTo(m.To).SetBody(m.Text).SetStatusCallback(s.config.StatusURL)
	if service.MatchString(from) {
		params.SetMessagingServiceSid(from)
	} else {
		params.SetFrom(from)
	}
	ctx, cancel := context.WithTimeout(ctx, s.config.Timeout)
	defer cancel()
	request := &oneRequest{ctx: ctx, sender: s}
	answer, err := s.service(request).CreateMessage(params)
	if err != nil {
		return notify.Receipt{}, request.judge(err)
	}
	if answer.Sid == nil || *answer.Sid == "" {
		return notify.Receipt{}, fmt.Errorf("%w: an answer without a SID", notify.ErrUnsure)
	}
	return receiptOf(*answer), nil
}

func receiptOf(m api.ApiV2010Message) notify.Receipt {
	receipt := notify.Receipt{ID: *m.Sid}
	if m.NumSegments != nil {
		receipt.Segments, _ = strconv.Atoi(*m.NumSegments)
	}
	return receipt
}

// from is who an SMS to a number comes from; an error says why there is none.
func (s *Sender) from(to string) (string, error) {
	parsed, err := phonenumbers.Parse(to, phonenumbers.UNKNOWN_REGION)
	if err != nil || !phonenumbers.IsValidNumber(parsed) || phonenumbers.Format(parsed, phonenumbers.E164) != to {
		return "", errors.New("not a valid number in E.164 form")
	}
	switch phonenumbers.GetNumberType(parsed) {
	case phonenumbers.MOBILE, phonenumbers.FIXED_LINE_OR_MOBILE:
	default:
		return "", errors.New("not the number of a mobile phone")
	}
	country := phonenumbers.GetRegionCodeForNumber(parsed)
	if !slices.Contains(s.config.Countries, country) {
		return "", fmt.Errorf("no SMS go to %s", country)
	}
	if sender := s.config.Senders[country]; sender != "" {
		return sender, nil
	}
	if s.config.Sender == "" {
		return "", fmt.Errorf("there is no sender for %s", country)
	}
	return s.config.Sender, nil
}

const (
	// lookBack is how much earlier than we think a message may have been created by Twilio's clock.
	lookBack = time.Minute
	// mostFound bounds how many messages to one number are looked through.
	mostFound = 200
)

// Find implements notify.Finder.
func (s *Sender) Find(ctx context.Context, m notify.Message, since time.Time) (notify.Receipt, bool, error) {
	ctx, cancel := context.WithTimeout(ctx, s.config.Timeout)
	defer cancel()
	// By the day of creation: what was accepted and is not sent yet has no time of sending.
	params := (&api.ListMessageParams{}).SetTo(m.To).SetPageSize(mostFound).SetLimit(mostFound)
	page, err := s.service(&oneRequest{ctx: ctx, sender: s}).PageMessage(params, "", "")
	if err != nil {
		return notify.Receipt{}, false, fmt.Errorf("look for a message: %w", err)
	}
	for _, found := range page.Messages {
		if found.Sid == nil || found.Body == nil || found.DateCreated == nil || *found.Body != m.Text {
			continue
		}
		at, err := time.Parse(time.RFC1123Z, *found.DateCreated)
		if err != nil {
			return notify.Receipt{}, false, fmt.Errorf("look for a message: %w", err)
		}
		if !at.Before(since.Add(-lookBack).Truncate(time.Second)) {
			return receiptOf(found), true, nil
		}
	}
	if len(page.Messages) == mostFound {
		return notify.Receipt{}, false, errors.New("look for a message: too many to this number to be sure")
	}
	return notify.Receipt{}, false, nil
}

func (s *Sender) service(request *oneRequest) *api.ApiService {
	c := &client.Client{Credentials: client.NewCredentials(s.user, s.secret), HTTPClient: &http.Client{
		Transport: request, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	c.SetAccountSid(s.config.AccountSID)
	return api.NewApiService(client.NewRequestHandler(c))
}

// oneRequest carries the one request of a call, bound to the caller's patience, and remembers how far it got.
type oneRequest struct {
	ctx    context.Context
	sender *Sender

	used    atomic.Bool
	written atomic.Bool
	status  atomic.Int64
}

// maxAnswer bounds what is read of an answer, in bytes.
const maxAnswer = 1 << 20

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
	r.status.Store(int64(response.StatusCode))
	response.Body = http.MaxBytesReader(nil, response.Body, maxAnswer)
	return response, nil
}

// judge says what an error means: whether Twilio may have the message.
func (r *oneRequest) judge(err error) error {
	var said *client.TwilioRestError
	decoded := errors.As(err, &said) && said.Code != 0
	switch status := r.status.Load(); {
	case status == 0 && !r.written.Load():
		return fmt.Errorf("%w: %w", notify.ErrTemporary, err)
	case status == http.StatusTooManyRequests, status == http.StatusUnauthorized, status == http.StatusForbidden:
		// Too many, or our credentials: not about this message.
		return fmt.Errorf("%w: status %d: %w", notify.ErrTemporary, status, err)
	case status >= 400 && status < 500 && decoded:
		return fmt.Errorf("%w: code %d: %w", notify.ErrRefused, said.Code, err)
	case status >= 400 && status < 500:
		return fmt.Errorf("%w: status %d: %w", notify.ErrTemporary, status, err) // something before Twilio said no
	default: // nothing, a redirect, a success we cannot read, or a fault of theirs
		return fmt.Errorf("%w: status %d: %w", notify.ErrUnsure, status, err)
	}
}
