package store

import (
	"gorm.io/gorm"

	"github.com/boxoffice/boxoffice/ticketing"
)

// seedBundles writes what the bundles of events contain; their ticket types and all components are there. A session for which somebody
// has placed an order keeps its bundles.
func seedBundles(tx *gorm.DB, events []ticketing.Event) error {
	for _, event := range events {
		for _, session := range event.Sessions {
			for _, t := range session.TicketTypes {
				t.SessionID = session.ID
				if err := seedBundle(tx, t); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// seedBundle changes only what differs, for that is a change of the event.
func seedBundle(tx *gorm.DB, t ticketing.TicketType) error {
	var sold bool
	err := tx.Raw("SELECT EXISTS (SELECT FROM orders WHERE session_id = ?)", t.SessionID).Scan(&sold).Error
	if err != nil || sold {
		return err
	}
	if err := t.ValidateBundle(); err != nil {
		return err
	}
	keep := []string{""} // never an id
	for _, c := range t.Contents {
		keep = append(keep, c.TicketTypeID)
	}
	if err := tx.Exec("DELETE FROM bundle_components WHERE bundle_id = ? AND component_id NOT IN ?", t.ID, keep).Error; err != nil {
		return err
	}
	for _, c := range t.Contents {
		err := tx.Exec(`INSERT INTO bundle_components AS c (bundle_id, component_id, quantity, currency) VALUES (?, ?, ?, ?)
			ON CONFLICT (bundle_id, component_id) DO UPDATE SET quantity = excluded.quantity WHERE c.quantity <> excluded.quantity`,
			t.ID, c.TicketTypeID, c.Quantity, t.Currency).Error
		if err != nil {
			return err
		}
	}
	return nil
}
