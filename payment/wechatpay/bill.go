package wechatpay

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha1" //nolint:gosec // the gateway's choice; it comes in an answer that is signed
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/boxoffice/boxoffice/payment"
	"github.com/boxoffice/boxoffice/ticketing"
)

const (
	// billsFrom is how long after the end of a day its bill exists.
	billsFrom = 10 * time.Hour
	// maxBill bounds a bill, unpacked, in bytes: more than half a million lines.
	maxBill = 256 << 20
)

// Bill implements payment.Provider.
func (p *Provider) Bill(ctx context.Context, day time.Time) ([]payment.BillLine, error) {
	date := day.In(beijing).Format(time.DateOnly)
	var answer struct {
		HashType string `json:"hash_type"`
		Hash     string `json:"hash_value"`
		URL      string `json:"download_url"`
	}
	err := p.call(ctx, http.MethodGet, "/v3/bill/tradebill?bill_date="+date+"&bill_type=ALL&tar_type=GZIP", nil, &answer)
	switch {
	case refused(err, "NO_STATEMENT_EXIST"):
		local := day.In(beijing)
		end := time.Date(local.Year(), local.Month(), local.Day()+1, 0, 0, 0, 0, beijing)
		if p.config.Now().Before(end.Add(billsFrom)) {
			return nil, fmt.Errorf("wechatpay: bill of %s: %w", date, payment.ErrNotFound)
		}
		return nil, nil // nothing moved that day
	case refused(err, "STATEMENT_CREATING"):
		return nil, fmt.Errorf("wechatpay: bill of %s: %w", date, payment.ErrNotFound)
	case err != nil:
		return nil, err
	}
	file, err := p.fetch(ctx, answer.URL)
	if err != nil {
		return nil, fmt.Errorf("wechatpay: bill of %s: %w: %w", date, payment.ErrUnavailable, err)
	}
	text, err := unpacked(file, p.maxBill)
	if err == nil {
		err = hashes(text, answer.HashType, answer.Hash)
	}
	var lines []payment.BillLine
	if err == nil {
		lines, err = p.readBill(text)
	}
	if err != nil {
		return nil, fmt.Errorf("wechatpay: bill of %s: %w: %w", date, payment.ErrTruncatedBill, err)
	}
	return lines, nil
}

// unpacked is the text of a file of a bill, at most limit bytes of it. A file that somebody unpacked on the way is taken as it is: its
// hash decides.
func unpacked(file []byte, limit int64) ([]byte, error) {
	packed := io.Reader(bytes.NewReader(file))
	if bytes.HasPrefix(file, []byte{0x1f, 0x8b}) {
		unzipped, err := gzip.NewReader(packed)
		if err != nil {
			return nil, err
		}
		packed = unzipped
	}
	text, err := io.ReadAll(io.LimitReader(packed, limit+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("a file of %d bytes, unpacked: %w", len(file), err)
	case int64(len(text)) > limit:
		return nil, fmt.Errorf("a file of %d bytes has more than %d unpacked", len(file), limit)
	}
	return text, nil
}

// hashes says whether a text has a hash; the gateway hashes what it has not yet packed.
func hashes(text []byte, algorithm, want string) error {
	if algorithm != "SHA1" {
		return fmt.Errorf("hashed by %.20q", algorithm)
	}
	sum := sha1.Sum(text) //nolint:gosec // see above
	if got := hex.EncodeToString(sum[:]); subtle.ConstantTimeCompare([]byte(got), []byte(strings.ToLower(want))) != 1 {
		return fmt.Errorf("its SHA1 is %s, and should be %.80q", got, want)
	}
	return nil
}

// fetch gets the file of a bill, from the gateway only: the request carries our signature.
func (p *Provider) fetch(ctx context.Context, address string) ([]byte, error) {
	path, ours := strings.CutPrefix(address, p.config.URL)
	u, err := url.Parse(path)
	if err != nil || !ours || !strings.HasPrefix(path, "/") || u.Fragment != "" {
		return nil, fmt.Errorf("download_url %.80q is not at the gateway", plainPath(address))
	}
	ctx, cancel := context.WithTimeout(ctx, p.config.BillTimeout)
	defer cancel()
	status, _, file, err := p.send(ctx, http.MethodGet, path, nil, maxBillAnswer)
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("status %d", status)
	}
	return file, err
}

// row is a line of a bill by the names of its columns.
type row map[string]string

