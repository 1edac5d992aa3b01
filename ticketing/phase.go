package ticketing

import "time"

// PricePhase is a base price for a time, for a number of tickets, or for both, such as early bird.
type PricePhase struct {
	// ID names a phase by quantity within its ticket type; phases without a limit need none.
	ID   string `json:"id,omitempty"`
	Name Text   `json:"name"`
	// From is inclusive, Until exclusive.
	From      time.Time `json:"from"`
	Until     time.Time `json:"until"`
	BasePrice int64     `json:"base_price"`
	// Limit is how many live tickets there are at this price at most; 0 means as many as there are.
	Limit int `json:"limit,omitempty"`
}

// PhaseKey names a phase by quantity of a ticket type where what is left of several is counted. No id has a slash.
func PhaseKey(ticketTypeID, phaseID string) string { return ticketTypeID + "/" + phaseID }

// PhaseFor returns the price phase that so many tickets together are sold by at now, if any. left says how many are left at the
// price of each phase by quantity, by PhaseKey; of one that is not counted there is nothing left.
//
// Of the phases that have begun, have not ended and have room for all of the tickets, it is the one that began last,
// and of several that began together the first one listed: tickets of one line never differ in price.
func (t TicketType) PhaseFor(now time.Time, quantity int, left map[string]int) (PricePhase, bool) {
	var best PricePhase
	found := false
	for _, p := range t.Phases {
		if now.Before(p.From) || !now.Before(p.Until) {
			continue
		}
		if p.Limit > 0 && left[PhaseKey(t.ID, p.ID)] < quantity {
			continue
		}
		if !found || p.From.After(best.From) {
			best, found = p, true
		}
	}
	return best, found
}

// Presale is a window in which a ticket type is sold to those who have a code for it.
type Presale struct {
	TicketTypeID string `json:"ticket_type_id"`
	// From is inclusive, Until exclusive.
	From  time.Time `json:"from"`
	Until time.Time `json:"until"`
}

// OpenedAt says whether the type is sold at now to somebody whose code opens these presales.
func (t TicketType) OpenedAt(now time.Time, opened []Presale) bool {
	for _, p := range opened {
		if p.TicketTypeID == t.ID && !now.Before(p.From) && now.Before(p.Until) {
			return true
		}
	}
	return false
}
