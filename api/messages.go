package api

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"

	"github.com/boxoffice/boxoffice/notify"
	"github.com/boxoffice/boxoffice/ticketing"
)

type messageView struct {
	ID        string                 `json:"id"`
	Kind      ticketing.MessageKind  `json:"kind"`
	Channel   ticketing.Channel      `json:"channel"`
	To        string                 `json:"to"`
	State     ticketing.MessageState `json:"state"`
	CreatedAt time.Time              `json:"created_at"`
	SentAt    *time.Time             `json:"sent_at,omitempty"`
}

type messagesView struct {
	Messages []messageView `json:"messages"`
}

// getMessages answers GET /api/v1/orders/{order_id}/messages.
func (s *Server) getMessages(c *fiber.Ctx) error {
	id, err := s.authorised(c)
	if err != nil {
		return err
	}
	ctx, cancel := bounded()
	defer cancel()
	order, err := s.Store.Order(ctx, id)
	if err != nil {
		return unavailable(err)
	}
	messages, err := s.Store.Messages(ctx, id)
	if err != nil {
		return unavailable(err)
	}
	return sendJSON(c, fiber.StatusOK, viewMessages(order.Buyer, messages))
}

func viewMessages(buyer ticketing.Buyer, messages []ticketing.Message) messagesView {
	view := messagesView{Messages: []messageView{}}
	for _, m := range messages {
		if m.State == ticketing.MessageDropped {
			continue
		}
		shown := messageView{ID: m.ID, Kind: m.Kind, Channel: m.Channel, To: maskMail(buyer.Email), State: m.State, CreatedAt: m.CreatedAt, SentAt: m.SentAt}
		if m.Channel == ticketing.ChannelSMS {
			shown.To = maskPhone(buyer.Phone)
		}
		switch m.State {
		case ticketing.MessageSending:
			shown.State = ticketing.MessageWaiting
		case ticketing.MessageUndelivered:
			shown.State = ticketing.MessageFailed
		default:
		}
		view.Messages = append(view.Messages, shown)
	}
	return view
}

// maskMail hides all of a mail address but its first character and the domain.
func maskMail(address string) string {
	local, domain, _ := strings.Cut(address, "@")
	_, size := utf8.DecodeRuneInString(local)
	return local[:size] + "***@" + domain
}

// maskPhone hides all of a number but its first three and last two characters.
func maskPhone(number string) string {
	if len(number) < 8 {
		return "***"
	}
	return number[:3] + strings.Repeat("*", len(number)-5) + number[len(number)-2:]
}

// receipt answers POST /api/v1/receipts/{carrier}: verify, keep, acknowledge.
func (s *Server) receipt(c *fiber.Ctx) error {
	var carrier Carrier
	for _, known := range s.Carriers {
		if known.Name() == c.Params("carrier") {
			carrier = known
		}
	}
	if carrier == nil {
		return ticketing.Errorf(ticketing.CodeNotFound, "there is no such carrier of messages")
	}
	url := s.PublicURL + string(c.Request().URI().RequestURI())
	receipt, err := carrier.ParseReceipt(headerOf(c), c.BodyRaw(), url)
	switch {
	case errors.Is(err, notify.ErrForged):
		s.metrics.callbacksRefused.WithLabelValues(carrier.Name(), "signature").Inc()
		return &fault{domainError: ticketing.Errorf(codeUnauthorized, "the receipt is not signed as it must be"), cause: err}
	case err != nil:
		s.metrics.callbacksRefused.WithLabelValues(carrier.Name(), "malformed").Inc()
		return &fault{domainError: ticketing.Errorf(codeMalformed, "the receipt cannot be read"), cause: err}
	}
	ctx, cancel := context.WithTimeout(context.Background(), keepBound)
	defer cancel()
	if err := s.Store.KeepReceipt(ctx, receipt); err != nil {
		return unavailable(fmt.Errorf("keep receipt: %w", err))
	}
	return c.SendStatus(fiber.StatusNoContent)
}
