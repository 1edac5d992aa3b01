package store

import (
	"gorm.io/gorm"

	"github.com/boxoffice/boxoffice/encryption"
	"github.com/boxoffice/boxoffice/ticketing"
)

// What the tests in package store_test need to see.

// SealedBuyer is how GORM would see the personal data of an order.
type SealedBuyer struct {
	ID         string
	BuyerName  encryption.Sealed[buyerName]
	BuyerEmail encryption.Sealed[buyerEmail]
	BuyerPhone encryption.Sealed[buyerPhone]
	Language   string
}

// TableName implements gorm's Tabler.
func (SealedBuyer) TableName() string { return "orders" }

// SealBuyer seals a buyer.
func (s *Store) SealBuyer(b ticketing.Buyer) (SealedBuyer, error) {
	sealed, err := s.sealBuyer(b)
	return SealedBuyer{BuyerName: sealed.Name, BuyerEmail: sealed.Email, BuyerPhone: sealed.Phone, Language: b.Language}, err
}

// OpenBuyer opens a buyer.
func (s *Store) OpenBuyer(b SealedBuyer) (ticketing.Buyer, error) {
	return s.openBuyer(sealedBuyer{Name: b.BuyerName, Email: b.BuyerEmail, Phone: b.BuyerPhone, Language: b.Language})
}

// Gorm is the store's GORM.
func (s *Store) Gorm() *gorm.DB { return s.gorm }

// Invariants names every rule of the audit with its number.
func Invariants() map[string]int {
	names := map[string]int{}
	for _, rule := range invariants {
		names[rule.name] = rule.number
	}
	return names
}

// GroupSize is how many holds share a transaction at most.
const GroupSize = groupSize

// WaitingHolds counts the holds that wait for a group to join.
func (s *Store) WaitingHolds() int {
	s.groups.mu.Lock()
	defer s.groups.mu.Unlock()
	waiting := 0
	for _, q := range s.groups.queues {
		waiting += len(q.waiting)
	}
	return waiting
}
