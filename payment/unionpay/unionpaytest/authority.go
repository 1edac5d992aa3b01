package unionpaytest

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"time"

	"software.sslmate.com/src/go-pkcs12"
)

// SignerCommonName is the common name in the gateway's certificate.
const SignerCommonName = "041@8310000000083040@中国银联股份有限公司@00016495"

const keyBits = 2048

// Authority is a certificate authority, made for the occasion.
type Authority struct {
	root, intermediate *Identity
}

// Identity is a certificate and its key.
type Identity struct {
	Certificate *x509.Certificate
	Key         *rsa.PrivateKey
}

// NewAuthority makes an authority that is valid for ten years around now.
func NewAuthority(now time.Time) (*Authority, error) {
	const years = 5 * 365 * 24 * time.Hour
	root, err := issue(nil, "CFCA TEST CS CA", now.Add(-years), now.Add(years), true)
	if err != nil {
		return nil, err
	}
	intermediate, err := issue(root, "CFCA TEST OCA1", now.Add(-years), now.Add(years), true)
	return &Authority{root: root, intermediate: intermediate}, err
}

// Issue makes a certificate for signing messages.
func (a *Authority) Issue(common string, from, until time.Time) (*Identity, error) {
	return issue(a.intermediate, common, from, until, false)
}

// Roots is the authority's root in PEM, Intermediates what stands between it and what it issues.
func (a *Authority) Roots() []byte         { return a.root.PEM() }
func (a *Authority) Intermediates() []byte { return a.intermediate.PEM() }

func issue(parent *Identity, common string, from, until time.Time, authority bool) (*Identity, error) {
	key, err := rsa.GenerateKey(rand.Reader, keyBits)
	if err != nil {
		return nil, err
	}
	// Forty random bits, as CFCA's serial numbers have; messages quote them in decimal.
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 36))
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: serial.Add(serial, new(big.Int).Lsh(big.NewInt(1), 36)),
		Subject:      pkix.Name{Country: []string{"CN"}, Organization: []string{"China Financial Certification Authority"}, CommonName: common},
		NotBefore:    from, NotAfter: until, BasicConstraintsValid: true, IsCA: authority,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment,
	}
	if authority {
		template.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
	}
	above := &Identity{Certificate: template, Key: key}
	if parent != nil {
		above = parent
	}
	der, err := x509.CreateCertificate(rand.Reader, template, above.Certificate, &key.PublicKey, above.Key)
	if err != nil {
		return nil, err
	}
	certificate, err := x509.ParseCertificate(der)
	return &Identity{Certificate: certificate, Key: key}, err
}

// PEM is the certificate in PEM.
func (i *Identity) PEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: i.Certificate.Raw})
}

// KeyPEM is the key in PEM, PKCS#8.
func (i *Identity) KeyPEM() ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(i.Key)
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), err
}

// PFX is both in the kind of file in which CFCA hands them out.
func (i *Identity) PFX(password string) ([]byte, error) {
	return pkcs12.Legacy.Encode(i.Key, i.Certificate, nil, password)
}
