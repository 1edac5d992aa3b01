package unionpay

import (
	"archive/zip"
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/boxoffice/boxoffice/payment"
	"github.com/boxoffice/boxoffice/ticketing"
)

var billDay = time.Date(2026, 1, 1, 0, 0, 0, 0, settlement)

// zmLine is a line of a ZM file with some of its columns filled.
func zmLine(columns map[int]string) string {
	line := make([]string, len(zmWidths))
	for i, width := range zmWidths {
		line[i] = fmt.Sprintf("%-*s", width, columns[i])
	}
	return strings.Join(line, " ")
}

func zmPayment() map[int]string {
	return map[int]string{
		zmTime: "1231230000", zmAmount: "000000038000", zmQueryID: "442512312300007846498", zmOrderID: "1NG0DJ0ABCDEFGHJKMNPQRSTVW",
		zmFee: "D000000000228", zmKind: "01", zmMerchant: "777290058167151",
	}
}

func TestALineOfTheFileIsRead(t *testing.T) {
	p := golden(t)
	lines, err := p.lines([]byte(zmLine(zmPayment())+"\r\n"), billDay)
	require.NoError(t, err)
	require.Equal(t, []payment.BillLine{{
		Kind: payment.NoticePayment, Number: "1NG0DJ0ABCDEFGHJKMNPQRSTVW", GatewayID: "442512312300007846498",
		Amount: ticketing.Money{Amount: 38_000, Currency: "CNY"}, Fee: ticketing.Money{Amount: 228, Currency: "CNY"},
		At: time.Date(2025, 12, 31, 15, 0, 0, 0, time.UTC), // the last hour of the old year is the new year's bill
	}}, lines)

	back := zmPayment()
	back[zmKind], back[zmFee], back[zmReserved], back[zmTime] = "04", "C000000000228", "1NG0DJ0PAYMENT000000000000", "0101225959"
	lines, err = p.lines([]byte(zmLine(back)), billDay) // the last line may lack its end
	require.NoError(t, err)
	require.Equal(t, payment.NoticeRefund, lines[0].Kind)
	require.Equal(t, "1NG0DJ0PAYMENT000000000000", lines[0].Number)
	require.Equal(t, "1NG0DJ0ABCDEFGHJKMNPQRSTVW", lines[0].RefundID)
	require.Equal(t, int64(-38_000), lines[0].Amount.Amount)
	require.Equal(t, int64(-228), lines[0].Fee.Amount)
	require.Equal(t, time.Date(2026, 1, 1, 14, 59, 59, 0, time.UTC), lines[0].At)
}

func TestARefundOfAnothersHasNoNumberOfOurs(t *testing.T) {
	p := golden(t)
	back := zmPayment()
	back[zmKind], back[zmReserved] = "04", "\xcd\xb8\xb4\xab|1" // in GBK
	lines, err := p.lines([]byte(zmLine(back)), billDay)
	require.NoError(t, err)
	require.Empty(t, lines[0].Number)
	require.NotEmpty(t, lines[0].RefundID)
}

func TestHazard27LinesThatAreOddAreRefused(t *testing.T) {
	p := golden(t)
	whole := zmLine(zmPayment())
	with := func(column int, value string) string {
		columns := zmPayment()
		columns[column] = value
		return zmLine(columns)
	}
	for name, test := range map[string]struct {
		line string
		want error
	}{
		"one byte short":       {whole[:len(whole)-1], payment.ErrTruncatedBill},
		"half a line":          {whole[:len(whole)/2], payment.ErrTruncatedBill},
		"one letter":           {"S", payment.ErrTruncatedBill},
		"cut after a column":   {whole[:3], payment.ErrTruncatedBill},
		"more columns":         {whole + " x", payment.ErrTruncatedBill},
		"another merchant":     {with(zmMerchant, "777290058110097"), payment.ErrUnavailable},
		"another kind":         {with(zmKind, "02"), payment.ErrUnavailable},
		"no amount":            {with(zmAmount, ""), payment.ErrUnavailable},
		"a negative amount":    {with(zmAmount, "-00000038000"), payment.ErrUnavailable},
		"nothing":              {with(zmAmount, "000000000000"), payment.ErrUnavailable},
		"no fee":               {with(zmFee, ""), payment.ErrUnavailable},
		"a fee without a sign": {with(zmFee, "0000000000228"), payment.ErrUnavailable},
		"a fee of two signs":   {with(zmFee, "DD00000000228"), payment.ErrUnavailable},
		"a negative fee":       {with(zmFee, "D-00000000228"), payment.ErrUnavailable},
		"no time":              {with(zmTime, ""), payment.ErrUnavailable},
		"no number":            {with(zmOrderID, ""), payment.ErrUnavailable},
		"bytes for a number":   {with(zmOrderID, "\xcd\xb8\xb4\xab"), payment.ErrUnavailable},
		"no gateway's id":      {with(zmQueryID, ""), payment.ErrUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			lines, err := p.lines([]byte(whole+"\n"+test.line+"\n"), billDay)
			require.ErrorIs(t, err, test.want)
			require.Empty(t, lines)
		})
	}
}

