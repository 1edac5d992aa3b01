package alipaytest

import (
	"crypto"
	"crypto/md5" //nolint:gosec // the protocol's way to name a certificate
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"math/big"
	"time"
)

// Identity is a key, and perhaps a certificate, with which the gateway or a merchant signs.
type Identity struct {
	Key         *rsa.PrivateKey
	Certificate *x509.Certificate // nil where plain keys are used
}

// NewIdentity makes a key.
func NewIdentity() (*Identity, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	return &Identity{Key: key}, err
}

// PEM is the certificate, or else the public key.
func (i *Identity) PEM() []byte {
	if i.Certificate != nil {
		return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: i.Certificate.Raw})
	}
	der, err := x509.MarshalPKIXPublicKey(&i.Key.PublicKey)
	if err != nil {
		return nil // an RSA key always can
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}

// KeyPEM is the private key, in PKCS#1.
func (i *Identity) KeyPEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(i.Key)})
}

// Serial is how messages name the certificate: a digest of who issued it and its number.
func (i *Identity) Serial() string {
	names := i.Certificate.Issuer
	issuer := fmt.Sprintf("CN=%s,OU=%s,O=%s,C=%s", names.CommonName, names.OrganizationalUnit[0], names.Organization[0], names.Country[0])
	sum := md5.Sum([]byte(issuer + i.Certificate.SerialNumber.String())) //nolint:gosec // see above
	return hex.EncodeToString(sum[:])
}

// issue gives an identity a certificate by an authority, nil for one of its own, valid between two moments.
func (i *Identity) issue(by *Identity, name string, from, until time.Time) error {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return err
	}
	template := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: name, OrganizationalUnit: []string{"Certification Authority"}, Organization: []string{"Ant Financial"}, Country: []string{"CN"}},
		NotBefore:    from, NotAfter: until, IsCA: by == nil, BasicConstraintsValid: by == nil,
	}
	parent, key := template, i.Key
	if by != nil {
		parent, key = by.Certificate, by.Key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &i.Key.PublicKey, key)
	if err != nil {
		return err
	}
	i.Certificate, err = x509.ParseCertificate(der)
	return err
}

// sign signs a text with RSA2: PKCS#1 v1.5 over SHA-256.
func (i *Identity) sign(text []byte) string {
	sum := sha256.Sum256(text)
	signature, err := rsa.SignPKCS1v15(nil, i.Key, crypto.SHA256, sum[:])
	if err != nil {
		return "" // its key is long enough
	}
	return base64.StdEncoding.EncodeToString(signature)
}
