package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/boxoffice/boxoffice/encryption"
	"github.com/boxoffice/boxoffice/ticketing"
)

// sealedAttendee is an attendee as stored.
type sealedAttendee struct {
	Name   encryption.Sealed[attendeeName]
	Type   ticketing.DocumentType
	Number encryption.Sealed[attendeeNumber]
	Person []byte
}

// attendeeClaim is an attendee of an order about to be held.
type attendeeClaim struct {
	sealedAttendee
	position     int
	ticketTypeID string
}

func (s *Store) sealAttendee(sessionID string, a ticketing.Attendee) (sealedAttendee, error) {
	sealed := sealedAttendee{Type: a.DocumentType, Person: s.ring.BlindIndex("attendees.person_index", sessionID+" "+a.Person())}
	var err error
	if sealed.Name, err = encryption.Seal[attendeeName](s.ring, a.Name); err != nil {
		return sealed, err
	}
	sealed.Number, err = encryption.Seal[attendeeNumber](s.ring, a.DocumentNumber)
	return sealed, err
}

// openAttendee opens an attendee and masks it at once: nobody has asked for more yet.
func (s *Store) openAttendee(sealed sealedAttendee) (ticketing.MaskedAttendee, error) {
	a := ticketing.Attendee{DocumentType: sealed.Type}
	var err error
	if a.Name, err = sealed.Name.Open(s.ring); err != nil {
		return ticketing.MaskedAttendee{}, err
	}
	if a.DocumentNumber, err = sealed.Number.Open(s.ring); err != nil {
		return ticketing.MaskedAttendee{}, err
	}
	return a.Mask(), nil
}

// attendeeClaims are the attendees of an order, each with the ticket type of its line.
func (s *Store) attendeeClaims(r ticketing.HoldRequest) ([]attendeeClaim, error) {
	var claims []attendeeClaim
	for _, line := range r.Lines {
		for range line.Quantity {
			n := len(claims)
			if n == len(r.Attendees) {
				return claims, nil
			}
			sealed, err := s.sealAttendee(r.SessionID, r.Attendees[n])
			if err != nil {
				return nil, err
			}
			claims = append(claims, attendeeClaim{sealed, n + 1, line.TicketTypeID})
		}
	}
	return claims, nil
}

// takeAttendeesSQL writes down who attends, for an order that holds stock. Whoever has a ticket of the session is left out; somebody
// who is about to get or to lose one is waited for, always in the order of the index.
const takeAttendeesSQL = `
INSERT INTO attendees (order_id, position, ticket_type_id, document_type, name, document_number, person_index)
SELECT o.id, a.position, a.ticket_type_id, a.document_type, a.name, a.document_number, a.person_index
FROM unnest($2::int[], $3::text[], $4::text[], $5::bytea[], $6::bytea[], $7::bytea[])
    AS a(position, ticket_type_id, document_type, name, document_number, person_index)
JOIN orders o ON o.id = $1 AND o.state = 'PENDING' AND NOT EXISTS (SELECT FROM attendees x WHERE x.order_id = $1)
ORDER BY a.person_index
ON CONFLICT (person_index) WHERE live DO NOTHING
RETURNING position`

// takeAttendees queues the taking of the order's attendees, the last thing a hold takes, and notes who was left out.
func (w *work) takeAttendees(o ordered, t *taking) {
	attendees := o.claims.attendees
	n := len(attendees)
	if n == 0 {
		return
	}
	positions, types, documents := make([]int, n), make([]string, n), make([]string, n)
	names, numbers, persons := make([]encryption.Sealed[attendeeName], n), make([]encryption.Sealed[attendeeNumber], n), make([][]byte, n)
	for i, a := range attendees {
		positions[i], types[i], documents[i] = a.position, a.ticketTypeID, string(a.Type)
		names[i], numbers[i], persons[i] = a.Name, a.Number, a.Person
	}
	w.queue(takeAttendeesSQL, o.OrderID, positions, types, documents, names, numbers, persons).Query(func(rows pgx.Rows) error {
		written, err := pgx.CollectRows(rows, pgx.RowTo[int])
		if err != nil || !t.held {
			return err
		}
		taken := map[int]bool{}
		for _, position := range written {
			taken[position] = true
		}
		for i, a := range attendees {
			if !taken[a.position] {
				t.refused, _ = ticketing.RefusalOf(ticketing.AttendeeTaken(ticketing.AttendeeField(i)))
				return nil
			}
		}
		return nil
	})
}

// moveAttendees lets the persons of an order go, or takes them again, at the end of the transaction and after the seats;
// tickets, unless nil, says of which tickets. Somebody who has got another ticket meanwhile breaks attendees_one_per_session.
func (w *work) moveAttendees(orderID string, types []string, tickets []string, from, to holdState) {
	if orderID == w.unclaimed || from == holdHeld && to == holdSold {
		return
	}
	w.last = append(w.last, func() {
		w.queue(`UPDATE attendees SET live = $4 WHERE order_id = $1 AND ticket_type_id = ANY($2)
			AND ($3::text[] IS NULL OR ticket_id = ANY($3)) AND live <> $4`, orderID, types, tickets, to == holdSold)
	})
}

