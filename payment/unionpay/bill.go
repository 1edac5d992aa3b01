package unionpay

import (
	"archive/zip"
	"bytes"
	"compress/zlib"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/boxoffice/boxoffice/payment"
	"github.com/boxoffice/boxoffice/ticketing"
)

// maxBill bounds a bill once it is unpacked, in bytes: some hundred thousand lines.
const maxBill = 256 << 20

// The widths of the fields of a line of the ZM file, each followed by one character that separates it from the next; and
// the places of those that are read.
var zmWidths = [...]int{
	3, 11, 11, 6, 10, 19, 12, 4, 2, 21, 2, 32, 2, 6, 10, 13, 13, 4, 15, 2, 2,
	6, 2, 4, 32, 1, 21, 15, 1, 15, 32, 13, 13, 8, 32, 13, 13, 12, 2, 1, 32, 98,
}

const (
	zmTime      = 4  // MMDDhhmmss
	zmAmount    = 6  // fen
	zmQueryID   = 9  // the gateway's id
	zmOrderID   = 11 // a payment's number, or a refund's id
	zmFee       = 15 // D or C and fen: what we pay, or get back
	zmKind      = 19 // txnType
	zmMerchant  = 27
	zmReserved  = 34 // reqReserved: of a refund the payment's number
	zmHeldMonth = 10 * 30 * 24 * time.Hour
)

// idShape is what ids in a bill look like; those of other systems of the merchant may be longer than ours.
var idShape = regexp.MustCompile(`^[0-9A-Za-z]{1,40}$`)

// Bill implements payment.Provider. The gateway has a file of a settlement day from the next morning on, and none of a
// day without movements: that there is no file means ErrNotFound until noon, and an empty bill afterwards.
func (p *Provider) Bill(ctx context.Context, day time.Time) ([]payment.BillLine, error) {
	now := p.config.Now()
	y, m, d := day.In(settlement).Date()
	begin := time.Date(y, m, d, 0, 0, 0, 0, settlement)
	// A day is asked for without its year.
	if now.Sub(begin) > zmHeldMonth {
		return nil, fmt.Errorf("unionpay: the gateway has no bill of %s any more: %w", begin.Format(time.DateOnly), payment.ErrRejected)
	}
	f := p.message("", now, "76", "01")
	delete(f, "orderId")
	f["bizType"] = "000000"
	f["fileType"] = "00"
	f["settleDate"] = begin.Format(monthDay)
	answer, err := p.call(ctx, p.config.BillTimeout, maxBillAnswer, p.config.FileURL+"/", f)
	if err != nil {
		return nil, err
	}
	switch code := answer["respCode"]; {
	case code == codeNoFile && now.After(begin.Add(36*time.Hour)):
		return nil, nil
	case code != codeDone:
		return nil, fmt.Errorf("unionpay: bill of %s: %s %s: %w", begin.Format(time.DateOnly), code, answer["respMsg"], meaning(code))
	case answer["settleDate"] != f["settleDate"]:
		return nil, fmt.Errorf("unionpay: a bill of %q instead of %q: %w", answer["settleDate"], f["settleDate"], payment.ErrUnavailable)
	}
	file, err := unpack(answer["fileContent"], "ZM_"+p.config.Merchant)
	if err != nil {
		return nil, fmt.Errorf("unionpay: bill of %s: %w: %w", begin.Format(time.DateOnly), payment.ErrTruncatedBill, err)
	}
	return p.lines(file, begin)
}

// unpack finds a file in what an answer holds: a ZIP archive, deflated, in base64.
func unpack(content, name string) ([]byte, error) {
	packed, err := base64.StdEncoding.DecodeString(content)
	if err != nil {
		return nil, err
	}
	deflated, err := zlib.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	archive, err := bounded(deflated)
	if err != nil {
		return nil, err
	}
	files, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		return nil, err
	}
	for _, file := range files.File {
		if !strings.Contains(file.Name, name) {
			continue
		}
		opened, err := file.Open()
		if err != nil {
			return nil, err
		}
		return bounded(opened)
	}
	return nil, fmt.Errorf("no file %s among %d", name, len(files.File))
}

