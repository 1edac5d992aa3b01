package gateway

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/boxoffice/boxoffice/ticketing"
)

// pageLanguage is what the address, the merchant or the browser asks for, in this order.
func pageLanguage(r *http.Request, merchants string) string {
	for _, tag := range []string{r.URL.Query().Get("lang"), merchants, r.Header.Get("Accept-Language")} {
		switch {
		case strings.HasPrefix(strings.ToLower(tag), "zh"):
			return "zh-CN"
		case tag != "":
			return "en"
		}
	}
	return "en"
}

// money renders minor units with their currency's code.
func money(m ticketing.Money) string { return figures(m) + " " + m.Currency }

// figures renders minor units for people; the sandbox knows the currencies it supports.
func figures(m ticketing.Money) string {
	decimals := 2
	switch m.Currency {
	case "JPY":
		decimals = 0
	case "KWD":
		decimals = 3
	}
	sign, minor := "", m.Amount
	if minor < 0 {
		sign, minor = "−", -minor
	}
	text := fmt.Sprintf("%0*d", decimals+1, minor)
	whole, fraction := text[:len(text)-decimals], text[len(text)-decimals:]
	for at := len(whole) - 3; at > 0; at -= 3 {
		whole = whole[:at] + "," + whole[at:]
	}
	if fraction != "" {
		fraction = "." + fraction
	}
	return sign + whole + fraction
}

func symbol(currency string) string {
	return map[string]string{"CNY": "¥", "JPY": "¥", "EUR": "€", "GBP": "£", "USD": "$"}[currency]
}

// countdown renders seconds as 4:05 or 1:04:05; pages/pay.js goes on from there.
func countdown(seconds int) string {
	minutes, hours := seconds/60%60, seconds/3600
	if hours > 0 {
		return fmt.Sprintf("%d:%02d:%02d", hours, minutes, seconds%60)
	}
	return strconv.Itoa(minutes) + fmt.Sprintf(":%02d", seconds%60)
}

var words = map[string]map[string]string{
	"en": {
		"title": "Sandbox payment", "brand": "Sandbox Pay", "banner": "Test environment: no real money moves here",
		"merchant": "Pay to", "for": "For", "number": "Payment no.", "method": "Method", "left": "Time left",
		"sandbox_wallet": "Wallet", "sandbox_card": "Card", "sandbox_qr": "QR code",
		"pay": "Pay", "decline": "Decline this payment", "cancel": "Leave without paying",
		"more": "Other endings to try", "late": "Pay, but the money arrives late", "deadline": "5 seconds after the deadline",
		"in": "in", "seconds_later": "seconds", "seconds": "seconds", "late_button": "Pay late",
		"processing": "Pay, but nobody knows the outcome for", "processing_button": "Leave it open",
		"back": "Back to the shop", "wait": "You are taken back in a moment.",
		"failed":         "That is no longer possible.",
		"paid":           "Payment received",
		"declined":       "Payment declined",
		"closed":         "This payment can no longer be made",
		"left_page":      "Nothing was paid",
		"late_set_title": "The money will arrive later",
		"in_process":     "The payment is being processed",
	},
	"zh-CN": {
		"title": "沙盒支付", "brand": "沙盒支付", "banner": "测试环境，不会产生真实扣款",
		"merchant": "收款方", "for": "商品", "number": "支付单号", "method": "支付方式", "left": "剩余时间",
		"sandbox_wallet": "钱包", "sandbox_card": "银行卡", "sandbox_qr": "扫码支付",
		"pay": "支付", "decline": "拒绝支付", "cancel": "不支付，直接离开",
		"more": "模拟其他结果", "late": "支付，但款项延迟到账", "deadline": "截止时间之后 5 秒",
		"in": "在", "seconds_later": "秒后", "seconds": "秒", "late_button": "延迟支付",
		"processing": "支付，但结果待定，持续", "processing_button": "结果待定",
		"back": "返回商家", "wait": "正在为您返回商家……",
		"failed":         "该操作已无法进行。",
		"paid":           "支付成功",
		"declined":       "支付已拒绝",
		"closed":         "该支付单已关闭，无法支付",
		"left_page":      "未付款",
		"late_set_title": "款项将稍后到账",
		"in_process":     "支付处理中",
	},
}
