package store

import (
	"context"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/boxoffice/boxoffice/ticketing"
)

// contentRow is a component of a bundle with what its price and its limits depend on.
type contentRow struct {
	BundleID    string
	ComponentID string
	Quantity    int
	SessionID   string
	EventID     string
	Price       int64
	MaxPerBuyer int
	MaxOfEvent  int
}

func (contentRow) TableName() string { return "bundle_contents" }

func (r contentRow) component() ticketing.Component {
	return ticketing.Component{
		TicketTypeID: r.ComponentID, SessionID: r.SessionID, EventID: r.EventID, Quantity: r.Quantity, Price: r.Price,
		MaxPerBuyer: r.MaxPerBuyer, MaxOfEvent: r.MaxOfEvent,
	}
}

// freeSQL is what is free of the ticket type of s, a row of stock: of a bundle, no more than there is enough of everything for.
const freeSQL = `least(s.free, (SELECT min(x.free / c.quantity) FROM bundle_components c JOIN stock x ON x.ticket_type_id = c.component_id
	WHERE c.bundle_id = s.ticket_type_id))`

// contentsSQL are the contents of l, a line of an order, or NULL.
const contentsSQL = `(SELECT jsonb_agg(jsonb_build_object('ticket_type_id', c.component_id, 'session_id', y.session_id, 'quantity', c.quantity, 'price', c.price)
	ORDER BY c.component_id) FROM order_components c JOIN ticket_types y ON y.id = c.component_id WHERE c.order_id = l.order_id AND c.bundle_id = l.ticket_type_id)`

// bundled says whether the order has a bundle.
func (o ordered) bundled() bool {
	return slices.ContainsFunc(o.quote.Lines, func(l ticketing.PricedLine) bool { return len(l.Contents) > 0 })
}

// stock are the ticket types whose stock the order takes, in the order in which they are locked.
func (o ordered) stock() []string {
	needed := map[string]int{}
	for _, line := range o.quote.Lines {
		line.Need(needed)
	}
	return slices.Sorted(maps.Keys(needed))
}

// takeComponentsSQL notes what the bundles of an order contain and takes it, where there is enough and its event sells. How many kinds
// were taken says whether it was everything.
const takeComponentsSQL = `
WITH content AS MATERIALIZED (
    SELECT bundle_id, component_id, quantity, price FROM unnest($2::text[], $3::text[], $4::int[], $5::bigint[]) AS c(bundle_id, component_id, quantity, price)
), noted AS (
    INSERT INTO order_components (order_id, bundle_id, component_id, quantity, price)
    SELECT l.order_id, c.bundle_id, c.component_id, c.quantity, c.price
    FROM content c JOIN order_lines l ON l.order_id = $1 AND l.ticket_type_id = c.bundle_id
    ON CONFLICT DO NOTHING
), need AS (
    SELECT c.component_id, sum(c.quantity * l.quantity) AS quantity
    FROM content c JOIN order_lines l ON l.order_id = $1 AND l.ticket_type_id = c.bundle_id GROUP BY 1
)
UPDATE stock s SET free = s.free - n.quantity, held = s.held + n.quantity
FROM need n JOIN ticket_types t ON t.id = n.component_id JOIN sessions x ON x.id = t.session_id JOIN events e ON e.id = x.event_id
WHERE s.ticket_type_id = n.component_id AND s.free >= n.quantity AND e.state = 'ON_SALE'`

// takeComponents queues the taking of what the bundles of an order contain, under the lock on its stock and after its lines are stored.
func (w *work) takeComponents(o ordered, t *taking) {
	t.whole = true
	if !o.bundled() {
		return
	}
	var (
		bundles, components []string
		quantities          []int
		prices              []int64
		kinds               = map[string]bool{}
	)
	for _, line := range o.quote.Lines {
		for _, c := range line.Contents {
			bundles, components = append(bundles, line.TicketTypeID), append(components, c.TicketTypeID)
			quantities, prices = append(quantities, c.Quantity), append(prices, c.Price)
			kinds[c.TicketTypeID] = true
		}
	}
	w.queue(takeComponentsSQL, o.OrderID, bundles, components, quantities, prices).Exec(func(tag pgconn.CommandTag) error {
		t.whole = tag.RowsAffected() == int64(len(kinds))
		return nil
	})
}

