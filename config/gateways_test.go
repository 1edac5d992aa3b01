package config_test

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/boxoffice/boxoffice/config"
)

// with is a complete environment with some more variables.
func with(more map[string]string) map[string]string {
	all := full()
	maps.Copy(all, more)
	return all
}

func TestTheSandboxIsTheDefault(t *testing.T) {
	c, err := config.From(full(), config.NeedGateways)
	require.NoError(t, err)
	require.Equal(t, []config.Merchant{{Name: "sandbox"}}, c.Merchants)
	c, err = config.From(map[string]string{"BOXOFFICE_GATEWAYS": "nobody"})
	require.NoError(t, err, "what needs no gateways does not look at them")
	require.Empty(t, c.Merchants)
}

func TestSeveralAccountsAtOneGatewayHaveVariablesOfTheirOwn(t *testing.T) {
	folder := t.TempDir()
	roots := filepath.Join(folder, "roots.pem")
	require.NoError(t, os.WriteFile(roots, []byte("the roots"), 0o600))
	c, err := config.From(with(map[string]string{
		"BOXOFFICE_GATEWAYS":                   "unionpay,unionpay-acme",
		"BOXOFFICE_UNIONPAY_MERCHANT":          "777290058110048",
		"BOXOFFICE_UNIONPAY_ROOTS_FILE":        roots,
		"BOXOFFICE_UNIONPAY_PFX_PASSWORD":      "hunter2",
		"BOXOFFICE_UNIONPAY_ACME_MERCHANT":     "777290058110049",
		"BOXOFFICE_UNIONPAY_ACME_ORGANISER":    "acme",
		"BOXOFFICE_UNIONPAY_ACME_SIGNER_NAMES": "one,two",
	}), config.NeedGateways)
	require.NoError(t, err)
	require.Len(t, c.Merchants, 2)
	house, acme := c.Merchants[0], c.Merchants[1]
	require.Equal(t, "unionpay", acme.Kind())
	require.Empty(t, house.OrganiserID)
	require.Equal(t, "acme", acme.OrganiserID)
	require.Equal(t, "777290058110048", house.UnionPay.Merchant)
	require.Equal(t, "777290058110049", acme.UnionPay.Merchant)
	require.Equal(t, config.File("the roots"), house.UnionPay.Roots)
	require.Equal(t, "hunter2", house.UnionPay.PFXPassword.Reveal())
	require.Equal(t, []string{"one", "two"}, acme.UnionPay.SignerNames)
}

func TestFilesAreNamedByTheirIDs(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key.pem")
	require.NoError(t, os.WriteFile(path, []byte("a key"), 0o600))
	read := func(value string) (config.Config, error) {
		return config.From(with(map[string]string{
			"BOXOFFICE_GATEWAYS": "wechatpay", "BOXOFFICE_WECHATPAY_PUBLIC_KEY_FILES": value,
		}), config.NeedGateways)
	}
	c, err := read("PUB_KEY_ID_1:" + path + ", PUB_KEY_ID_2:" + path)
	require.NoError(t, err)
	require.Equal(t, config.Files{"PUB_KEY_ID_1": []byte("a key"), "PUB_KEY_ID_2": []byte("a key")}, c.Merchants[0].WechatPay.PublicKeys)
	for _, wrong := range []string{path, ":" + path, "PUB_KEY_ID_1:" + path + "x"} {
		_, err := read(wrong)
		require.ErrorContains(t, err, "BOXOFFICE_WECHATPAY_PUBLIC_KEY_FILES: ")
	}
}

func TestMistakesOfAccountsNameTheirVariables(t *testing.T) {
	_, err := config.From(with(map[string]string{
		"BOXOFFICE_GATEWAYS":                   "unionpay,unionpay,cash,Unionpay-x,unionpay-acme",
		"BOXOFFICE_UNIONPAY_ROOTS_FILE":        filepath.Join(t.TempDir(), "missing.pem"),
		"BOXOFFICE_UNIONPAY_ACME_ACCEPT_SHA1":  "perhaps",
		"BOXOFFICE_SANDBOX_KEY":                "", // not asked for: the sandbox is not named
		"BOXOFFICE_UNIONPAY_ACME_PFX_PASSWORD": "hunter2",
	}), config.NeedGateways)
	require.ErrorContains(t, err, `BOXOFFICE_GATEWAYS: "unionpay" is named twice`)
	require.ErrorContains(t, err, `BOXOFFICE_GATEWAYS: "cash" is none of alipay, sandbox, `)
	require.ErrorContains(t, err, `BOXOFFICE_GATEWAYS: "Unionpay-x" is none of`)
	require.ErrorContains(t, err, "BOXOFFICE_UNIONPAY_ROOTS_FILE: no such file or directory")
	require.ErrorContains(t, err, "BOXOFFICE_UNIONPAY_ACME_ACCEPT_SHA1: ")
	require.Len(t, strings.Split(err.Error(), "\n"), 5, "each is told once")
	require.NotContains(t, err.Error(), "hunter2")
	require.NotContains(t, err.Error(), "SANDBOX")
}
