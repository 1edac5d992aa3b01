package api

import (
	"github.com/gofiber/fiber/v2"

	"github.com/boxoffice/boxoffice/ticketing"
)

type quoteRequest struct {
	SessionID string          `json:"session_id"`
	Lines     []ticketing.Ask `json:"lines"`
}

type quoteView struct {
	Lines    []lineView      `json:"lines"`
	OrderFee ticketing.Money `json:"order_fee"`
	Total    ticketing.Money `json:"total"`
}

// quote answers POST /api/v1/quotes: what an order would cost now.
func (s *Server) quote(c *fiber.Ctx) error {
	var r quoteRequest
	if err := decodeBody(c, &r); err != nil {
		return err
	}
	ctx, cancel := bounded()
	defer cancel()
	l, quote, err := s.price(ctx, r.SessionID, r.Lines, 0)
	if err != nil {
		return err
	}
	names := map[string]ticketing.Text{}
	for _, t := range l.session.TicketTypes {
		names[t.ID] = t.Name
	}
	money := func(amount int64) ticketing.Money {
		return ticketing.Money{Amount: amount, Currency: quote.Total.Currency}
	}
	v := quoteView{Lines: []lineView{}, OrderFee: money(quote.OrderFee), Total: quote.Total}
	for _, line := range quote.Lines {
		v.Lines = append(v.Lines, viewLine(line, names[line.TicketTypeID], money))
	}
	return sendJSON(c, fiber.StatusOK, v)
}
