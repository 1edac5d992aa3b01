package main

import (
	"context"
	"log/slog"
	"net/netip"
	"time"

	"github.com/boxoffice/boxoffice/activities"
	"github.com/boxoffice/boxoffice/api"
	"github.com/boxoffice/boxoffice/config"
	"github.com/boxoffice/boxoffice/web"
	"github.com/boxoffice/boxoffice/workflows"
)

// shutdownBound is how long running requests may take to finish.
const shutdownBound = 10 * time.Second

// runAll is everything in one process. Purchases start on this process's own worker, which tells
// the waiting request of the hold directly.
func runAll(ctx context.Context, cfg config.Config, log *slog.Logger) error {
	if err := runMigrate(ctx, cfg, log); err != nil {
		return err
	}
	c, err := connect(ctx, cfg, log)
	if err != nil {
		return err
	}
	defer c.close()
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	holds, load := api.NewHoldHub(), &api.Load{}
	workers, err := c.startWorkers(ctx, cfg, holds, load.Busy, stop)
	if err != nil {
		return err
	}
	defer workers.Stop()
	go func() {
		if err := serveCodec(ctx, cfg, c.ring, log); err != nil {
			stop(err)
		}
	}()
	if err := c.serveAPI(ctx, cfg, api.NewSagas(c.temporal, holds, true), load); err != nil {
		return err
	}
	return context.Cause(ctx)
}

// runAPI serves the API and the web; workers run elsewhere.
func runAPI(ctx context.Context, cfg config.Config, log *slog.Logger) error {
	c, err := connect(ctx, cfg, log)
	if err != nil {
		return err
	}
	defer c.close()
	return c.serveAPI(ctx, cfg, api.NewSagas(c.temporal, nil, false), nil)
}

// runWorker runs the workers only, and answers probes.
func runWorker(ctx context.Context, cfg config.Config, log *slog.Logger) error {
	c, err := connect(ctx, cfg, log)
	if err != nil {
		return err
	}
	defer c.close()
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var nobody activities.HoldObserver
	workers, err := c.startWorkers(ctx, cfg, nobody, nil, stop) // nobody waits here, so nothing gives way
	if err != nil {
		return err
	}
	defer workers.Stop()
	if err := c.serveProbes(ctx, cfg.WorkerAddress); err != nil {
		return err
	}
	return context.Cause(ctx)
}

// serveAPI serves until ctx ends, then lets running requests finish.
func (c *connections) serveAPI(ctx context.Context, cfg config.Config, sagas *api.Sagas, load *api.Load) error {
	var limiter api.Limiter
	if cfg.OrdersPerSecond > 0 {
		limiter = api.NewAddressLimiter(cfg.OrdersPerSecond, cfg.OrdersBurst)
	}
	carriers, err := reporting(cfg)
	if err != nil {
		return err
	}
	server, err := api.New(api.Config{
		Address:   cfg.HTTPAddress,
		PublicURL: cfg.PublicURL,
		Store:     c.store,
		Payments:  c.gateways,
		Purchases: sagas,
		Refunds:   sagas,
		Deliverer: c.deliverer,
		Identity:  c.ring,
		Carriers:  carriers,
		Web:       web.Dist,
		Policy: workflows.PurchasePolicy{
			Grace: cfg.PaymentGrace, CloseBound: cfg.GatewayDownBound, UnknownBound: cfg.OutcomeBound,
		},
		Log:            c.log,
		Registry:       c.registry,
		Load:           load,
		Limiter:        limiter,
		TrustedProxies: []netip.Prefix(cfg.TrustedProxies),
	})
	if err != nil {
		return err
	}
	if err := server.Open(); err != nil {
		return err
	}
	c.log.Info("API and web listen", "address", server.Addr(), "url", cfg.PublicURL)
	<-ctx.Done()
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownBound)
	defer cancel()
	return server.Shutdown(grace)
}