// ticketAttendees gives the attendees of a paid order to its tickets, at the end of the transaction.
func (w *work) ticketAttendees(orderID string) {
	if orderID == w.unclaimed {
		return
	}
	w.last = append(w.last, func() {
		w.queue(`
WITH attendee AS (
    SELECT position, ticket_type_id, row_number() OVER (PARTITION BY ticket_type_id ORDER BY position) AS n
    FROM attendees WHERE order_id = $1
), ticket AS (
    SELECT id, ticket_type_id, row_number() OVER (PARTITION BY ticket_type_id ORDER BY id) AS n FROM tickets WHERE order_id = $1
)
UPDATE attendees a SET ticket_id = t.id FROM attendee x JOIN ticket t USING (ticket_type_id, n)
WHERE a.order_id = $1 AND a.position = x.position`, orderID)
	})
}

const orderAttendeesSQL = `SELECT coalesce(ticket_id, ''), document_type, name, document_number FROM attendees WHERE order_id = $1 ORDER BY position`

// ticketAttendee is an attendee of an order with its ticket, if there is one yet.
type ticketAttendee struct {
	ticketID string
	sealedAttendee
}

func scanAttendee(row pgx.CollectableRow) (a ticketAttendee, err error) {
	return a, row.Scan(&a.ticketID, &a.Type, &a.Name, &a.Number)
}

// fillAttendees tells an order and its tickets who attends, masked.
func (s *Store) fillAttendees(order *ticketing.Order, stored []ticketAttendee) error {
	byTicket := map[string]*ticketing.MaskedAttendee{}
	for _, a := range stored {
		masked, err := s.openAttendee(a.sealedAttendee)
		if err != nil {
			return err
		}
		order.Attendees = append(order.Attendees, masked)
		byTicket[a.ticketID] = &masked
	}
	for i, ticket := range order.Tickets {
		order.Tickets[i].Attendee = byTicket[ticket.ID]
	}
	return nil
}

// ChangeAttendee makes a ticket somebody else's, until the deadline of its event, by the database's clock. The attendee
// it has already changes nothing. Errors: CodeInvalid, CodeNotFound, CodeAttendeeFixed, CodeAttendeeTaken.
func (s *Store) ChangeAttendee(ctx context.Context, orderID, ticketID string, attendee ticketing.Attendee) error {
	attendee = attendee.Normalise()
	if err := attendee.Validate("", time.Now()); err != nil {
		return err
	}
	err := s.transact(ctx, "change an attendee", func(ctx context.Context, w *work) error {
		var (
			found, known, open bool
			state              ticketing.OrderState
			sessionID          string
			ticket             ticketing.TicketState
			before             sealedAttendee
		)
		one(w.queue("SELECT state FROM orders WHERE id = $1 FOR UPDATE", orderID), &found, &state)
		one(w.queue(`
SELECT s.id, t.state, a.document_type, a.name, a.document_number, a.person_index,
    now() < s.starts_at - e.attendee_change_seconds * interval '1 second'
FROM tickets t JOIN orders o ON o.id = t.order_id JOIN sessions s ON s.id = o.session_id JOIN events e ON e.id = s.event_id
JOIN attendees a ON a.ticket_id = t.id
WHERE t.id = $2 AND t.order_id = $1`, orderID, ticketID), &known, &sessionID, &ticket, &before.Type, &before.Name, &before.Number, &before.Person, &open)
		if err := w.send(ctx); err != nil {
			return err
		}
		switch {
		case !found || !known:
			return ticketing.Errorf(ticketing.CodeNotFound, "no such ticket with an attendee")
		case ticket != ticketing.TicketValid:
			return ticketing.Errorf(ticketing.CodeAttendeeFixed, "the ticket is %s", ticket)
		case !open:
			return ticketing.Errorf(ticketing.CodeAttendeeFixed, "attendees of this session can no longer be changed")
		}
		after, err := s.sealAttendee(sessionID, attendee)
		if err != nil {
			return err
		}
		if name, err := before.Name.Open(s.ring); err != nil || name == attendee.Name && string(before.Person) == string(after.Person) {
			return err
		}
		w.change(1, "UPDATE attendees SET document_type = $2, name = $3, document_number = $4, person_index = $5 WHERE ticket_id = $1",
			ticketID, string(after.Type), after.Name, after.Number, after.Person)
		return w.move(orderID, state, entry{kind: ticketing.EventAttendeeChanged, detail: map[string]any{"ticket_id": ticketID}})
	})
	if isDuplicate(err, onePerSession) {
		return ticketing.AttendeeTaken("")
	}
	return err
}

// onePerSession is the constraint that lets a person have one live ticket of a session.
const onePerSession = "attendees_one_per_session"
