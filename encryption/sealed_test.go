package encryption_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/boxoffice/boxoffice/encryption"
)

type (
	nameColumn  struct{}
	emailColumn struct{}
)

func (nameColumn) Place() string  { return "orders.buyer_name" }
func (emailColumn) Place() string { return "orders.buyer_email" }

func TestSealedColumn(t *testing.T) {
	r := ring(t, oldKey)
	name, err := encryption.Seal[nameColumn](r, "Mei Canary")
	if err != nil {
		t.Fatal(err)
	}
	value, err := name.Value()
	if err != nil || strings.Contains(fmt.Sprint(value), "Canary") {
		t.Errorf("value %v, %v", value, err)
	}
	var same encryption.Sealed[nameColumn]
	if err := same.Scan(value); err != nil {
		t.Fatal(err)
	}
	if plain, err := same.Open(r); err != nil || plain != "Mei Canary" {
		t.Errorf("opened %q, %v", plain, err)
	}
	var moved encryption.Sealed[emailColumn]
	if err := moved.Scan(value); err != nil {
		t.Fatal(err)
	}
	if _, err := moved.Open(r); !errors.Is(err, encryption.ErrTampered) {
		t.Errorf("opened in another column: %v", err)
	}
}

func TestSealedNothing(t *testing.T) {
	r := ring(t, oldKey)
	none, err := encryption.SealOptional[nameColumn](r, "")
	if err != nil || !none.IsNull() {
		t.Fatalf("%v, %v", none, err)
	}
	if value, err := none.Value(); value != nil || err != nil {
		t.Errorf("value %v, %v", value, err)
	}
	if plain, err := none.Open(r); plain != "" || err != nil {
		t.Errorf("opened %q, %v", plain, err)
	}
	if err := none.Scan(nil); err != nil || !none.IsNull() {
		t.Errorf("scanned %v, %v", none, err)
	}
	empty, err := encryption.Seal[nameColumn](r, "")
	if err != nil || empty.IsNull() {
		t.Error("an empty text that was sealed is not NULL")
	}
}

func TestSealedTakesNoPlainText(t *testing.T) {
	var name encryption.Sealed[nameColumn]
	for _, source := range []any{[]byte("Mei Canary"), []byte{}, "Mei Canary", 42} {
		if err := name.Scan(source); err == nil || strings.Contains(err.Error(), "Canary") {
			t.Errorf("scanning %T: %v", source, err)
		}
	}
}

func TestSealedPrintsNothing(t *testing.T) {
	name, err := encryption.Seal[nameColumn](ring(t, oldKey), "Mei Canary")
	if err != nil {
		t.Fatal(err)
	}
	for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
		if printed := fmt.Sprintf(format, name); printed != "[sealed]" {
			t.Errorf("%s prints %q", format, printed)
		}
	}
	if _, err := json.Marshal(name); err == nil {
		t.Error("sealed data became JSON")
	}
}
