package main

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"

	"github.com/boxoffice/boxoffice/activities"
	"github.com/boxoffice/boxoffice/config"
	"github.com/boxoffice/boxoffice/encryption"
	"github.com/boxoffice/boxoffice/payment"
	"github.com/boxoffice/boxoffice/store"
	"github.com/boxoffice/boxoffice/ticketing"
	"github.com/boxoffice/boxoffice/worker"
	"github.com/boxoffice/boxoffice/workflows"
)

// connections are what the service roles have in common.
type connections struct {
	ring      *encryption.Keyring
	store     *store.Store
	temporal  client.Client
	gateways  *payment.Registry
	deliverer *workflows.Delivery
	registry  *prometheus.Registry
	log       *slog.Logger
}

// connect opens the database, Temporal and the gateways. Close what it returns.
func connect(ctx context.Context, cfg config.Config, log *slog.Logger) (_ *connections, err error) {
	c := &connections{log: log, registry: prometheus.NewRegistry()}
	c.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	defer func() {
		if err != nil {
			c.close()
		}
	}()
	if c.ring, err = encryption.ParseKeyring(cfg.EncryptionKeys.Reveal()); err != nil {
		return nil, err
	}
	if c.store, err = openStore(ctx, cfg, c.ring); err != nil {
		return nil, err
	}
	if c.temporal, err = dialTemporal(ctx, cfg, c.ring, log); err != nil {
		return nil, err
	}
	if c.gateways, err = openGateways(cfg); err != nil {
		return nil, err
	}
	c.deliverer = workflows.NewDelivery(c.temporal)
	return c, nil
}

func (c *connections) close() {
	if c.temporal != nil {
		c.temporal.Close()
	}
	if c.store != nil {
		c.store.Close()
	}
}

func openStore(ctx context.Context, cfg config.Config, ring *encryption.Keyring) (*store.Store, error) {
	return store.Open(ctx, store.Config{
		URL:            cfg.DatabaseURL.Reveal(),
		MaxConnections: cfg.DatabaseConnections,
		Keyring:        ring,
	})
}

// dialTemporal connects with the encrypting codec. It waits for a server that is just starting.
func dialTemporal(ctx context.Context, cfg config.Config, ring *encryption.Keyring, logger *slog.Logger) (client.Client, error) {
	codec := workflows.NewCodec(ring)
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		c, err := client.DialContext(ctx, client.Options{
			HostPort:         cfg.TemporalAddress,
			Namespace:        cfg.TemporalNamespace,
			DataConverter:    codec.DataConverter(),
			FailureConverter: codec.FailureConverter(),
			// Only what has to be logged is written out: a logger that knows With would write the fields of every workflow
			// task and activity beforehand.
			Logger: struct{ log.Logger }{log.NewStructuredLogger(logger)},
			ConnectionOptions: client.ConnectionOptions{
				// What we send is encrypted and short: compressing it costs processor time on both sides and saves nothing.
				GrpcCompression: &client.GrpcCompressionNone{},
			},
		})
		if err == nil {
			return c, nil
		}
		logger.Warn("Temporal does not answer yet", "address", cfg.TemporalAddress, "error", err)
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("temporal at %s: %w", cfg.TemporalAddress, err)
		case <-time.After(time.Second):
		}
	}
}

// startWorkers starts the workers. Observer hears of every hold, busy says whether buyers are told later; both may be nil.
func (c *connections) startWorkers(
	ctx context.Context, cfg config.Config, observer activities.HoldObserver, busy func() bool, onFatal func(error),
) (*worker.Workers, error) {
	metrics := activities.NewMetrics(c.registry)
	terms := map[string]ticketing.FeeTerms{}
	for provider, fee := range cfg.GatewayFees {
		terms[provider] = ticketing.FeeTerms{BasisPoints: fee.BasisPoints, Tolerance: fee.Tolerance}
	}
	notifications, err := c.notifications(cfg, busy, metrics)
	if err != nil {
		return nil, err
	}
	return worker.Start(ctx, worker.Config{
		Client:         c.temporal,
		Queues:         cfg.Queues,
		Purchase:       &activities.Purchase{Store: c.store, Gateways: c.gateways, Metrics: metrics, Observer: observer},
		Payments:       &activities.Payments{Store: c.store, Gateways: c.gateways, Deliverer: c.deliverer, Metrics: metrics, Log: c.log},
		Reconciliation: &activities.Reconciliation{Store: c.store, Gateways: c.gateways, Terms: terms, Log: c.log},
		Calendars:      c.calendars(),
		Notifications:  notifications,
		OnFatal:        onFatal,
	})
}

// calendars are the zones of the gateways' days, by the name of the provider.
func (c *connections) calendars() map[string]*time.Location {
	calendars := map[string]*time.Location{}
	for _, gateway := range c.gateways.Providers() {
		calendars[gateway.Name()] = payment.CalendarOf(gateway)
	}
	return calendars
}