// readBill reads a bill: names, lines, names of the totals, totals.
func (p *Provider) readBill(file []byte) ([]payment.BillLine, error) {
	if !utf8.Valid(file) || !bytes.HasSuffix(file, []byte("\n")) {
		return nil, errors.New("not text, or no end")
	}
	records := strings.Split(strings.ReplaceAll(strings.TrimSpace(strings.TrimPrefix(string(file), "\ufeff")), "\r\n", "\n"), "\n")
	if len(records) < 3 {
		return nil, errors.New("no totals")
	}
	end := len(records) - 2
	totals, err := named(records[end], records[end+1])
	if err != nil {
		return nil, err
	}
	var lines []payment.BillLine
	var paid, back int64
	for _, record := range records[1:end] {
		values, err := named(records[0], record)
		if err != nil {
			return nil, err
		}
		line, err := p.readLine(values)
		if err != nil {
			return nil, err
		}
		if line.Kind == payment.NoticePayment {
			paid += line.Amount.Amount
		} else {
			back -= line.Amount.Amount
		}
		if values["退款状态"] != "FAIL" { // no money moved then
			lines = append(lines, line)
		}
	}
	for name, sum := range map[string]int64{"订单总金额": paid, "申请退款总金额": back} {
		if total, err := fen(totals[name]); err != nil || total != sum {
			return nil, fmt.Errorf("%s is %.20q, and the lines say %d", name, totals[name], sum)
		}
	}
	if count := totals["总交易单数"]; count != strconv.Itoa(end-1) {
		return nil, fmt.Errorf("%.20q lines, and there are %d", count, end-1)
	}
	return lines, nil
}

// named splits a line. Every value has a ` before it and none is quoted: a comma alone may be part of one.
func named(head, line string) (row, error) {
	names := strings.Split(head, ",")
	rest, marked := strings.CutPrefix(line, "`")
	values := strings.Split(rest, ",`")
	if !marked || len(values) != len(names) {
		return nil, fmt.Errorf("%d values of %d columns: %.60q", len(values), len(names), line)
	}
	r := make(row, len(names))
	for i, value := range values {
		r[strings.TrimSpace(names[i])] = value
	}
	return r, nil
}

func (p *Provider) readLine(r row) (payment.BillLine, error) {
	at, err := time.ParseInLocation(time.DateTime, r["交易时间"], beijing)
	if err != nil {
		return payment.BillLine{}, err
	}
	if r["商户号"] != p.config.Merchant {
		return payment.BillLine{}, fmt.Errorf("a line of merchant %.40q", r["商户号"])
	}
	line := payment.BillLine{Number: r["商户订单号"], GatewayID: r["微信订单号"], At: at.UTC()}
	column := "订单金额"
	switch r["交易状态"] {
	case "SUCCESS":
		line.Kind = payment.NoticePayment
	case "REFUND", "REVOKED":
		line.Kind, line.RefundID, line.GatewayID, column = payment.NoticeRefund, r["商户退款单号"], r["微信退款单号"], "申请退款金额"
	default:
		return payment.BillLine{}, fmt.Errorf("交易状态 %.40q", r["交易状态"])
	}
	amount, err := fen(r[column])
	if err != nil || amount < 0 || !currencyShape.MatchString(r["货币种类"]) {
		return payment.BillLine{}, fmt.Errorf("%s %.20q in %.10q", column, r[column], r["货币种类"])
	}
	if line.Kind == payment.NoticeRefund {
		amount = -amount
	}
	fee, err := fen(r["手续费"])
	if err != nil {
		return payment.BillLine{}, err
	}
	line.Amount = ticketing.Money{Amount: amount, Currency: r["货币种类"]}
	line.Fee = ticketing.Money{Amount: fee, Currency: r["货币种类"]}
	return line, nil
}

// fen reads yuan with at most five decimals and rounds half a fen away from zero.
func fen(yuan string) (int64, error) {
	digits, negative := strings.CutPrefix(yuan, "-")
	whole, decimals, _ := strings.Cut(digits, ".")
	const places = 5
	if whole == "" || len(whole) > 12 || len(decimals) > places {
		return 0, fmt.Errorf("amount %.40q", yuan)
	}
	value, err := strconv.ParseUint(whole+decimals+strings.Repeat("0", places-len(decimals)), 10, 62)
	if err != nil {
		return 0, fmt.Errorf("amount %.40q", yuan)
	}
	rounded := int64((value + 500) / 1000)
	if negative {
		rounded = -rounded
	}
	return rounded, nil
}
