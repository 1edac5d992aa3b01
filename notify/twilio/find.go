package twilio

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"
	"unicode"

	api "github.com/twilio/twilio-go/rest/api/v2010"
	"golang.org/x/text/unicode/norm"

	"github.com/boxoffice/boxoffice/notify"
)

const (
	// lookBack is how much earlier than we think a message may have been created by Twilio's clock.
	lookBack = time.Minute
	// settles is how long after it was handed over a message may not be listed yet. Less than callers wait before they ask, so that it
	// holds only those who ask out of turn.
	settles = 8 * time.Second
	// pageSize is the most messages that Twilio lists at once, mostPages bounds how many pages are looked through.
	pageSize  = 1000
	mostPages = 10
)

// Find implements notify.Finder. What Twilio keeps of a message and tells again is its recipient, its text and when it was created: a
// message counts as found by the three together. Errors: also when it is too early to be sure, or a message to this number in the
// time in question has no text, as on accounts that redact it.
func (s *Sender) Find(ctx context.Context, m notify.Message, since time.Time) (notify.Receipt, bool, error) {
	// Not by the time of sending: what was accepted and is not sent yet has none.
	params := (&api.ListMessageParams{}).SetTo(m.To).SetPageSize(pageSize)
	from := since.Add(-lookBack).Truncate(time.Second) // Twilio's times are whole seconds
	asked := s.config.Now()
	unreadable := false
	token, number := "", ""
	for range mostPages {
		page, err := s.page(ctx, params, token, number)
		if err != nil {
			return notify.Receipt{}, false, fmt.Errorf("look for a message: %s", without(m.To, err))
		}
		for _, found := range page.Messages {
			is, err := isIt(found, m.Text, from)
			switch {
			case err != nil:
				unreadable = true
			case is:
				return receiptOf(found), true, nil
			}
		}
		if page.NextPageUri == nil || *page.NextPageUri == "" {
			switch {
			case unreadable:
				return notify.Receipt{}, false, errors.New("look for a message: one to this number cannot be read, and may be it")
			case asked.Before(since.Add(settles)):
				return notify.Receipt{}, false, errors.New("look for a message: it is too early to say that it does not exist")
			}
			return notify.Receipt{}, false, nil
		}
		next, err := url.Parse(*page.NextPageUri)
		if err != nil || next.Query().Get("PageToken") == "" {
			return notify.Receipt{}, false, errors.New("look for a message: the next page has no token")
		}
		token, number = next.Query().Get("PageToken"), next.Query().Get("Page")
	}
	return notify.Receipt{}, false, errors.New("look for a message: too many to this number to be sure")
}

func (s *Sender) page(ctx context.Context, params *api.ListMessageParams, token, number string) (*api.ListMessageResponse, error) {
	ctx, cancel := context.WithTimeout(ctx, s.config.Timeout)
	defer cancel()
	request := &oneRequest{ctx: ctx, sender: s}
	page, err := s.service(request).PageMessage(params, token, number)
	if err == nil && page.Messages == nil {
		err = fmt.Errorf("status %d: an answer that is no list", request.status.Load())
	}
	return page, err
}

// isIt says whether a listed message is one with this text that was created at from or later; an error means that this cannot be known.
func isIt(found api.ApiV2010Message, text string, from time.Time) (bool, error) {
	if found.Direction != nil && *found.Direction == "inbound" {
		return false, nil
	}
	if found.DateCreated == nil {
		return false, errors.New("no time")
	}
	at, err := time.Parse(time.RFC1123Z, *found.DateCreated)
	if err != nil {
		return false, err
	}
	if at.Before(from) {
		return false, nil
	}
	if found.Sid == nil || found.Body == nil || *found.Body == "" {
		return false, errors.New("no text")
	}
	kept := strings.TrimPrefix(*found.Body, trialPrefix)
	return kept == text || letters(text) != "" && letters(kept) == letters(text), nil
}

// trialPrefix is what Twilio puts before the texts of trial accounts.
const trialPrefix = "Sent from your Twilio trial account - "

// letters are what Twilio leaves of a text in any case: smart encoding exchanges signs for simpler ones.
func letters(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return -1
	}, norm.NFKC.String(text))
}
