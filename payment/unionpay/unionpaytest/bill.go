package unionpaytest

import (
	"archive/zip"
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"fmt"
	"strings"
	"time"

	"golang.org/x/text/encoding/simplifiedchinese"
)

// file answers with the file of a settlement day: of the last twelve months the one with this month and day.
func (g *Gateway) file(m map[string]string) (map[string]string, error) {
	if g.faults.Code != "" {
		return nil, refusal{g.faults.Code, said(g.faults.Code)}
	}
	now := g.config.Now().In(beijing)
	var day time.Time
	for back := -1; back < 366 && day.IsZero(); back++ {
		if d := now.AddDate(0, 0, -back); d.Format("0102") == m["settleDate"] {
			day = time.Date(d.Year(), d.Month(), d.Day(), 0, 0, 0, 0, beijing)
		}
	}
	ready := day.Add(33 * time.Hour) // at nine the next morning
	if g.config.BillsAtOnce {
		ready = day.Add(-time.Hour)
	}
	lines := []string{}
	for _, moved := range g.moved {
		if moved.settleDate == day.Format("20060102") {
			lines = append(lines, g.zmLine(moved))
		}
	}
	if g.faults.NoBill || day.IsZero() || now.Before(ready) || len(lines) == 0 {
		return nil, refusal{"98", said("98")}
	}
	text := strings.Join(lines, "\r\n") + "\r\n"
	if g.faults.TruncateBill {
		text = text[:len(text)-100]
	}
	content, err := pack(map[string]string{
		"INN" + day.Format("060102") + "88ZM_" + g.config.Merchant:  text,
		"INN" + day.Format("060102") + "88ZME_" + g.config.Merchant: "",
	})
	if err != nil {
		return nil, refusal{"99", err.Error()}
	}
	return map[string]string{
		"respCode": codeDone, "respMsg": said(codeDone), "settleDate": m["settleDate"], "fileType": "00",
		"fileName": g.config.Merchant + "_" + day.Format("20060102") + ".zip", "fileContent": content,
	}, nil
}

// zmLine writes a movement as the ZM file has it: fields of fixed widths, padded, a space between them.
func (g *Gateway) zmLine(m movement) string {
	merchant := g.config.Merchant
	if g.faults.ForeignBill {
		merchant = "777290058110097"
	}
	sent := m.at.In(beijing).Format("0102150405")
	code, settle, subtype := "S22", "C", "01"
	if m.kind == "04" {
		code, settle, subtype = "S30", "D", "00"
	}
	var b strings.Builder
	column := func(width int, value string) {
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		// The file is in GBK, and widths count bytes.
		encoded, err := simplifiedchinese.GBK.NewEncoder().String(value)
		if err != nil {
			encoded = ""
		}
		b.WriteString(encoded[:min(len(encoded), width)] + strings.Repeat(" ", max(0, width-len(encoded))))
	}
	for _, c := range []struct {
		width int
		value string
	}{
		{3, code},
		{11, "00049992"},
		{11, "00049992"},
		{6, fmt.Sprintf("%06d", m.trace)},
		{10, sent},
		{19, "6216261*******0018"},
		{12, fmt.Sprintf("%012d", m.amount)},
		{4, "7922"},
		{2, "07"},
		{21, m.queryID},
		{2, ""},
		{32, m.id},
		{2, "01"},
		{6, ""},
		{10, ""},
		{13, fmt.Sprintf("D%012d", m.fee)},
		{13, fmt.Sprintf("%s%012d", settle, m.amount)},
		{4, "0001"},
		{15, ""},
		{2, m.kind},
		{2, subtype},
		{6, "000201"},
		{2, "01"},
		{4, ""},
		{32, ""},
		{1, ""},
		{21, m.of},
		{15, merchant},
		{1, ""},
		{15, ""},
		{32, ""},
		{13, ""},
		{13, fmt.Sprintf("%s%012d", settle, m.amount-m.fee)},
		{8, "01080209"},
		{32, m.reserved},
		{13, ""},
		{13, ""},
		{12, ""},
		{2, ""},
		{1, ""},
		{32, ""},
		{98, ""},
	} {
		column(c.width, c.value)
	}
	return b.String()
}

// pack puts files into a ZIP archive, deflates it and writes it in base64, as fileContent is.
func pack(files map[string]string) (string, error) {
	var archive, deflated bytes.Buffer
	z := zip.NewWriter(&archive)
	for name, content := range files {
		w, err := z.Create(name)
		if err != nil {
			return "", err
		}
		if _, err := w.Write([]byte(content)); err != nil {
			return "", err
		}
	}
	if err := z.Close(); err != nil {
		return "", err
	}
	w := zlib.NewWriter(&deflated)
	if _, err := w.Write(archive.Bytes()); err != nil {
		return "", err
	}
	if err := w.Close(); err != nil {
		return "", err
	}
	return base64.StdEncoding.EncodeToString(deflated.Bytes()), nil
}
