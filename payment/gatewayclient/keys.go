package gatewayclient

import (
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"regexp"
)

// MinimalBits is the shortest RSA key that is used or believed.
const MinimalBits = 2048

// PrivateKey reads our RSA key, in PKCS#1 or PKCS#8. Its errors say what is wrong with "our key" and quote nothing of it.
func PrivateKey(der []byte) (*rsa.PrivateKey, error) {
	if key, err := x509.ParsePKCS1PrivateKey(der); err == nil {
		return RSA(key)
	}
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, errors.New("our key is neither PKCS#1 nor PKCS#8") // the parser's words may quote the key
	}
	return RSA(key)
}

// RSA is our key if it is an RSA key that is long enough.
func RSA(key any) (*rsa.PrivateKey, error) {
	private, ok := key.(*rsa.PrivateKey)
	if !ok {
		return nil, errors.New("our key is not RSA")
	}
	if private.N.BitLen() < MinimalBits {
		return nil, fmt.Errorf("our key has %d bits, fewer than %d", private.N.BitLen(), MinimalBits)
	}
	return private, nil
}

// Verifying is a gateway's key, and whether it is an RSA key that is long enough to be believed.
func Verifying(key any) (*rsa.PublicKey, bool) {
	public, ok := key.(*rsa.PublicKey)
	return public, ok && public.N.BitLen() >= MinimalBits
}

var nameShape = regexp.MustCompile(`^[a-z0-9-]{1,32}$`)

// CheckName says what is wrong with a provider's name, which stands in addresses and rows.
func CheckName(name string) error {
	if !nameShape.MatchString(name) {
		return fmt.Errorf("name %q must be 1 to 32 of [a-z0-9-]", name)
	}
	return nil
}
