package unionpay

import (
	"crypto/x509"
	"encoding/pem"
	"maps"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/boxoffice/boxoffice/payment"
	"github.com/boxoffice/boxoffice/ticketing"
)

// The genuine messages in testdata prove that we read and verify what UnionPay really sends.

// genuineAt is when the certificate that signed them was valid.
var genuineAt = time.Date(2024, 1, 6, 0, 0, 0, 0, time.UTC)

// golden is a provider that believes the certificate of the test environment and nothing else.
func golden(t *testing.T) *Provider {
	t.Helper()
	pinned, err := certificates(read(t, "signer.cer"))
	require.NoError(t, err)
	return &Provider{
		config: withDefaults(Config{Merchant: "777290058167151"}),
		trust:  trust{roots: pinned, names: withDefaults(Config{}).SignerNames},
	}
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	content, err := os.ReadFile("testdata/" + name)
	require.NoError(t, err)
	return content
}

// genuine is a message of testdata as it was sent, unescaped.
func genuine(t *testing.T, name string) string {
	t.Helper()
	certificate := strings.ReplaceAll(strings.TrimSpace(string(read(t, "signer.cer"))), "\n", "\r\n")
	message := strings.TrimSpace(string(read(t, name)))
	require.Contains(t, message, "&signature=")
	return strings.Replace(message, "&signature=", "&signPubKeyCert="+certificate+"&signature=", 1)
}

func TestGenuineMessagesAreVerified(t *testing.T) {
	p := golden(t)
	for _, name := range []string{"callback_paid.txt", "answer_query.txt", "answer_refund.txt"} {
		t.Run(name, func(t *testing.T) {
			f, err := parseAnswer(genuine(t, name))
			require.NoError(t, err)
			require.NoError(t, p.verify(f, genuineAt))
			for field := range f {
				altered := maps.Clone(f)
				altered[field] += " "
				require.Error(t, p.verify(altered, genuineAt), field)
				delete(altered, field)
				require.Error(t, p.verify(altered, genuineAt), field)
			}
			f["another"] = ""
			require.Error(t, p.verify(f, genuineAt), "a field more")
		})
	}
}

func TestHazard29AGenuineCertificateIsBelievedToTheSecond(t *testing.T) {
	p := golden(t)
	f, err := parseAnswer(genuine(t, "answer_query.txt"))
	require.NoError(t, err)
	from, until := time.Date(2020, 7, 31, 1, 19, 16, 0, time.UTC), time.Date(2025, 7, 31, 1, 19, 16, 0, time.UTC)
	for at, valid := range map[time.Time]bool{
		from.Add(-time.Second): false, from: true, until: true, until.Add(time.Second): false,
	} {
		for _, zone := range []*time.Location{time.UTC, beijing} {
			require.Equal(t, valid, p.verify(f, at.In(zone)) == nil, at)
		}
	}
}

func TestAGenuineAnswerIsRead(t *testing.T) {
	p := golden(t)
	f, err := parseAnswer(genuine(t, "answer_query.txt"))
	require.NoError(t, err)
	status, err := p.status(f, f["origRespCode"], genuineAt)
	require.NoError(t, err)
	require.Equal(t, payment.Status{
		Number: "pay20240105145046", GatewayID: "442401051450467846498", State: payment.StatePaid,
		Captured: ticketing.Money{Amount: 1, Currency: "CNY"}, At: time.Date(2024, 1, 5, 6, 50, 46, 0, time.UTC),
	}, status)
}

func TestAGenuineCallbackIsRead(t *testing.T) {
	p := golden(t)
	notice, err := p.ParseCallback(formHeader(), genuineForm(t, "callback_paid.txt"), genuineAt)
	require.NoError(t, err)
	require.Equal(t, payment.Notice{
		Provider: "unionpay", EventID: "01-yansongda20220908132206-20220908132206-782209081322060674028-00", Kind: payment.NoticePayment,
		Payment: payment.Status{
			Number: "yansongda20220908132206", GatewayID: "782209081322060674028", State: payment.StatePaid,
			Captured: ticketing.Money{Amount: 1, Currency: "CNY"}, At: time.Date(2022, 9, 8, 5, 22, 6, 0, time.UTC),
		},
	}, notice)
}

// A refund's acceptance and the answer to a query are signed as callbacks are, and say 00, too.
func TestGenuineAnswersAreNoCallbacks(t *testing.T) {
	p := golden(t)
	for _, name := range []string{"answer_query.txt", "answer_refund.txt"} {
		notice, err := p.ParseCallback(formHeader(), genuineForm(t, name), genuineAt)
		require.ErrorIs(t, err, payment.ErrMalformed, name)
		require.Zero(t, notice)
	}
}

func TestTheGenuineCertificateNeedsItsNameAndItsChain(t *testing.T) {
	p := golden(t)
	text := strings.TrimSpace(string(read(t, "signer.cer")))
	block, _ := pem.Decode([]byte(text))
	certificate, err := x509.ParseCertificate(block.Bytes)
	require.NoError(t, err)
	require.Equal(t, "041@8310000000083040@中国银联股份有限公司@00016495", certificate.Subject.CommonName)
	for name, test := range map[string]struct {
		names    []string
		believed bool
	}{
		"the company":    {[]string{"another", "中国银联股份有限公司"}, true},
		"the whole name": {[]string{certificate.Subject.CommonName}, true},
		"part of it":     {[]string{"中国银联", "041", "8310000000083040", "00016495", ""}, false},
		"nobody":         {nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			p.trust.names = test.names
			_, err := p.trust.signer(text, genuineAt)
			require.Equal(t, test.believed, err == nil, err)
		})
	}
	p.trust = trust{names: []string{"中国银联股份有限公司"}, sha1: true}
	_, err = p.trust.signer(text, genuineAt)
	require.Error(t, err, "no root")
}

func formHeader() http.Header {
	return http.Header{"Content-Type": {"application/x-www-form-urlencoded;charset=UTF-8"}}
}

// genuineForm is a message of testdata, escaped as callbacks are.
func genuineForm(t *testing.T, name string) []byte {
	t.Helper()
	f, err := parseAnswer(genuine(t, name))
	require.NoError(t, err)
	form := url.Values{}
	for name, value := range f {
		form.Set(name, value)
	}
	return []byte(form.Encode())
}
