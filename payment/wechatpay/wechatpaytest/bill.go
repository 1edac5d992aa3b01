package wechatpaytest

import (
	"bytes"
	"compress/gzip"
	"crypto/sha1" //nolint:gosec // the protocol's choice
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

const billHead = "\ufeff交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,应结订单金额,代金券金额," +
	"微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率,订单金额,申请退款金额,费率备注\r\n"

func (g *Gateway) bill(r *http.Request, _ []byte) (any, *failure) {
	q := r.URL.Query()
	day, err := time.ParseInLocation(time.DateOnly, q.Get("bill_date"), beijing)
	gzipped, parameters := q.Get("tar_type") == "GZIP", 2
	if gzipped {
		parameters++
	}
	if err != nil || q.Get("bill_type") != "ALL" || len(q) != parameters {
		return nil, badly("bill_date, bill_type or tar_type")
	}
	now := g.config.Now()
	var lines []string
	var paid, back int64
	for _, m := range g.moved {
		if m.at.In(beijing).Format(time.DateOnly) != q.Get("bill_date") {
			continue
		}
		lines = append(lines, g.billLine(m))
		if m.refund != nil {
			back += m.refund.Amount
		} else {
			paid += m.payment.Captured
		}
	}
	if g.faults.NoBill || len(lines) == 0 || !g.config.BillsAtOnce && now.Before(day.Add(34*time.Hour)) {
		return nil, &failure{http.StatusBadRequest, "NO_STATEMENT_EXIST", "账单文件不存在"}
	}
	count := len(lines)
	if g.faults.LoseLine {
		lines = lines[1:]
	}
	file := []byte(billHead + strings.Join(lines, "") +
		"总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额\r\n" +
		fmt.Sprintf("`%d,`%s,`%s,`0.00,`0.00000,`%s,`%s\r\n", count, yuan(paid), yuan(back), yuan(paid), yuan(back)))
	sum := sha1.Sum(file) //nolint:gosec // see above; of what is not packed, as theirs
	if g.faults.WrongHash {
		sum[0]++
	}
	token := hexText(32)
	address := g.url + "/v3/billdownload/file?token=" + token
	if g.faults.ForeignBill {
		address = "http://127.0.0.1.example/v3/billdownload/file?token=" + token
	}
	if gzipped {
		address += "&tartype=gzip"
	}
	if gzipped && !g.faults.PlainBill {
		file = packed(file)
	}
	if g.faults.TruncateBill {
		file = file[:len(file)/2]
	}
	g.bills[token] = file
	return map[string]string{"hash_type": "SHA1", "hash_value": hex.EncodeToString(sum[:]), "download_url": address}, nil
}

func packed(file []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write(file) // a buffer takes everything
	_ = w.Close()
	return b.Bytes()
}

func yuan(fen int64) string { return fmt.Sprintf("%d.%02d", fen/100, fen%100) }

func (g *Gateway) billLine(m movement) string {
	p := m.payment
	kind := map[string]string{"native": "NATIVE", "h5": "MWEB"}[p.Kind]
	values := []string{
		m.at.In(beijing).Format(time.DateTime), g.config.AppID, g.config.Merchant, "0", "", p.TransactionID, p.Number, "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o",
		kind, "SUCCESS", "OTHERS", p.Currency, yuan(p.Captured), "0.00", "0", "0", "0.00", "0.00", "", "", "tickets", "",
		fmt.Sprintf("%d.%05d", p.Captured*6/1e5, p.Captured*6%1e5), "0.60%", yuan(p.Captured), "0.00", "",
	}
	if r := m.refund; r != nil {
		for column, value := range map[int]string{
			9: "REFUND", 12: "0.00", 14: r.RefundID, 15: r.ID, 16: yuan(r.Amount), 18: "ORIGINAL", 19: "SUCCESS",
			22: fmt.Sprintf("-%d.%05d", r.Amount*6/1e5, r.Amount*6%1e5), 24: "0.00", 25: yuan(r.Amount),
		} {
			values[column] = value
		}
	}
	return "`" + strings.Join(values, ",`") + "\r\n"
}

// download gives the file of a bill to who signs for it. It is not signed.
func (g *Gateway) download(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	if refused := g.admit(r, body); refused != nil {
		http.Error(w, refused.Error(), refused.status)
		return
	}
	g.mu.Lock()
	file, known := g.bills[r.URL.Query().Get("token")]
	g.mu.Unlock()
	if !known {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "text/plain")
	if r.URL.Query().Get("tartype") == "gzip" {
		w.Header().Set("Content-Type", "application/x-gzip")
	}
	_, _ = bytes.NewReader(file).WriteTo(w)
}
