package encryption_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/boxoffice/boxoffice/encryption"
)

func ring(t testing.TB, keys ...string) *encryption.Keyring {
	t.Helper()
	r, err := encryption.ParseKeyring(strings.Join(keys, ","))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

var (
	oldKey = encryption.NewKey("old")
	newKey = encryption.NewKey("new")
)

func TestParseKeyringRefusesWithoutRepeatingKeys(t *testing.T) {
	secret := strings.SplitN(oldKey, ":", 2)[1]
	for name, text := range map[string]string{
		"nothing":        "",
		"no id":          secret,
		"empty id":       ":" + secret,
		"long id":        strings.Repeat("k", 33) + ":" + secret,
		"not base64":     "k:" + strings.Repeat("!", 44),
		"short key":      "k:" + base64.StdEncoding.EncodeToString(make([]byte, 16)),
		"same id twice":  oldKey + "," + oldKey,
		"trailing comma": oldKey + ",",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := encryption.ParseKeyring(text)
			if err == nil || strings.Contains(err.Error(), secret) {
				t.Errorf("error %v", err)
			}
		})
	}
}

func TestSealedDataOpensOnlyAsItWasSealed(t *testing.T) {
	r := ring(t, oldKey)
	sealed, err := r.Seal([]byte("Mei"), []byte("orders.buyer_name"))
	if err != nil {
		t.Fatal(err)
	}
	if sealed[0] != encryption.Format || string(sealed[2:5]) != "old" || bytes.Contains(sealed, []byte("Mei")) {
		t.Errorf("sealed %x", sealed)
	}
	if plain, err := r.Open(sealed, []byte("orders.buyer_name")); err != nil || string(plain) != "Mei" {
		t.Errorf("opened %q, %v", plain, err)
	}
	if _, err := r.Open(sealed, []byte("orders.buyer_email")); !errors.Is(err, encryption.ErrTampered) {
		t.Errorf("opened in another place: %v", err)
	}
	if _, err := ring(t, newKey).Open(sealed, []byte("orders.buyer_name")); !errors.Is(err, encryption.ErrUnknownKey) {
		t.Errorf("opened without the key: %v", err)
	}
	again, err := r.Seal([]byte("Mei"), []byte("orders.buyer_name"))
	if err != nil || bytes.Equal(sealed, again) {
		t.Error("sealing twice gives the same")
	}
}

func TestNoChangedByteOpens(t *testing.T) {
	r := ring(t, oldKey)
	rapid.Check(t, func(t *rapid.T) {
		plain := rapid.SliceOf(rapid.Byte()).Draw(t, "plain")
		sealed, err := r.Seal(plain, []byte("here"))
		if err != nil {
			t.Fatal(err)
		}
		if opened, err := r.Open(sealed, []byte("here")); err != nil || !bytes.Equal(opened, plain) {
			t.Fatalf("opened %q, %v", opened, err)
		}
		changed := bytes.Clone(sealed)
		changed[rapid.IntRange(0, len(sealed)-1).Draw(t, "at")] ^= byte(rapid.IntRange(1, 255).Draw(t, "by"))
		if _, err := r.Open(changed, []byte("here")); err == nil {
			t.Fatal("a changed byte opens")
		}
		if _, err := r.Open(sealed[:rapid.IntRange(0, len(sealed)-1).Draw(t, "length")], []byte("here")); err == nil {
			t.Fatal("a part opens")
		}
	})
}

func TestOpeningRubbishFails(t *testing.T) {
	r := ring(t, oldKey)
	rapid.Check(t, func(t *rapid.T) {
		if _, err := r.Open(rapid.SliceOf(rapid.Byte()).Draw(t, "rubbish"), nil); err == nil {
			t.Fatal("rubbish opens")
		}
	})
}

func TestHazard28RotationKeepsWhatIsThere(t *testing.T) {
	before, after := ring(t, oldKey), ring(t, newKey, oldKey)
	sealed, err := before.Seal([]byte("Mei"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if plain, err := after.Open(sealed, nil); err != nil || string(plain) != "Mei" {
		t.Errorf("sealed before: %q, %v", plain, err)
	}
	if sealed, err = after.Seal([]byte("Mei"), nil); err != nil || string(sealed[2:5]) != "new" {
		t.Errorf("sealed after with %q, %v", sealed[2:5], err)
	}
	if before.OrderID("a@b.example", "key") != after.OrderID("a@b.example", "key") {
		t.Error("the same intent became another order")
	}
	if !bytes.Equal(before.BlindIndex("p", "v"), after.BlindIndex("p", "v")) {
		t.Error("the blind index changed")
	}
	if before.Fingerprint([]byte("x")) != after.Fingerprint([]byte("x")) {
		t.Error("the fingerprint changed")
	}
	id := encryption.NewNumber()
	if before.MemberCode(id) != after.MemberCode(id) {
		t.Error("a member got another code")
	}
	if !after.VerifyOrderToken(id, before.OrderToken(id)) || !after.VerifyOrderToken(id, after.OrderToken(id)) {
		t.Error("a token was refused during the overlap")
	}
	if ring(t, newKey).VerifyOrderToken(id, before.OrderToken(id)) {
		t.Error("a token outlives its key")
	}
}

func TestOrderIdentity(t *testing.T) {
	r := ring(t, oldKey)
	id := r.OrderID("Mei@Example.com", "key-1")
	if id != r.OrderID(" mei@example.com ", "key-1") {
		t.Error("capitals in the address make another order")
	}
	if id == r.OrderID("mei@example.com", "key-2") || id == r.OrderID("lin@example.com", "key-1") {
		t.Error("another intent is the same order")
	}
	for _, number := range []string{id, encryption.NewNumber()} {
		if len(number) != encryption.NumberLength || strings.Trim(number, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
			t.Errorf("number %q", number)
		}
	}
	if first, second := encryption.NewNumber(), encryption.NewNumber(); first == second {
		t.Error("numbers repeat")
	}
	token := r.OrderToken(id)
	other := encryption.NewNumber()
	for name, wrong := range map[string]string{"empty": "", "short": token[:10], "other order's": r.OrderToken(other), "rubbish": "???", "padded": token + "="} {
		if r.VerifyOrderToken(id, wrong) {
			t.Errorf("%s token is accepted", name)
		}
	}
	if !r.VerifyOrderToken(id, token) {
		t.Error("the token is refused")
	}
}

func TestMemberCodesAreTheirMembersOwn(t *testing.T) {
	id, other := encryption.NewNumber(), encryption.NewNumber()
	code := ring(t, oldKey).MemberCode(id)
	if len(code) != encryption.NumberLength || strings.Trim(code, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
		t.Errorf("code %q", code)
	}
	if code == ring(t, oldKey).MemberCode(other) || code == ring(t, newKey).MemberCode(id) || strings.Contains(code, id) {
		t.Error("the code is not a secret of the member and the key")
	}
}

func TestKeyringPrintsNothing(t *testing.T) {
	r := ring(t, oldKey)
	secret := strings.SplitN(oldKey, ":", 2)[1]
	raw, err := base64.StdEncoding.DecodeString(secret)
	if err != nil {
		t.Fatal(err)
	}
	for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
		if printed := fmt.Sprintf(format, r); strings.Contains(printed, secret) || strings.Contains(printed, string(raw)) {
			t.Errorf("%s prints %q", format, printed)
		}
	}
}