func bounded(r io.ReadCloser) ([]byte, error) {
	content, err := io.ReadAll(io.LimitReader(r, maxBill+1))
	if err = errors.Join(err, r.Close()); err == nil && len(content) > maxBill {
		err = fmt.Errorf("more than %d bytes", maxBill)
	}
	return content, err
}

// lines reads the ZM file of a day: what succeeded. The ZME file beside it lists corrections between banks.
func (p *Provider) lines(file []byte, begin time.Time) ([]payment.BillLine, error) {
	lines := []payment.BillLine{}
	for text := range bytes.Lines(file) {
		text = bytes.TrimRight(text, "\r\n")
		if len(text) == 0 {
			continue
		}
		columns, err := zmColumns(text)
		if err != nil {
			return nil, fmt.Errorf("unionpay: bill of %s, line %d: %w: %w", begin.Format(time.DateOnly), len(lines)+1, payment.ErrTruncatedBill, err)
		}
		line, err := p.line(columns, begin)
		if err != nil {
			return nil, fmt.Errorf("unionpay: bill of %s, line %d: %w: %w", begin.Format(time.DateOnly), len(lines)+1, payment.ErrUnavailable, err)
		}
		lines = append(lines, line)
	}
	return lines, nil
}

func zmColumns(line []byte) ([]string, error) {
	columns := make([]string, len(zmWidths))
	for i, width := range zmWidths {
		if len(line) < width {
			return nil, fmt.Errorf("ends in column %d", i+1)
		}
		columns[i] = strings.TrimSpace(string(line[:width])) // bytes: names are in GBK
		line = line[width:]
		if i < len(zmWidths)-1 {
			if len(line) == 0 {
				return nil, fmt.Errorf("ends after column %d", i+1)
			}
			line = line[1:]
		}
	}
	if len(strings.TrimSpace(string(line))) > 0 {
		return nil, errors.New("has more columns than it should")
	}
	return columns, nil
}

func (p *Provider) line(columns []string, begin time.Time) (payment.BillLine, error) {
	for _, id := range []int{zmOrderID, zmQueryID} {
		if !idShape.MatchString(columns[id]) {
			return payment.BillLine{}, fmt.Errorf("id %q", columns[id])
		}
	}
	if columns[zmMerchant] != p.config.Merchant {
		return payment.BillLine{}, fmt.Errorf("merchant %q", columns[zmMerchant])
	}
	value, err := strconv.ParseInt(columns[zmAmount], 10, 64)
	if err != nil || value <= 0 {
		return payment.BillLine{}, fmt.Errorf("amount %q", columns[zmAmount])
	}
	kept, err := fee(columns[zmFee])
	if err != nil {
		return payment.BillLine{}, err
	}
	at, err := parseTrace(columns[zmTime], begin)
	if err != nil {
		return payment.BillLine{}, err
	}
	line := payment.BillLine{
		Kind: payment.NoticePayment, Number: columns[zmOrderID], GatewayID: columns[zmQueryID],
		Amount: ticketing.Money{Amount: value, Currency: "CNY"}, Fee: ticketing.Money{Amount: kept, Currency: "CNY"}, At: at,
	}
	switch columns[zmKind] {
	case "01":
	case "04", "31", "99": // a refund; a cancellation or a reversal, which only a person makes
		line.Kind, line.Number, line.RefundID = payment.NoticeRefund, "", columns[zmOrderID]
		line.Amount.Amount = -value
		if numberShape.MatchString(columns[zmReserved]) { // else not ours
			line.Number = columns[zmReserved]
		}
	default:
		return payment.BillLine{}, fmt.Errorf("txnType %q", columns[zmKind])
	}
	return line, nil
}

// fee reads what the gateway kept, in fen; negative is what it gave back.
func fee(column string) (int64, error) {
	if len(column) == 13 {
		value, err := strconv.ParseUint(column[1:], 10, 63)
		switch {
		case err == nil && column[0] == 'D':
			return int64(value), nil
		case err == nil && column[0] == 'C':
			return -int64(value), nil
		}
	}
	return 0, fmt.Errorf("fee %q", column)
}
