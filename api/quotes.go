package api

import "github.com/gofiber/fiber/v2"

// quote answers POST /api/v1/quotes: what an order would cost now.
func (s *Server) quote(c *fiber.Ctx) error {
	var r basketRequest
	if err := decodeBody(c, &r); err != nil {
		return err
	}
	ctx, cancel := bounded()
	defer cancel()
	l, quote, err := s.price(ctx, r, s.clientAddress(c), 0)
	if err != nil {
		return err
	}
	others, err := s.sessionsOf(ctx, contentsOf(quote)...)
	if err != nil {
		return err
	}
	return sendJSON(c, fiber.StatusOK, viewPrice(l, quote, others, nil))
}
