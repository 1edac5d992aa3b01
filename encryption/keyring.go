package encryption

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"strings"
)

// KeySize is the length of a master key in bytes.
const KeySize = 32

// Format is the first byte of everything sealed. No text starts with it, so
// that a database can tell ciphertext from plain text that was written by mistake.
const Format = 0x01

const (
	nonceSize = 12
	tagSize   = 16
	maxKeyID  = 32
)

// Errors of opening. They never say what was sealed.
var (
	// ErrUnknownKey: sealed with a key that is not in the ring.
	ErrUnknownKey = errors.New("sealed with a key that is not in the ring")
	// ErrNotSealed: not something Seal made, or cut short.
	ErrNotSealed = errors.New("not sealed data")
	// ErrTampered: changed since it was sealed, or sealed for another place.
	ErrTampered = errors.New("sealed data does not open here")
)

// Keyring holds master keys. It is safe for concurrent use and prints nothing of itself.
type Keyring struct {
	keys []masterKey
}

// masterKey is one key of the ring with what is derived from it.
type masterKey struct {
	id   string
	aead cipher.AEAD

	orderIDs, orderTokens, fingerprints, indexes, memberCodes []byte
}

// ParseKeyring reads "id:base64(32 bytes)[,id2:base64…]". The first key seals,
// all open, the last is the oldest. Errors name a key by its position, never by its content.
func ParseKeyring(text string) (*Keyring, error) {
	ring := &Keyring{}
	seen := map[string]bool{}
	for i, entry := range strings.Split(text, ",") {
		id, encoded, ok := strings.Cut(strings.TrimSpace(entry), ":")
		if !ok || id == "" || len(id) > maxKeyID {
			return nil, fmt.Errorf("key %d is not of the form id:base64 with an id of 1 to %d characters", i+1, maxKeyID)
		}
		if seen[id] {
			return nil, fmt.Errorf("key %d has the id of an earlier key", i+1)
		}
		seen[id] = true
		secret, err := base64.StdEncoding.DecodeString(encoded)
		if err != nil {
			return nil, fmt.Errorf("key %d is not valid base64", i+1)
		}
		if len(secret) != KeySize {
			return nil, fmt.Errorf("key %d has %d bytes instead of %d", i+1, len(secret), KeySize)
		}
		key, err := newMasterKey(id, secret)
		if err != nil {
			return nil, fmt.Errorf("key %d: %w", i+1, err)
		}
		ring.keys = append(ring.keys, key)
	}
	return ring, nil
}

// NewKey makes a random master key in the form ParseKeyring reads.
func NewKey(id string) string {
	secret := make([]byte, KeySize)
	_, _ = rand.Read(secret) // never fails: the program ends first
	return id + ":" + base64.StdEncoding.EncodeToString(secret)
}

func newMasterKey(id string, secret []byte) (masterKey, error) {
	key := masterKey{id: id}
	var sealing []byte
	for purpose, into := range map[string]*[]byte{
		"seal":         &sealing,
		"order ids":    &key.orderIDs,
		"order tokens": &key.orderTokens,
		"fingerprints": &key.fingerprints,
		"blind index":  &key.indexes,
		"member codes": &key.memberCodes,
	} {
		derived, err := hkdf.Key(sha256.New, secret, nil, "boxoffice "+purpose, KeySize)
		if err != nil {
			return masterKey{}, err
		}
		*into = derived
	}
	block, err := aes.NewCipher(sealing)
	if err != nil {
		return masterKey{}, err
	}
	key.aead, err = cipher.NewGCM(block)
	return key, err
}

// oldest is the key from which everything that must not change is derived.
func (k *Keyring) oldest() masterKey { return k.keys[len(k.keys)-1] }

// Seal encrypts plain. What it returns opens only with the same binding, which
// says what the data is and where it belongs. The layout is: the byte Format,
// the length of the key's id, the id, a nonce of 12 random bytes, the ciphertext with its tag.
func (k *Keyring) Seal(plain, binding []byte) ([]byte, error) {
	key := k.keys[0]
	head := 2 + len(key.id)
	sealed := make([]byte, head+nonceSize, head+nonceSize+len(plain)+tagSize)
	sealed[0], sealed[1] = Format, byte(len(key.id))
	copy(sealed[2:], key.id)
	if _, err := rand.Read(sealed[head:]); err != nil {
		return nil, err
	}
	return key.aead.Seal(sealed, sealed[head:], plain, bound(sealed[:head], binding)), nil
}

// Open decrypts what Seal made, with whichever key of the ring sealed it.
// Errors: ErrNotSealed, ErrUnknownKey, ErrTampered.
func (k *Keyring) Open(sealed, binding []byte) ([]byte, error) {
	if len(sealed) < 2 || sealed[0] != Format {
		return nil, ErrNotSealed
	}
	head := 2 + int(sealed[1])
	if len(sealed) < head+nonceSize+tagSize {
		return nil, ErrNotSealed
	}
	for _, key := range k.keys {
		if key.id != string(sealed[2:head]) {
			continue
		}
		plain, err := key.aead.Open(nil, sealed[head:head+nonceSize], sealed[head+nonceSize:], bound(sealed[:head], binding))
		if err != nil {
			return nil, ErrTampered
		}
		return plain, nil
	}
	return nil, ErrUnknownKey
}

// bound covers the head by the tag as well, so that no byte of sealed data can be changed unseen.
func bound(head, binding []byte) []byte {
	return append(append(make([]byte, 0, len(head)+len(binding)), head...), binding...)
}

// String implements fmt.Stringer without the keys.
func (k *Keyring) String() string { return fmt.Sprintf("keyring of %d", len(k.keys)) }

// GoString implements fmt.GoStringer without the keys.
func (k *Keyring) GoString() string { return k.String() }

// LogValue implements slog.LogValuer without the keys.
func (k *Keyring) LogValue() slog.Value { return slog.StringValue(k.String()) }
