package store_test

// seatPlants break the rules of numbered seats.
var seatPlants = map[string]string{
	"a seat is taken in its word exactly where an order holds or has bought it, or it is blocked": "UPDATE seat_words SET taken = taken & ~sold, sold = 0",
	"a seat has at most one live hold or ticket": `DROP INDEX order_seats_once;
		UPDATE order_seats SET (word, bit) = (SELECT word, bit FROM order_seats WHERE state = 'HELD' LIMIT 1) WHERE state = 'SOLD'
			AND order_id <> (SELECT order_id FROM order_seats WHERE state = 'HELD' LIMIT 1)
			AND ticket_id = (SELECT min(ticket_id) FROM order_seats WHERE state = 'SOLD')`,
	"the stock of a seated ticket type is its seats":                           "UPDATE seat_blocks SET category = 'standing'",
	"an order has a seat for every admission to one, in the state of its hold": "DELETE FROM order_seats WHERE state = 'HELD'",
	"a ticket for a seat has it, and admits only while it does":                "UPDATE order_seats SET ticket_id = NULL WHERE state = 'SOLD'",
}
