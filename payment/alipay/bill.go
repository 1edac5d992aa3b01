package alipay

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/smartwalle/alipay/v3"
	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/boxoffice/boxoffice/payment"
	"github.com/boxoffice/boxoffice/ticketing"
)

const (
	// billsFrom is how long after the end of a day its bill exists.
	billsFrom   = 10 * time.Hour
	maxBillFile = 256 << 20 // bytes, unpacked
)

// Bill implements payment.Provider.
func (p *Provider) Bill(ctx context.Context, day time.Time) ([]payment.BillLine, error) {
	local := day.In(beijing)
	date := local.Format(time.DateOnly)
	var a struct {
		answer

		URL string `json:"bill_download_url"`
	}
	err := p.call(ctx, alipay.BillDownloadURLQuery{BillType: "trade", BillDate: date}, &a)
	end := time.Date(local.Year(), local.Month(), local.Day()+1, 0, 0, 0, 0, beijing)
	if errors.Is(err, payment.ErrNotFound) && !p.config.Now().Before(end.Add(billsFrom)) {
		return nil, nil // nothing moved that day
	}
	if err != nil {
		return nil, err
	}
	archive, err := p.fetch(ctx, a.URL)
	if err != nil {
		return nil, fmt.Errorf("alipay: bill of %s: %w: %w", date, payment.ErrUnavailable, err)
	}
	lines, err := p.unpack(archive)
	if err != nil {
		return nil, fmt.Errorf("alipay: bill of %s: %w: %w", date, payment.ErrTruncatedBill, err)
	}
	return lines, nil
}

// fetch gets the file of a bill. Its address comes in an answer that is signed; the file itself is not, so that it is asked for over
// TLS even where the gateway names http.
func (p *Provider) fetch(ctx context.Context, address string) ([]byte, error) {
	u, err := url.Parse(address)
	if err != nil || !isWeb(u) {
		return nil, errors.New("bill_download_url is no address")
	}
	if u.Scheme+"://"+u.Host != p.origin {
		if !strings.HasSuffix(u.Hostname(), ".alipay.com") && !strings.HasSuffix(u.Hostname(), ".alipaydev.com") || u.Port() != "" {
			return nil, fmt.Errorf("bill_download_url is at %.80q, not at the gateway", u.Host)
		}
		u.Scheme = "https"
	}
	ctx, cancel := context.WithTimeout(ctx, p.config.BillTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, errors.New("bill_download_url is no address")
	}
	response, err := p.http.Do(request)
	if err != nil {
		if told, ok := errors.AsType[*url.Error](err); ok {
			err = told.Err
		}
		return nil, err
	}
	defer response.Body.Close()
	return io.ReadAll(response.Body)
}

// unpack finds the file with the details; the other one only adds them up by shop. Their names are not in UTF-8.
func (p *Provider) unpack(archive []byte) ([]payment.BillLine, error) {
	z, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		return nil, err
	}
	for _, f := range z.File {
		text, err := opened(f)
		if err != nil {
			return nil, err
		}
		if strings.HasPrefix(text, "#支付宝业务明细查询") {
			return p.readBill(text)
		}
	}
	return nil, fmt.Errorf("no details among %d files", len(z.File))
}

func opened(f *zip.File) (string, error) {
	content, err := f.Open()
	if err != nil {
		return "", err
	}
	defer content.Close()
	text, err := io.ReadAll(io.LimitReader(simplifiedchinese.GBK.NewDecoder().Reader(io.LimitReader(content, maxBillFile)), maxBillFile))
	if err == nil && len(text) == maxBillFile {
		err = errors.New("a file that is too long")
	}
	return string(text), err
}

var (
	billAccount = regexp.MustCompile(`^#账号：\[(2088[0-9]{12})[0-9]*\]`)
	billPaid    = regexp.MustCompile(`^#交易合计：([0-9]+)笔，商家实收共(-?[0-9.]+)元`)
	billBack    = regexp.MustCompile(`^#退款合计：([0-9]+)笔，商家实收退款共(-?[0-9.]+)元`)
)

