package store

import (
	"github.com/boxoffice/boxoffice/encryption"
	"github.com/boxoffice/boxoffice/ticketing"
)

// The columns that hold sealed data.
type (
	buyerName      struct{}
	buyerEmail     struct{}
	buyerPhone     struct{}
	attendeeName   struct{}
	attendeeNumber struct{}
	callbackHeader struct{}
	callbackBody   struct{}
)

func (buyerName) Place() string      { return "orders.buyer_name" }
func (buyerEmail) Place() string     { return "orders.buyer_email" }
func (buyerPhone) Place() string     { return "orders.buyer_phone" }
func (attendeeName) Place() string   { return "attendees.name" }
func (attendeeNumber) Place() string { return "attendees.document_number" }
func (callbackHeader) Place() string { return "callbacks.header" }
func (callbackBody) Place() string   { return "callbacks.body" }

// sealedBuyer is a buyer as stored.
type sealedBuyer struct {
	Name       encryption.Sealed[buyerName]
	Email      encryption.Sealed[buyerEmail]
	Phone      encryption.Sealed[buyerPhone]
	EmailIndex []byte
	PhoneIndex []byte
	Language   string
}

func (s *Store) sealBuyer(b ticketing.Buyer) (sealedBuyer, error) {
	sealed := sealedBuyer{Language: b.Language, EmailIndex: s.ring.BlindIndex("orders.email_index", b.Email)}
	if b.Phone != "" {
		sealed.PhoneIndex = s.ring.BlindIndex("orders.phone_index", b.Phone)
	}
	var err error
	if sealed.Name, err = encryption.Seal[buyerName](s.ring, b.Name); err != nil {
		return sealed, err
	}
	if sealed.Email, err = encryption.Seal[buyerEmail](s.ring, b.Email); err != nil {
		return sealed, err
	}
	sealed.Phone, err = encryption.SealOptional[buyerPhone](s.ring, b.Phone)
	return sealed, err
}

func (s *Store) openBuyer(sealed sealedBuyer) (ticketing.Buyer, error) {
	b := ticketing.Buyer{Language: sealed.Language}
	var err error
	if b.Name, err = sealed.Name.Open(s.ring); err != nil {
		return b, err
	}
	if b.Email, err = sealed.Email.Open(s.ring); err != nil {
		return b, err
	}
	b.Phone, err = sealed.Phone.Open(s.ring)
	return b, err
}
