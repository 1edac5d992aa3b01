package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/serviceerror"

	"github.com/boxoffice/boxoffice/config"
	"github.com/boxoffice/boxoffice/encryption"
	"github.com/boxoffice/boxoffice/store"
	"github.com/boxoffice/boxoffice/store/demo"
)

// withStore runs what needs only the database.
func withStore(ctx context.Context, cfg config.Config, run func(*store.Store) error) error {
	ring, err := encryption.ParseKeyring(cfg.EncryptionKeys.Reveal())
	if err != nil {
		return err
	}
	s, err := openStore(ctx, cfg, ring)
	if err != nil {
		return err
	}
	defer s.Close()
	return run(s)
}

func runMigrate(ctx context.Context, cfg config.Config, log *slog.Logger) error {
	if err := withStore(ctx, cfg, func(s *store.Store) error { return s.Migrate(ctx) }); err != nil {
		return err
	}
	log.Info("the database's schema is up to date")
	if cfg.TemporalAddress == "" {
		return nil
	}
	return registerSearchAttributes(ctx, cfg, log)
}

// registerSearchAttributes makes Temporal know the attributes by which operators find workflows.
func registerSearchAttributes(ctx context.Context, cfg config.Config, log *slog.Logger) error {
	ring, err := encryption.ParseKeyring(cfg.EncryptionKeys.Reveal())
	if err != nil {
		return err
	}
	c, err := dialTemporal(ctx, cfg, ring, log)
	if err != nil {
		return err
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	_, err = c.OperatorService().AddSearchAttributes(ctx, &operatorservice.AddSearchAttributesRequest{
		Namespace: cfg.TemporalNamespace,
		SearchAttributes: map[string]enumspb.IndexedValueType{
			"OrderState":     enumspb.INDEXED_VALUE_TYPE_KEYWORD,
			"EventId":        enumspb.INDEXED_VALUE_TYPE_KEYWORD,
			"Organiser":      enumspb.INDEXED_VALUE_TYPE_KEYWORD,
			"Provider":       enumspb.INDEXED_VALUE_TYPE_KEYWORD,
			"Amount":         enumspb.INDEXED_VALUE_TYPE_INT,
			"NeedsAttention": enumspb.INDEXED_VALUE_TYPE_BOOL,
		},
	})
	var exists *serviceerror.AlreadyExists
	if err != nil && !errors.As(err, &exists) {
		return fmt.Errorf("register the search attributes: %w", err)
	}
	log.Info("temporal knows the search attributes")
	return nil
}

func runSeed(ctx context.Context, cfg config.Config, log *slog.Logger) error {
	return withStore(ctx, cfg, func(s *store.Store) error {
		for _, m := range demo.SeatMaps() {
			if err := s.ImportSeatMap(ctx, m); err != nil {
				return err
			}
		}
		events := demo.Catalogue(time.Now().UTC())
		if err := s.SeedCatalogue(ctx, events...); err != nil {
			return err
		}
		vouchers, codes := demo.Vouchers(events)
		if err := s.PutVouchers(ctx, vouchers, codes); err != nil {
			return err
		}
		code, presales := demo.Presales(events)
		if err := s.PutPresales(ctx, code, presales...); err != nil {
			return err
		}
		for _, programme := range demo.Programmes() {
			if err := s.PutProgramme(ctx, programme); err != nil {
				return err
			}
		}
		log.Info("the demo catalogue is loaded", "events", len(events))
		return nil
	})
}

// errViolated makes `audit` end with a failure after its lines are printed.
var errViolated = errors.New("invariants are violated")

func runAudit(ctx context.Context, cfg config.Config, _ *slog.Logger) error {
	return withStore(ctx, cfg, func(s *store.Store) error {
		violations, err := s.Audit(ctx)
		if err != nil {
			return err
		}
		for _, v := range violations {
			fmt.Println(v)
		}
		if len(violations) > 0 {
			return fmt.Errorf("%d %w", len(violations), errViolated)
		}
		fmt.Println("every invariant holds")
		return nil
	})
}
