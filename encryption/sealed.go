package encryption

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"log/slog"
)

// Column names a column that holds sealed data. It is implemented by types
// without content, one per column, so that the type of a value says where it belongs.
type Column interface {
	// Place returns "table.column".
	Place() string
}

// Sealed is a value of column C as it rests: ciphertext, never anything else.
// The zero Sealed is NULL. It opens only as a value of the same column.
type Sealed[C Column] struct {
	ciphertext []byte
}

// Seal encrypts a value for column C.
func Seal[C Column](ring *Keyring, plain string) (Sealed[C], error) {
	ciphertext, err := ring.Seal([]byte(plain), place[C]())
	if err != nil {
		return Sealed[C]{}, fmt.Errorf("seal %s: %w", place[C](), err)
	}
	return Sealed[C]{ciphertext}, nil
}

// SealOptional is Seal for a column that may be empty: "" becomes NULL.
func SealOptional[C Column](ring *Keyring, plain string) (Sealed[C], error) {
	if plain == "" {
		return Sealed[C]{}, nil
	}
	return Seal[C](ring, plain)
}

// IsNull says whether there is no value.
func (s Sealed[C]) IsNull() bool { return s.ciphertext == nil }

// Open decrypts the value; NULL opens as "".
func (s Sealed[C]) Open(ring *Keyring) (string, error) {
	if s.IsNull() {
		return "", nil
	}
	plain, err := ring.Open(s.ciphertext, place[C]())
	if err != nil {
		return "", fmt.Errorf("open %s: %w", place[C](), err)
	}
	return string(plain), nil
}

// Value implements driver.Valuer.
func (s Sealed[C]) Value() (driver.Value, error) {
	if s.IsNull() {
		return nil, nil
	}
	return s.ciphertext, nil
}

// Scan implements sql.Scanner. It refuses what is not ciphertext.
func (s *Sealed[C]) Scan(source any) error {
	switch v := source.(type) {
	case nil:
		s.ciphertext = nil
		return nil
	case []byte:
		if len(v) == 0 || v[0] != Format {
			return fmt.Errorf("scan %s: %w", place[C](), ErrNotSealed)
		}
		s.ciphertext = append([]byte(nil), v...)
		return nil
	}
	return fmt.Errorf("scan %s: cannot read a %T", place[C](), source)
}

// GormDataType tells GORM what the column is.
func (Sealed[C]) GormDataType() string { return "bytea" }

// String implements fmt.Stringer without the value.
func (s Sealed[C]) String() string { return "[sealed]" }

// GoString implements fmt.GoStringer without the value.
func (s Sealed[C]) GoString() string { return s.String() }

// LogValue implements slog.LogValuer without the value.
func (s Sealed[C]) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalJSON refuses: sealed data belongs in its column only.
func (Sealed[C]) MarshalJSON() ([]byte, error) {
	return nil, errors.New("sealed data has no JSON form")
}

func place[C Column]() []byte {
	var column C
	return []byte(column.Place())
}
