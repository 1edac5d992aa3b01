package main

import (
	"context"
	"log/slog"

	"github.com/boxoffice/boxoffice/config"
	"github.com/boxoffice/boxoffice/payment/sandbox/gateway"
)

// runSandbox is the sandbox gateway, a company of its own: it shares nothing with the product but the protocol.
func runSandbox(ctx context.Context, cfg config.Config, log *slog.Logger) error {
	keys := make([]string, len(cfg.SandboxCallbackKeys))
	for i, key := range cfg.SandboxCallbackKeys {
		keys[i] = key.Reveal()
	}
	g, err := gateway.Open(gateway.Config{
		Address: cfg.SandboxAddress, PublicURL: cfg.SandboxURL, Merchant: cfg.SandboxMerchant,
		Key: cfg.SandboxKey.Reveal(), CallbackKeys: keys, File: cfg.SandboxData, Log: log,
	})
	if err != nil {
		return err
	}
	log.Info("the sandbox gateway listens", "address", g.Addr(), "merchant", cfg.SandboxMerchant)
	<-ctx.Done()
	return g.Close()
}
