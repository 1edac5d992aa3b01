package api

import (
	"github.com/gofiber/fiber/v2"

	"github.com/boxoffice/boxoffice/ticketing"
)

// realNamesView says whether the attendees of a session are named.
type realNamesView struct {
	Need ticketing.RealNameNeed `json:"need"`
	// ChangeUntil is when they can last be changed.
	ChangeUntil instant `json:"change_until"`
}

// viewRealNames is nil where they are not.
func viewRealNames(e *ticketing.Event, session *ticketing.Session) *realNamesView {
	if !e.RealNames.Asked() {
		return nil
	}
	return &realNamesView{e.RealNames.Need, instant(e.RealNames.ChangeUntil(session.StartsAt))}
}

// changeAttendee answers PUT /api/v1/orders/{order_id}/tickets/{ticket_id}/attendee.
func (s *Server) changeAttendee(c *fiber.Ctx) error {
	id, err := s.authorised(c)
	if err != nil {
		return err
	}
	ticket := c.Params("ticket_id")
	if len(ticket) > maxID || !askable(ticket) {
		return ticketing.Errorf(ticketing.CodeNotFound, "no such ticket")
	}
	var attendee ticketing.Attendee
	if err := decodeBody(c, &attendee); err != nil {
		return err
	}
	ctx, cancel := bounded()
	defer cancel()
	// Whoever asks for one person after another would learn who attends.
	err = s.guesses.try(ctx, s.clientAddress(c), "too many people who have a ticket from this address",
		func() error { return s.Store.ChangeAttendee(ctx, id, ticket, attendee) },
		func(err error) bool { return ticketing.CodeOf(err) == ticketing.CodeAttendeeTaken })
	if err != nil {
		return unavailable(err)
	}
	return s.sendOrder(ctx, c, fiber.StatusOK, id)
}