// packed is a file as an answer holds it.
func packed(t testing.TB, name, content string) string {
	t.Helper()
	var archive, deflated bytes.Buffer
	z := zip.NewWriter(&archive)
	w, err := z.Create(name)
	require.NoError(t, err)
	_, err = w.Write([]byte(content))
	require.NoError(t, err)
	require.NoError(t, z.Close())
	d := zlib.NewWriter(&deflated)
	_, err = d.Write(archive.Bytes())
	require.NoError(t, err)
	require.NoError(t, d.Close())
	return base64.StdEncoding.EncodeToString(deflated.Bytes())
}

func TestHazard27FilesThatCannotBeUnpackedAreTruncated(t *testing.T) {
	whole := packed(t, "INN26010188ZM_777290058167151", zmLine(zmPayment()))
	content, err := unpack(whole, "ZM_777290058167151")
	require.NoError(t, err)
	require.Equal(t, zmLine(zmPayment()), string(content))
	var notZip bytes.Buffer
	d := zlib.NewWriter(&notZip)
	_, err = d.Write([]byte("not an archive"))
	require.NoError(t, err)
	require.NoError(t, d.Close())
	for name, odd := range map[string]string{
		"nothing":              "",
		"half of it":           whole[:len(whole)/2],
		"without its checksum": whole[:len(whole)-8],
		"not base64":           "!" + whole,
		"not deflated":         base64.StdEncoding.EncodeToString([]byte("PK\x03\x04")),
		"not an archive":       base64.StdEncoding.EncodeToString(notZip.Bytes()),
		"another merchant's":   packed(t, "INN26010188ZM_777290058110097", ""),
		"the other file only":  packed(t, "INN26010188ZME_777290058167151", ""),
	} {
		_, err := unpack(odd, "ZM_777290058167151")
		require.Error(t, err, name)
	}
}

func TestHazard31AFileThatUnpacksWithoutEndIsRefused(t *testing.T) {
	if testing.Short() {
		t.Skip("unpacks 256 MiB")
	}
	var bomb bytes.Buffer
	d := zlib.NewWriter(&bomb)
	block := make([]byte, 1<<20)
	for range maxBill>>20 + 1 {
		_, err := d.Write(block)
		require.NoError(t, err)
	}
	require.NoError(t, d.Close())
	require.Less(t, bomb.Len(), 1<<20)
	_, err := unpack(base64.StdEncoding.EncodeToString(bomb.Bytes()), "ZM_")
	require.ErrorContains(t, err, "more than")
}

// FuzzBill: no file makes reading panic, and what is read is money that moved.
func FuzzBill(f *testing.F) {
	f.Add([]byte(zmLine(zmPayment()) + "\r\n"))
	f.Add([]byte(strings.Repeat(zmLine(zmPayment())+"\n", 3)[:1500]))
	f.Add([]byte("\xff\xfe\r\n\r\n"))
	p := &Provider{config: withDefaults(Config{Merchant: "777290058167151"})}
	f.Fuzz(func(t *testing.T, file []byte) {
		lines, err := p.lines(file, billDay)
		if err != nil {
			require.Nil(t, lines)
			return
		}
		for _, line := range lines {
			require.NotZero(t, line.Amount.Amount)
			require.False(t, line.At.IsZero())
		}
	})
}

// FuzzAnswer: what is read of an answer is all that stands in it, once.
func FuzzAnswer(f *testing.F) {
	f.Add("respCode=00&respMsg=成功[0000000]&customerInfo={a=1&b=2}&signature=x==")
	f.Add("a={{&b=}}&c")
	f.Fuzz(func(t *testing.T, body string) {
		read, err := parseAnswer(body)
		if err != nil {
			require.Nil(t, read)
			return
		}
		length := len(read) - 1 // the separators
		for name, value := range read {
			length += len(name) + 1 + len(value)
		}
		require.Equal(t, len(body), length)
	})
}
