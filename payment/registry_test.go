package payment_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/boxoffice/boxoffice/payment"
)

// shop is a provider that is only looked up.
type shop struct {
	payment.Provider
	name     string
	methods  []string
	currency string
}

func (s shop) Name() string                 { return s.name }
func (s shop) Methods() []string            { return s.methods }
func (s shop) Accepts(currency string) bool { return s.currency == "" || s.currency == currency }

func TestAnOrganisersOwnAccountGoesBeforeTheHouses(t *testing.T) {
	house := shop{name: "alipay", methods: []string{"alipay_qr", "alipay_page"}, currency: "CNY"}
	own := shop{name: "alipay-acme", methods: []string{"alipay_qr"}, currency: "CNY"}
	card := shop{name: "stripe", methods: []string{"stripe_checkout"}}
	elsewhere := shop{name: "wechatpay-acme", methods: []string{"wechatpay_native"}, currency: "CNY"}
	r, err := payment.NewAccounts(payment.Account{Provider: house}, payment.Account{Provider: own, OrganiserID: "acme"},
		payment.Account{Provider: card}, payment.Account{Provider: elsewhere, OrganiserID: "acme"})
	require.NoError(t, err)
	for _, want := range []struct{ organiser, method, provider string }{
		{"acme", "alipay_qr", "alipay-acme"},
		{"acme", "alipay_page", "alipay"},
		{"other", "alipay_qr", "alipay"},
		{"", "alipay_qr", "alipay"},
		{"acme", "wechatpay_native", "wechatpay-acme"},
		{"other", "wechatpay_native", ""},
		{"acme", "cash", ""},
	} {
		p, ok := r.ForMethod(want.organiser, want.method)
		require.Equal(t, want.provider != "", ok, want)
		if ok {
			require.Equal(t, want.provider, p.Name(), want)
		}
	}
	require.True(t, r.Depends("alipay_qr"))
	require.True(t, r.Depends("wechatpay_native"))
	require.False(t, r.Depends("alipay_page"))
	require.Equal(t, []string{"alipay_page", "alipay_qr", "stripe_checkout", "wechatpay_native"}, r.Methods("acme", "CNY"))
	require.Equal(t, []string{"alipay_page", "alipay_qr", "stripe_checkout"}, r.Methods("other", "CNY"))
	require.Equal(t, []string{"stripe_checkout"}, r.Methods("acme", "JPY"), "a gateway is offered for what it collects")
	require.Equal(t, []payment.Provider{house, own, card, elsewhere}, r.Providers())
	found, ok := r.Provider("alipay-acme")
	require.True(t, ok, "callbacks name the account")
	require.Equal(t, own, found)
}

func TestNoTwoAccountsAnswerToOneNameOrMethod(t *testing.T) {
	one := shop{name: "alipay", methods: []string{"alipay_qr"}}
	_, err := payment.NewRegistry(one, one)
	require.ErrorContains(t, err, `"alipay" is registered twice`)
	_, err = payment.NewRegistry(one, shop{name: "alipay-2", methods: []string{"alipay_qr"}})
	require.ErrorContains(t, err, `"alipay_qr" is offered twice`)
}