// readBill reads the details: remarks, the names of the columns, lines, a remark that they end, the totals.
func (p *Provider) readBill(text string) ([]payment.BillLine, error) {
	rows := strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == '\r' })
	var names []string
	var lines []payment.BillLine
	var paid, back total
	var paidSaid, backSaid bool
	for i, row := range rows {
		row = strings.TrimRight(row, ", \t") // some spreadsheets fill every line up
		switch remark := strings.HasPrefix(row, "#"); {
		case i == 0, row == "":
		case strings.HasPrefix(row, "#账号"):
			if m := billAccount.FindStringSubmatch(row); m == nil || m[1] != p.config.SellerID {
				return nil, fmt.Errorf("a bill of %.80q", row)
			}
		case strings.HasPrefix(row, "#交易合计"):
			if err := paid.agrees(billPaid.FindStringSubmatch(row)); err != nil {
				return nil, fmt.Errorf("%.120q: %w", row, err)
			}
			paidSaid = true
		case strings.HasPrefix(row, "#退款合计"):
			if err := back.agrees(billBack.FindStringSubmatch(row)); err != nil {
				return nil, fmt.Errorf("%.120q: %w", row, err)
			}
			backSaid = true
		case remark:
		default:
			values, err := cells(rows[i])
			if err != nil {
				return nil, err
			}
			if names == nil {
				names = columns(values)
				continue
			}
			line, received, err := readLine(names, values)
			if err != nil {
				return nil, err
			}
			if line.Kind == payment.NoticePayment {
				paid.add(received)
			} else {
				back.add(received)
			}
			lines = append(lines, line)
		}
	}
	if !paidSaid || !backSaid {
		return nil, errors.New("no totals")
	}
	return lines, nil
}

// total is what lines add up to.
type total struct {
	count  int
	amount int64
}

func (t *total) add(amount int64) { t.count++; t.amount += amount }

// agrees compares it with what the bill says: a count and an amount, whose sign it does not always write.
func (t *total) agrees(said []string) error {
	if said == nil {
		return errors.New("unreadable")
	}
	count, err := strconv.Atoi(said[1])
	if err != nil {
		return err
	}
	amount, err := fen(said[2])
	if err != nil {
		return err
	}
	if count != t.count || amount != t.amount && amount != -t.amount {
		return fmt.Errorf("the lines are %d of %s", t.count, yuan(t.amount))
	}
	return nil
}

// cells are the values of a line; many have a tab behind them, which keeps spreadsheets from rounding numbers.
func cells(row string) ([]string, error) {
	r := csv.NewReader(strings.NewReader(row))
	r.FieldsPerRecord, r.LazyQuotes = -1, true
	values, err := r.Read()
	if err != nil {
		return nil, err
	}
	for i := range values {
		values[i] = strings.TrimSpace(values[i])
	}
	return values, nil
}

// columns are the names of columns without their unit.
func columns(names []string) []string {
	for i, name := range names {
		names[i] = strings.TrimSuffix(strings.TrimSuffix(name, "（元）"), "(元)")
	}
	return names
}

// readLine reads a line, and what of it the merchant received.
func readLine(names, values []string) (line payment.BillLine, received int64, err error) {
	if len(values) != len(names) {
		return line, 0, fmt.Errorf("%d values of %d columns", len(values), len(names))
	}
	row := make(map[string]string, len(names))
	for i, name := range names {
		row[name] = values[i]
	}
	line = payment.BillLine{Number: row["商户订单号"], GatewayID: row["支付宝交易号"]}
	switch row["业务类型"] {
	case "交易":
		line.Kind = payment.NoticePayment
	case "退款":
		line.Kind, line.RefundID = payment.NoticeRefund, row["退款批次号/请求号"]
	default:
		return line, 0, fmt.Errorf("业务类型 %.40q", row["业务类型"])
	}
	if line.At, err = moment(row["完成时间"]); err != nil {
		return line, 0, err
	}
	amount, err := fen(row["订单金额"])
	if err != nil || (amount < 0) != (line.Kind == payment.NoticeRefund) {
		return line, 0, fmt.Errorf("订单金额 %.40q of %s", row["订单金额"], row["业务类型"])
	}
	if received, err = fen(row["商家实收"]); err != nil {
		return line, 0, err
	}
	fee, err := fen(row["服务费"])
	if err != nil {
		return line, 0, err
	}
	line.Amount = ticketing.Money{Amount: amount, Currency: "CNY"}
	line.Fee = ticketing.Money{Amount: -fee, Currency: "CNY"} // there, what we pay is negative
	return line, received, nil
}
