package wording_test

import (
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"
	"pgregory.net/rapid"

	"github.com/boxoffice/boxoffice/notify"
	"github.com/boxoffice/boxoffice/notify/wording"
	"github.com/boxoffice/boxoffice/ticketing"
)

// labels are those of an order's price, by language.
var labels = map[string]struct{ discount, ticketFees, fee, tax, total string }{
	"en": {"Discount", "Ticket fees", "Order fee", "Tax", "Total"}, "zh-CN": {"优惠", "票务手续费", "服务费", "税费", "合计"},
}

// fen reads an amount as both languages write yuan.
func fen(t require.TestingT, text string) int64 {
	digits := strings.NewReplacer("CN¥", "", "¥", "", "−", "-", ",", "", ".", "").Replace(text)
	amount, err := strconv.ParseInt(digits, 10, 64)
	require.NoError(t, err, text)
	return amount
}

// table is the rows of money in a page: label, amount.
func table(t require.TestingT, page string) [][2]string {
	root, err := html.Parse(strings.NewReader(page))
	require.NoError(t, err)
	var rows [][2]string
	for node := range root.Descendants() {
		if node.Data != "tr" || node.FirstChild == nil || node.FirstChild == node.LastChild {
			continue
		}
		label, amount := node.FirstChild.FirstChild, node.LastChild.FirstChild
		if label != nil && amount != nil && label.Type == html.TextNode && amount.Type == html.TextNode {
			rows = append(rows, [2]string{strings.TrimSpace(label.Data), strings.TrimSpace(amount.Data)})
		}
	}
	return rows
}

// TestTheRowsOfAPriceAddUpToItsTotal: in the page and in the text, whatever was bought.
func TestTheRowsOfAPriceAddUpToItsTotal(t *testing.T) {
	w := words(t)
	amount := rapid.Int64Range(0, 10_000_000)
	rapid.Check(t, func(t *rapid.T) {
		language := rapid.SampledFrom(wording.Languages).Draw(t, "language")
		f := factsFor(language, rapid.SampledFrom([]ticketing.MessageKind{ticketing.MessagePaid, ticketing.MessageRetaken, ticketing.MessageHoldExpiring}).Draw(t, "kind"))
		charged := rapid.OneOf(rapid.Just(int64(0)), amount)
		f.Lines, f.TicketFees, f.OrderFee, f.Tax = nil, yuan(charged.Draw(t, "ticket fees")), yuan(charged.Draw(t, "fee")), yuan(charged.Draw(t, "tax"))
		f.Total = yuan(f.TicketFees.Amount + f.OrderFee.Amount + f.Tax.Amount)
		for range rapid.IntRange(1, 4).Draw(t, "lines") {
			l := notify.Line{Name: text("Stalls", "池座"), Quantity: rapid.IntRange(1, 9).Draw(t, "quantity"), Amount: yuan(amount.Draw(t, "line"))}
			f.Lines, f.Total.Amount = append(f.Lines, l), f.Total.Amount+l.Amount.Amount
		}
		f.Discount = yuan(rapid.OneOf(rapid.Just(int64(0)), rapid.Int64Range(0, f.Total.Amount)).Draw(t, "discount"))
		f.Total.Amount -= f.Discount.Amount
		mail, err := w.Render(ticketing.ChannelMail, language, f)
		require.NoError(t, err)
		rows := table(t, mail.HTML)
		last := len(rows) - 1
		require.Equal(t, labels[language].total, rows[last][0])
		require.Equal(t, f.Total.Amount, fen(t, rows[last][1]))
		var sum int64
		for _, r := range rows[:last] {
			sum += fen(t, r[1])
			require.Contains(t, strings.NewReplacer(": ", "|", "：", "|").Replace(mail.Text), r[0]+"|"+r[1]+"\n")
		}
		require.Equal(t, f.Total.Amount, sum)
		beside := rows[len(f.Lines):last]
		for _, charge := range []struct {
			label  string
			amount int64
		}{
			{labels[language].discount, -f.Discount.Amount},
			{labels[language].ticketFees, f.TicketFees.Amount},
			{labels[language].fee, f.OrderFee.Amount},
			{labels[language].tax, f.Tax.Amount},
		} {
			if charge.amount != 0 {
				require.Equal(t, charge.label, beside[0][0])
				require.Equal(t, charge.amount, fen(t, beside[0][1]))
				beside = beside[1:]
			}
		}
		require.Empty(t, beside)
	})
}

// TestAPriceThatDoesNotAddUpIsToldAsItsTotal: a part of it that nobody named is no reason to leave a buyer without tickets.
func TestAPriceThatDoesNotAddUpIsToldAsItsTotal(t *testing.T) {
	for language, label := range labels {
		f := factsFor(language, ticketing.MessagePaid)
		f.OrderFee.Amount--
		require.Equal(t, [][2]string{{label.total, map[string]string{"en": "CN¥1,068.00", "zh-CN": "¥1,068.00"}[language]}}, table(t, render(t, ticketing.ChannelMail, language, f).HTML))
	}
}

func TestTheOrderFeeIsCalledAsOnTheWeb(t *testing.T) {
	for language, label := range labels {
		shop, err := os.ReadFile("../../web/src/i18n/" + language + "/shop.ts")
		require.NoError(t, err)
		require.Contains(t, string(shop), " fee: '"+label.fee+"',")
	}
}
