package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/boxoffice/boxoffice/api"
	"github.com/boxoffice/boxoffice/config"
	"github.com/boxoffice/boxoffice/payment"
	"github.com/boxoffice/boxoffice/payment/alipay"
	"github.com/boxoffice/boxoffice/payment/sandbox"
	"github.com/boxoffice/boxoffice/payment/stripe"
	"github.com/boxoffice/boxoffice/payment/unionpay"
	"github.com/boxoffice/boxoffice/payment/wechatpay"
)

// openGateways makes the adapter of every account. One without valid keys is an error that says why.
func openGateways(cfg config.Config) (*payment.Registry, error) {
	var (
		accounts []payment.Account
		mistakes []error
	)
	for _, m := range cfg.Merchants {
		provider, err := openGateway(cfg, m)
		if err != nil {
			mistakes = append(mistakes, fmt.Errorf("payment gateway %s: %w", m.Name, err))
			continue
		}
		accounts = append(accounts, payment.Account{Provider: provider, OrganiserID: m.OrganiserID})
	}
	if len(mistakes) > 0 {
		return nil, errors.Join(mistakes...)
	}
	return payment.NewAccounts(accounts...)
}

func openGateway(cfg config.Config, m config.Merchant) (payment.Provider, error) {
	switch {
	case m.Alipay != nil:
		c := m.Alipay
		return alipay.New(alipay.Config{
			Name: m.Name, AppID: c.AppID, SellerID: c.SellerID, Key: c.Key, PublicKeys: slices.Collect(maps.Values(c.PublicKeys)),
			Certificates: c.Certificates, AppCertificate: c.AppCertificate, Roots: c.Roots, URL: c.URL,
		})
	case m.UnionPay != nil:
		c := m.UnionPay
		return unionpay.New(unionpay.Config{
			Name: m.Name, Merchant: c.Merchant, PFX: c.PFX, PFXPassword: c.PFXPassword.Reveal(), Certificate: c.Certificate, Key: c.Key,
			Roots: c.Roots, Intermediates: c.Intermediates, SignerNames: c.SignerNames, AcceptSHA1: c.AcceptSHA1,
			RefundNotifyURL: callbackURL(cfg, m), URL: c.URL, FileURL: c.FileURL,
		})
	case m.WechatPay != nil:
		c := m.WechatPay
		return wechatpay.New(wechatpay.Config{
			Name: m.Name, Merchant: c.Merchant, AppID: c.AppID, Key: c.Key, Serial: c.Serial, APIv3Key: c.APIv3Key.Reveal(),
			PublicKeys: c.PublicKeys, Certificates: c.Certificates, RefundNotifyURL: callbackURL(cfg, m), SiteName: c.SiteName, URL: c.URL,
		})
	case m.Stripe != nil:
		c := m.Stripe
		return stripe.New(stripe.Config{
			Name: m.Name, SecretKey: c.SecretKey.Reveal(), WebhookSecrets: reveal(c.WebhookSecrets), Account: c.Account,
			PaymentMethods: c.PaymentMethods, Currencies: c.Currencies, URL: c.URL,
		})
	default:
		return sandbox.New(sandbox.Config{
			URL: cfg.SandboxURL, Merchant: cfg.SandboxMerchant, Key: cfg.SandboxKey.Reveal(), CallbackKeys: reveal(cfg.SandboxCallbackKeys),
		})
	}
}

// callbackURL is where an account's gateway tells us what happened, for what is not asked for with an address of its own.
func callbackURL(cfg config.Config, m config.Merchant) string {
	return cfg.PublicURL + api.CallbackPath + m.Name
}

func reveal(secrets []config.Secret) []string {
	values := make([]string, len(secrets))
	for i, s := range secrets {
		values[i] = s.Reveal()
	}
	return values
}
