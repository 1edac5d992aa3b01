package twilio

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/nyaruka/phonenumbers"
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
		return notify.Receipt{}, request.judge(err, m.To)
	}
	if answer.Sid == nil || !validSID.MatchString(*answer.Sid) {
		return notify.Receipt{}, fmt.Errorf("%w: an answer without a SID", notify.ErrUnsure)
	}
	return receiptOf(*answer), nil
}

// receiptOf is what Twilio says of a message. It counts no segments (0) of one that a messaging service has not found a sender for.
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
	return s.config.Sender, nil
}
