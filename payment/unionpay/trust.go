package unionpay

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // only where Config.AcceptSHA1 asks for it
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/boxoffice/boxoffice/payment/gatewayclient"
)

// trust decides which certificate inside a message is the gateway's.
type trust struct {
	roots, intermediates []*x509.Certificate
	names                []string
	sha1                 bool
}

// signer is the key of a message's certificate, if the certificate is UnionPay's and valid now. That a certificate
// authority vouches for it is not enough: it vouches for every merchant, too.
func (t trust) signer(text string, now time.Time) (*rsa.PublicKey, error) {
	block, rest := pem.Decode([]byte(text))
	if block == nil || block.Type != "CERTIFICATE" || strings.TrimSpace(string(rest)) != "" || !strings.HasPrefix(text, "-----BEGIN") {
		return nil, errors.New("no certificate")
	}
	leaf, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("certificate: %w", err)
	}
	key, ok := gatewayclient.Verifying(leaf.PublicKey)
	if !ok {
		return nil, errors.New("certificate without an RSA key of a safe length")
	}
	if leaf.KeyUsage != 0 && leaf.KeyUsage&x509.KeyUsageDigitalSignature == 0 {
		return nil, errors.New("certificate is not for signing")
	}
	if !t.named(leaf.Subject.CommonName) {
		return nil, fmt.Errorf("certificate of %q", leaf.Subject.CommonName)
	}
	return key, t.vouched(leaf, now)
}

// named says whether a common name is one of those accepted. UnionPay's are four parts joined by "@", of which the
// third names who signs; an accepted name is this part or the whole.
func (t trust) named(common string) bool {
	parts := strings.Split(common, "@")
	return slices.Contains(t.names, common) || len(parts) == 4 && slices.Contains(t.names, parts[2])
}

// vouched says whether a chain of valid certificates leads from a certificate to a root.
func (t trust) vouched(leaf *x509.Certificate, now time.Time) error {
	_, err := leaf.Verify(x509.VerifyOptions{
		Roots: pool(t.roots), Intermediates: pool(t.intermediates), CurrentTime: now,
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	})
	if err != nil && t.sha1 && len(leaf.UnhandledCriticalExtensions) == 0 && t.climbs(leaf, now, len(t.intermediates)) {
		return nil
	}
	return err
}

// climbs does what Verify does, but takes SHA-1, which Verify has refused since Go 1.18. UnionPay's own certificates are
// signed with it.
func (t trust) climbs(child *x509.Certificate, now time.Time, steps int) bool {
	if now.Before(child.NotBefore) || now.After(child.NotAfter) {
		return false
	}
	if slices.ContainsFunc(t.roots, child.Equal) {
		return true
	}
	above := slices.Clone(t.roots)
	if steps > 0 {
		above = append(above, t.intermediates...)
	}
	return slices.ContainsFunc(above, func(parent *x509.Certificate) bool {
		return parent.IsCA && string(parent.RawSubject) == string(child.RawIssuer) && signedBy(child, parent) && t.climbs(parent, now, steps-1)
	})
}

func signedBy(child, parent *x509.Certificate) bool {
	if child.SignatureAlgorithm != x509.SHA1WithRSA {
		return child.CheckSignatureFrom(parent) == nil
	}
	key, ok := parent.PublicKey.(*rsa.PublicKey)
	digest := sha1.Sum(child.RawTBSCertificate) //nolint:gosec // as above
	return ok && parent.KeyUsage&x509.KeyUsageCertSign != 0 && rsa.VerifyPKCS1v15(key, crypto.SHA1, digest[:], child.Signature) == nil
}

func pool(certificates []*x509.Certificate) *x509.CertPool {
	p := x509.NewCertPool()
	for _, c := range certificates {
		p.AddCert(c)
	}
	return p
}

// certificates reads a bundle in PEM.
func certificates(bundle []byte) ([]*x509.Certificate, error) {
	var all []*x509.Certificate
	for {
		block, rest := pem.Decode(bundle)
		if block == nil {
			if strings.TrimSpace(string(bundle)) != "" {
				return nil, errors.New("is not PEM")
			}
			return all, nil
		}
		if block.Type != "CERTIFICATE" {
			return nil, fmt.Errorf("holds a %s", strings.ToLower(block.Type))
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		all, bundle = append(all, c), rest
	}
}
