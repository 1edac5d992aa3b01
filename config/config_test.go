package config_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/boxoffice/boxoffice/config"
)

func key(id string) string {
	return id + ":" + base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{7}, 32))
}

func full() map[string]string {
	return map[string]string{
		"BOXOFFICE_DATABASE_URL":         "postgres://u:hunter2-database@127.0.0.1:5432/boxoffice",
		"BOXOFFICE_TEMPORAL_ADDRESS":     "127.0.0.1:7233",
		"BOXOFFICE_ENCRYPTION_KEYS":      key("a") + "," + key("b"),
		"BOXOFFICE_SANDBOX_MERCHANT":     "M1",
		"BOXOFFICE_SANDBOX_KEY":          "hunter2-sandbox-key",
		"BOXOFFICE_SANDBOX_CALLBACK_KEY": "hunter2-callback-1,hunter2-callback-2",
		"BOXOFFICE_CODEC_TOKEN":          "hunter2-codec-token",
		"BOXOFFICE_TRUSTED_PROXIES":      "10.0.0.0/8,192.0.2.7",
		"BOXOFFICE_LOG_LEVEL":            "debug",
	}
}

var everything = []config.Need{
	config.NeedDatabase, config.NeedTemporal, config.NeedEncryption, config.NeedGateways, config.NeedSandbox, config.NeedCodec,
}

func TestACompleteEnvironmentIsRead(t *testing.T) {
	c, err := config.From(full(), everything...)
	require.NoError(t, err)
	require.Equal(t, "postgres://u:hunter2-database@127.0.0.1:5432/boxoffice", c.DatabaseURL.Reveal())
	require.Equal(t, "default", c.TemporalNamespace)
	require.Equal(t, "127.0.0.1:8080", c.HTTPAddress)
	require.Equal(t, slog.LevelDebug, c.LogLevel)
	require.Len(t, c.SandboxCallbackKeys, 2)
	require.Equal(t, "hunter2-callback-2", c.SandboxCallbackKeys[1].Reveal())
	require.Len(t, c.TrustedProxies, 2)
	require.Equal(t, "192.0.2.7/32", c.TrustedProxies[1].String())
}

func TestOnlyWhatARoleNeedsIsRequired(t *testing.T) {
	_, err := config.From(map[string]string{}, []config.Need{}...)
	require.NoError(t, err)
	_, err = config.From(map[string]string{"BOXOFFICE_DATABASE_URL": "postgres://h/d"}, config.NeedDatabase)
	require.NoError(t, err)
}

func TestEveryMistakeIsReportedAtOnce(t *testing.T) {
	_, err := config.From(map[string]string{
		"BOXOFFICE_DATABASE_URL":         "mysql://root:hunter2@h/d",
		"BOXOFFICE_DATABASE_CONNECTIONS": "many",
		"BOXOFFICE_TEMPORAL_ADDRESS":     "nowhere",
		"BOXOFFICE_HTTP_ADDRESS":         "127.0.0.1:99999",
		"BOXOFFICE_PUBLIC_URL":           "https://tickets.example/app/",
		"BOXOFFICE_TRUSTED_PROXIES":      "everyone",
		"BOXOFFICE_ORDERS_PER_SECOND":    "-1",
		"BOXOFFICE_ORDERS_BURST":         "0",
		"BOXOFFICE_ENCRYPTION_KEYS":      "a:hunter2,a:aHVudGVyMg==,nocolon",
		"BOXOFFICE_SANDBOX_URL":          "sandbox",
		"BOXOFFICE_SANDBOX_KEY":          "hunter2",
		"BOXOFFICE_SANDBOX_CALLBACK_KEY": "hunter2",
		"BOXOFFICE_CODEC_ADDRESS":        "x",
		"BOXOFFICE_PPROF_ADDRESS":        "0.0.0.0:6060",
		"BOXOFFICE_CODEC_TOKEN":          "hunter2/hunter2/hunter2",
		"BOXOFFICE_LOG_LEVEL":            "loud",
		"BOXOFFICE_LOG_FORMAT":           "xml",
	}, everything...)
	require.Error(t, err)
	for _, name := range []string{
		"DATABASE_URL", "DATABASE_CONNECTIONS", "TEMPORAL_ADDRESS", "HTTP_ADDRESS", "PUBLIC_URL", "TRUSTED_PROXIES",
		"ORDERS_PER_SECOND", "ORDERS_BURST", "ENCRYPTION_KEYS", "SANDBOX_URL", "SANDBOX_MERCHANT", "SANDBOX_KEY",
		"SANDBOX_CALLBACK_KEY", "CODEC_ADDRESS", "PPROF_ADDRESS", "CODEC_TOKEN", "LOG_LEVEL", "LOG_FORMAT",
	} {
		require.Contains(t, err.Error(), "BOXOFFICE_"+name+":")
	}
	require.NotContains(t, err.Error(), "hunter2", "a secret is never repeated")
	for line := range strings.SplitSeq(err.Error(), "\n") {
		require.True(t, strings.HasPrefix(line, "BOXOFFICE_"), line)
	}
}

func TestSecretsAreNotPrinted(t *testing.T) {
	c, err := config.From(full(), everything...)
	require.NoError(t, err)
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("config", "config", c, "key", c.SandboxKey)
	encoded, err := json.Marshal(c)
	require.NoError(t, err)
	for _, text := range []string{fmt.Sprint(c), fmt.Sprintf("%+v %#v", c, c), log.String(), string(encoded)} {
		require.NotContains(t, text, "hunter2")
	}
}

func TestQueuesAreKnownAndNamedOnce(t *testing.T) {
	queues := func(value string) ([]string, error) {
		c, err := config.From(map[string]string{"BOXOFFICE_QUEUES": value})
		return c.Queues, err
	}
	named, err := queues("payment,notification")
	require.NoError(t, err)
	require.Equal(t, []string{"payment", "notification"}, named)
	for _, wrong := range []string{"payments", "payment,payment", "payment,"} {
		_, err := queues(wrong)
		require.ErrorContains(t, err, "BOXOFFICE_QUEUES: must name some of purchase, payment, notification, each once", wrong)
	}
}
