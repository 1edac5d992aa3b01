package api

import (
	"context"

	"github.com/gofiber/fiber/v2"

	"github.com/boxoffice/boxoffice/ticketing"
)

type cityList struct {
	Cities []ticketing.Text `json:"cities"`
}

// listCities answers GET /api/v1/cities.
func (s *Server) listCities(c *fiber.Ctx) error {
	return s.sendPage(c, "cities", func(ctx context.Context) (page, error) {
		cities, err := s.Store.Cities(ctx)
		if err != nil {
			return page{}, unavailable(err)
		}
		return pageOf(cityList{cities})
	})
}