// countComponents queues the question what is free of an order's stock where it sells, under the lock on it.
func (w *work) countComponents(o ordered, t *taking) {
	if !o.bundled() {
		return
	}
	t.freeParts = map[string]int{}
	tally(w.queue(`SELECT s.ticket_type_id, s.free FROM stock s JOIN ticket_types t ON t.id = s.ticket_type_id JOIN sessions x ON x.id = t.session_id
		JOIN events e ON e.id = x.event_id WHERE s.ticket_type_id = ANY($1) AND e.state = 'ON_SALE'`, o.stock()), t.freeParts)
}

// refuseShort says whether something in a bundle could not be taken, and notes why.
func (t *taking) refuseShort(o ordered) bool {
	if !t.whole {
		t.refused = ticketing.Short(o.quote.Lines, t.freeParts)
	}
	return !t.whole
}

// orderLine is a line of a stored order with what is charged for it.
type orderLine struct {
	ticketing.PricedLine
	charge int64
}

// scanLine reads ticket type, quantity, charge and contents.
func scanLine(row pgx.CollectableRow) (orderLine, error) {
	var l orderLine
	return l, row.Scan(&l.TicketTypeID, &l.Quantity, &l.charge, &l.Contents)
}

// needed is the stock of lines, in the order in which it is locked.
func needed(lines []orderLine) (types []string, quantities []int) {
	stock := map[string]int{}
	for _, line := range lines {
		line.Need(stock)
	}
	types = slices.Sorted(maps.Keys(stock))
	for _, id := range types {
		quantities = append(quantities, stock[id])
	}
	return types, quantities
}

// ticketsOf is how many tickets of an event one of a line is.
func ticketsOf(eventID string, line ticketing.PricedLine) int {
	return ticketing.TicketType{Contents: line.Contents}.TicketsOf(eventID)
}

// limitContents counts what a bundle contains against the bounds on it, and on the other events it is of.
func (c *claims) limitContents(buyers [][]byte, line ticketing.PricedLine, homeEvent, field string) {
	others := map[string]bool{homeEvent: true}
	for _, part := range line.Contents {
		if part.MaxPerBuyer > 0 {
			c.limit("type:"+part.TicketTypeID, buyers, line, part.Quantity, part.MaxPerBuyer, field, "at most %d tickets per buyer of a type that it contains")
		}
		if !others[part.EventID] && part.MaxOfEvent > 0 {
			c.limit("event:"+part.EventID, buyers, line, ticketsOf(part.EventID, line), part.MaxOfEvent, field, "at most %d tickets per buyer of an event that it is of")
		}
		others[part.EventID] = true
	}
}

// admissionsSQL are what the tickets of an order admit to.
const admissionsSQL = `
SELECT DISTINCT ON (y.id) y.id, y.name, e.title, s.id, s.event_id, s.starts_at, s.ends_at, v.id, v.name, v.city, v.address, v.time_zone,
    e.state = 'POSTPONED' AND s.starts_at = (SELECT n.starts_at FROM notices n WHERE n.session_id = s.id AND n.kind = 'event_postponed' ORDER BY n.id DESC LIMIT 1)
FROM tickets t JOIN ticket_types y ON y.id = coalesce(t.component_id, t.ticket_type_id) JOIN sessions s ON s.id = y.session_id
JOIN events e ON e.id = s.event_id JOIN venues v ON v.id = s.venue_id
WHERE t.order_id = $1`

// admissions are what the tickets of an order with bundles admit to, by ticket type; none of any other.
func (s *Store) admissions(ctx context.Context, order ticketing.Order) (map[string]ticketing.Admission, error) {
	if !slices.ContainsFunc(order.Lines, func(l ticketing.PricedLine) bool { return len(l.Contents) > 0 }) {
		return nil, nil
	}
	all := map[string]ticketing.Admission{}
	_, err := list(ctx, s, "read what tickets admit to", func(row pgx.CollectableRow) (a ticketing.Admission, err error) {
		var (
			id      string
			unknown *bool
			s, v    = &a.Session, &a.Session.Venue
		)
		err = row.Scan(&id, &a.Name, &a.Title, &s.ID, &s.EventID, &s.StartsAt, &s.EndsAt, &v.ID, &v.Name, &v.City, &v.Address, &v.TimeZone, &unknown)
		s.StartsAt, s.EndsAt, a.DateUnknown = s.StartsAt.UTC(), s.EndsAt.UTC(), deref(unknown)
		all[id] = a
		return a, err
	}, admissionsSQL, order.ID)
	return all, err
}
