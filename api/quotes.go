package api

import (
	"github.com/gofiber/fiber/v2"

	"github.com/boxoffice/boxoffice/ticketing"
)

// quote answers POST /api/v1/quotes: what an order would cost now.
func (s *Server) quote(c *fiber.Ctx) error {
	var r basketRequest
	if err := decodeBody(c, &r); err != nil {
		return err
	}
	ctx, cancel := bounded()
	defer cancel()
	l, quote, err := s.price(ctx, r, s.guesser(c), 0)
	if err != nil {
		return err
	}
	names := map[string]ticketing.Text{}
	for _, t := range l.session.TicketTypes {
		names[t.ID] = t.Name
	}
	return sendJSON(c, fiber.StatusOK, viewPrice(quote, func(id string) ticketing.Text { return names[id] }))
}
