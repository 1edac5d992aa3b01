package store_test

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/boxoffice/boxoffice/encryption"
	"github.com/boxoffice/boxoffice/store"
	"github.com/boxoffice/boxoffice/ticketing"
)

// dump is the content of every table as text, bytea in hexadecimal.
func (s *scene) dump() string {
	s.Helper()
	conn := s.connect()
	rows, err := conn.Query(s.Context(), "SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'public'")
	if err != nil {
		s.Fatal(err)
	}
	tables := must(pgx.CollectRows(rows, pgx.RowTo[string]))(s)
	var all bytes.Buffer
	for _, table := range tables {
		if _, err := conn.PgConn().CopyTo(s.Context(), &all, "COPY "+table+" TO STDOUT"); err != nil {
			s.Fatal(err)
		}
	}
	return all.String()
}

func TestNoTableHoldsPersonalDataInClear(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	order, attempt := s.paid(1)
	refused := request(11)
	must(s.Hold(t.Context(), refused))(t)
	callback := payment("E1", fact(attempt, ticketing.PaymentPaid))
	must(s.KeepCallback(t.Context(), callback))(t)
	dump := strings.ToLower(s.dump())
	if !strings.Contains(dump, strings.ToLower(order)) || !strings.Contains(dump, strings.ToLower(refused.OrderID)) {
		t.Fatal("the dump is incomplete")
	}
	for _, canary := range []string{buyer.Name, "canary", buyer.Email, buyer.Phone, buyer.Phone[1:]} {
		canary = strings.ToLower(canary)
		// Text in a bytea would show in hexadecimal.
		for _, form := range []string{canary, hex.EncodeToString([]byte(canary))} {
			if strings.Contains(dump, form) {
				t.Errorf("the database holds %q", canary)
			}
		}
	}
	if hexed := hex.EncodeToString([]byte(buyer.Name)); strings.Contains(dump, hexed) {
		t.Error("the database holds the name in hexadecimal")
	}
}

func TestEveryWayOfWritingWritesCiphertext(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	order := s.held(1)
	other := ticketing.Buyer{Name: "Other Name", Email: "other@example.com", Phone: "+4915112345678", Language: "en"}
	sealed := must(s.SealBuyer(other))(t)
	row := func() ticketing.Buyer {
		t.Helper()
		var stored store.SealedBuyer
		if err := s.Gorm().Where("id = ?", order).Take(&stored).Error; err != nil {
			t.Fatal(err)
		}
		return must(s.OpenBuyer(stored))(t)
	}
	of := s.Gorm().WithContext(t.Context()).Model(&store.SealedBuyer{}).Where("id = ?", order)
	if err := of.Update("buyer_name", sealed.BuyerName).Error; err != nil {
		t.Fatal(err)
	}
	if have := row(); have.Name != other.Name || have.Email != buyer.Email {
		t.Errorf("after Update: %+v", have)
	}
	of = s.Gorm().WithContext(t.Context()).Model(&store.SealedBuyer{}).Where("id = ?", order)
	if err := of.Updates(map[string]any{"buyer_email": sealed.BuyerEmail, "buyer_phone": sealed.BuyerPhone}).Error; err != nil {
		t.Fatal(err)
	}
	if have := row(); have.Email != other.Email || have.Phone != other.Phone {
		t.Errorf("after Updates: %+v", have)
	}
	// Plain text does not get in, whichever way it comes.
	of = s.Gorm().WithContext(t.Context()).Model(&store.SealedBuyer{}).Where("id = ?", order)
	if err := of.Update("buyer_name", "Plain Name").Error; constraintOf(err) != "sealed_begins_with_its_version" {
		t.Errorf("plain text: %v", err)
	}
	of = s.Gorm().WithContext(t.Context()).Model(&store.SealedBuyer{}).Where("id = ?", order)
	if err := of.Updates(map[string]any{"buyer_email": []byte("plain@example.com")}).Error; constraintOf(err) != "sealed_begins_with_its_version" {
		t.Errorf("plain text: %v", err)
	}
	if dump := s.dump(); strings.Contains(dump, "Other") || strings.Contains(dump, "other@example.com") || strings.Contains(dump, "Plain") {
		t.Error("the database holds plain text")
	}
}

func TestACiphertextMovedToAnotherColumnDoesNotOpen(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	order := s.held(1)
	s.execute("UPDATE orders SET buyer_name = buyer_email WHERE id = $1", order)
	_, err := s.Order(t.Context(), order)
	if err == nil || !strings.Contains(err.Error(), encryption.ErrTampered.Error()) {
		t.Errorf("opened: %v", err)
	}
}
