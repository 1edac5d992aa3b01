package alipay

import (
	"crypto"
	"crypto/md5" //nolint:gosec // the gateway's way to name a certificate
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/smartwalle/alipay/v3"
	"github.com/smartwalle/nsign"

	"github.com/boxoffice/boxoffice/payment/gatewayclient"
)

// trusted is a key of the gateway; a certificate's has a beginning and an end.
type trusted struct {
	alipay.Verifier

	from, until time.Time
}

// valid says whether the key is believed at a moment.
func (t trusted) valid(at time.Time) bool {
	return t.until.IsZero() || !at.Before(t.from) && !at.After(t.until)
}

// verifier verifies with whatever key of the gateway fits now: during a rotation there are two, and plain keys have no
// names by which messages could tell them apart.
type verifier Provider

func (v *verifier) VerifyBytes(data, signature []byte, opts ...nsign.SignOption) error {
	return (*Provider)(v).believe(v.config.Now(), func(t alipay.Verifier) error { return t.VerifyBytes(data, signature, opts...) })
}

func (v *verifier) VerifyValues(values url.Values, signature []byte, opts ...nsign.SignOption) error {
	return (*Provider)(v).believe(v.config.Now(), func(t alipay.Verifier) error { return t.VerifyValues(values, signature, opts...) })
}

var errNotSigned = errors.New("no key of the gateway fits")

// believe tries the keys that are valid at a moment.
func (p *Provider) believe(at time.Time, verified func(alipay.Verifier) error) error {
	for _, t := range p.gateway {
		if t.valid(at) && verified(t) == nil {
			return nil
		}
	}
	return errNotSigned
}

// learn reads the gateway's keys and returns the serial numbers under which messages may name them.
func (p *Provider) learn(own *rsa.PrivateKey) (serials []string, err error) {
	c := &p.config
	switch {
	case len(c.PublicKeys) == 0 && blank(c.Certificates):
		return nil, errors.New("a public key or certificate of the gateway is required: its messages cannot be verified without")
	case len(c.PublicKeys) > 0 && !blank(c.Certificates):
		return nil, errors.New("public keys and certificates exclude each other: an application uses one of them")
	case len(c.PublicKeys) > 0:
		return nil, p.learnKeys(own)
	}
	return p.learnCertificates(own)
}

func (p *Provider) learnKeys(own *rsa.PrivateKey) error {
	var mistakes []error
	for i, file := range p.config.PublicKeys {
		der, err := decoded(file)
		if err != nil {
			mistakes = append(mistakes, fmt.Errorf("the gateway's public key %d: %w", i+1, err))
			continue
		}
		parsed, err := x509.ParsePKIXPublicKey(der)
		key, ok := gatewayclient.Verifying(parsed)
		switch {
		case err != nil || !ok:
			mistakes = append(mistakes, fmt.Errorf("the gateway's public key %d is no RSA key of %d bits", i+1, gatewayclient.MinimalBits))
		case own != nil && key.Equal(&own.PublicKey):
			mistakes = append(mistakes, fmt.Errorf("the gateway's public key %d is our own: its page shows both, side by side", i+1))
		default:
			p.trust(key, time.Time{}, time.Time{})
		}
	}
	return errors.Join(mistakes...)
}

func (p *Provider) learnCertificates(own *rsa.PrivateKey) (serials []string, err error) {
	var mistakes []error
	certificates, err := parsed(p.config.Certificates)
	if err != nil {
		mistakes = append(mistakes, fmt.Errorf("the gateway's certificates: %w", err))
	}
	for _, c := range certificates {
		key, ok := gatewayclient.Verifying(c.PublicKey)
		if !ok {
			mistakes = append(mistakes, fmt.Errorf("the gateway's certificate %s has no RSA key of %d bits", c.SerialNumber, gatewayclient.MinimalBits))
			continue
		}
		sum := md5.Sum([]byte(c.Issuer.String() + c.SerialNumber.String())) //nolint:gosec // see above
		serials = append(serials, hex.EncodeToString(sum[:]))
		p.trust(key, c.NotBefore, c.NotAfter)
	}
	ours, err := parsed(p.config.AppCertificate)
	switch {
	case err != nil || len(ours) != 1:
		mistakes = append(mistakes, errors.New("our application's certificate is required beside the gateway's, in PEM"))
	case own != nil && !own.PublicKey.Equal(ours[0].PublicKey):
		mistakes = append(mistakes, errors.New("our application's certificate is not for our key"))
	}
	if roots, err := parsed(p.config.Roots); err != nil && len(roots) == 0 { // one of the real ones is not RSA and cannot be read
		mistakes = append(mistakes, errors.New("the gateway's root certificates are required beside its certificate, in PEM"))
	}
	return serials, errors.Join(mistakes...)
}

func (p *Provider) trust(key *rsa.PublicKey, from, until time.Time) {
	p.gateway = append(p.gateway, trusted{
		Verifier: nsign.New(nsign.WithMethod(nsign.NewRSAMethod(crypto.SHA256, nil, key)), nsign.WithEncoder(alipay.Encoder{})),
		from:     from, until: until,
	})
}

// parsed reads the certificates of a file. Those it cannot read are in the error, the others are returned, too.
func parsed(file []byte) (certificates []*x509.Certificate, err error) {
	var mistakes []error
	for rest := file; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			if !blank(rest) || len(certificates)+len(mistakes) == 0 {
				mistakes = append(mistakes, errors.New("not PEM"))
			}
			return certificates, errors.Join(mistakes...)
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			mistakes = append(mistakes, err)
			continue
		}
		certificates = append(certificates, c)
	}
}

// decoded reads PEM, or the base64 without lines around it that the gateway's pages show.
func decoded(file []byte) (der []byte, err error) {
	if block, _ := pem.Decode(file); block != nil {
		return block.Bytes, nil
	}
	bare := strings.Join(strings.Fields(string(file)), "")
	if der, err = base64.StdEncoding.DecodeString(bare); err != nil || len(der) == 0 {
		return nil, errors.New("required, in PEM or base64") // the decoder's words may quote a key
	}
	return der, nil
}

func privateKey(file []byte) (*rsa.PrivateKey, error) {
	der, err := decoded(file)
	if err != nil {
		return nil, fmt.Errorf("our key: %w", err)
	}
	return gatewayclient.PrivateKey(der)
}
