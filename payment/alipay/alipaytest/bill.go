package alipaytest

import (
	"archive/zip"
	"bytes"
	"crypto/rand"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/text/encoding/simplifiedchinese"
)

const billHead = "支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,门店编号,门店名称,操作员,终端号,对方账户,订单金额（元）,商家实收（元）," +
	"支付宝红包（元）,集分宝（元）,支付宝优惠（元）,商家优惠（元）,券核销金额（元）,券名称,商家红包消费金额（元）,卡消费金额（元）,退款批次号/请求号,服务费（元）,分润（元）,备注\r\n"

const billBegins = "#-----------------------------------------业务明细列表----------------------------------------\r\n"

const billEnds = "#-----------------------------------------业务明细列表结束------------------------------------\r\n"

func (g *Gateway) billURL(q question) (fields, *failure) {
	none := business("isp.bill_not_exist", "账单不存在")
	day, err := time.ParseInLocation(time.DateOnly, q.biz["bill_date"], beijing)
	if err != nil || q.biz["bill_type"] != "trade" {
		return nil, invalid("arguments", "入参不合法")
	}
	now := g.config.Now()
	var moved []movement
	for _, m := range g.moved {
		if stamp(m.at)[:len(time.DateOnly)] == q.biz["bill_date"] {
			moved = append(moved, m)
		}
	}
	if g.faults.NoBill || len(moved) == 0 || !g.config.BillsAtOnce && now.Before(day.Add(33*time.Hour)) {
		return nil, none
	}
	archive, err := g.bill(day, moved)
	if err != nil {
		return nil, &failure{"20000", "isp.unknow-error", err.Error()}
	}
	token := rand.Text()
	g.bills[token] = archive
	origin := g.url
	if g.faults.ForeignHost {
		origin = "http://127.0.0.1.example"
	}
	query := url.Values{
		"bizType": {"trade"}, "userId": {g.config.SellerID}, "fileType": {"csv.zip"}, "bizDates": {day.Format("20060102")},
		"downloadFileName": {g.config.SellerID + "0156_" + day.Format("20060102") + ".csv.zip"}, "fileId": {token},
	}
	return fields{"bill_download_url": origin + "/downloadBillFile.resource?" + query.Encode()}, nil
}

// bill is the archive of a day: the details, and a summary by shop.
func (g *Gateway) bill(day time.Time, moved []movement) ([]byte, error) {
	f := g.faults
	account := g.config.SellerID + "0156"
	if f.ForeignBill {
		account = "20880000000000010156"
	}
	head := fmt.Sprintf("#账号：[%s]\r\n#起始日期：[%s 00:00:00]   终止日期：[%s 00:00:00]\r\n", account, day.Format("2006年01月02日"), day.AddDate(0, 0, 1).Format("2006年01月02日"))
	var lines []string
	var paidCount, backCount int
	var paidSum, backSum int64
	for _, m := range moved {
		lines = append(lines, billLine(m))
		if m.refund == nil {
			paidCount, paidSum = paidCount+1, paidSum+m.amount
		} else {
			backCount, backSum = backCount+1, backSum+m.amount
		}
	}
	if f.LoseLine {
		lines = lines[1:]
	}
	details := "#支付宝业务明细查询\r\n" + head + billBegins + billHead + strings.Join(lines, "")
	if !f.ShortBill {
		details += billEnds + fmt.Sprintf("#交易合计：%d笔，商家实收共%s元，商家优惠共0.00元\r\n#退款合计：%d笔，商家实收退款共%s元，商家优惠退款共0.00元\r\n#导出时间：[%s]\r\n",
			paidCount, yuan(paidSum), backCount, yuan(backSum), g.config.Now().In(beijing).Format("2006年01月02日 15:04:05"))
	}
	summary := "#支付宝业务汇总查询\r\n" + head + "#-----------------------------------------业务汇总列表----------------------------------------\r\n" +
		"门店编号,门店名称,交易订单总笔数,退款订单总笔数,订单金额（元）,商家实收（元）,支付宝优惠（元）,商家优惠（元）,卡消费金额（元）,服务费（元）,分润（元）,实收净额（元）\r\n" +
		fmt.Sprintf("合计,\t,%d,%d,%s,%s,0.00,0.00,0.00,0.00,0.00,%s\r\n", paidCount, backCount, yuan(paidSum), yuan(paidSum), yuan(paidSum+backSum))
	var archive bytes.Buffer
	z := zip.NewWriter(&archive)
	for _, file := range []struct{ name, text string }{{"业务明细(汇总)", summary}, {"业务明细", details}} {
		name, err := gbk(account + "_" + day.Format("20060102") + "_" + file.name + ".csv")
		if err != nil {
			return nil, err
		}
		w, err := z.CreateHeader(&zip.FileHeader{Name: name, NonUTF8: true, Method: zip.Deflate})
		if err != nil {
			return nil, err
		}
		text, err := gbk(file.text)
		if err != nil {
			return nil, err
		}
		if _, err := w.Write([]byte(text)); err != nil {
			return nil, err
		}
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	if f.TruncateBill {
		return archive.Bytes()[:archive.Len()*2/3], nil
	}
	return archive.Bytes(), nil
}

func gbk(text string) (string, error) { return simplifiedchinese.GBK.NewEncoder().String(text) }

// billLine is a payment or a refund; what we pay for it, six in a thousand, is negative.
func billLine(m movement) string {
	t := m.trade
	kind, request, created := "交易", "", t.Created
	if m.refund != nil {
		kind, request, created = "退款", m.refund.ID, m.at
	}
	fee := -(m.amount*6 + 500) / 1000
	if m.amount < 0 {
		fee = (-m.amount*6 + 500) / 1000
	}
	amount := yuan(m.amount)
	return strings.Join([]string{
		t.TradeNo + "\t", t.Number + "\t", kind, t.offer.Subject, stamp(created), stamp(m.at), "\t", "\t", "\t", "\t", "*测试(gai***@sandbox.com)\t",
		amount, amount, "0.00", "0.00", "0.00", "0.00", "0.00", "", "0.00\t", "0.00", request + "\t", yuan(fee), "0.00", "",
	}, ",") + "\r\n"
}

// download gives the file of a bill to who has its address.
func (g *Gateway) download(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	file, known := g.bills[r.URL.Query().Get("fileId")]
	g.mu.Unlock()
	if !known {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/zip")
	_, _ = bytes.NewReader(file).WriteTo(w)
}
