package temporalserver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	uiserver "github.com/temporalio/ui-server/v2/server"
	"go.temporal.io/api/common/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"
	"go.temporal.io/server/common/authorization"
	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/log"
	"go.temporal.io/server/temporal"
)

// Server is a running Temporal server.
type Server struct {
	services temporal.Server
	ui       *uiserver.Server
	stop     sync.Once
	stopErr  error
}

// Start prepares the databases, starts the services and the UI, and returns when workflows can be started. On an error
// nothing is left running.
func Start(ctx context.Context, options Options) (*Server, error) {
	options.Address, options.UIAddress = numeric(options.Address), numeric(options.UIAddress)
	options.MetricsAddress = numeric(options.MetricsAddress)
	if err := options.validate(); err != nil {
		return nil, err
	}
	for what, address := range map[string]string{
		"Temporal": options.Address, "the Temporal UI": options.UIAddress, "Temporal's metrics": options.MetricsAddress,
	} {
		if err := checkFree(what, address); err != nil {
			return nil, err
		}
	}
	logger := log.NewZapLogger(log.BuildZapLogger(log.Config{Level: options.logLevel()}))
	if err := options.migrate(ctx, logger); err != nil {
		return nil, err
	}
	if err := options.registerNamespaces(ctx, logger); err != nil {
		return nil, err
	}

	settings, hosts, err := options.configuration()
	if err != nil {
		return nil, err
	}
	services, err := temporal.NewServer(
		temporal.WithConfig(settings),
		temporal.ForServices(temporal.DefaultServices),
		temporal.WithStaticHosts(hosts),
		temporal.WithLogger(logger),
		temporal.WithDynamicConfigClient(limits()),
		temporal.WithAuthorizer(authorization.NewNoopAuthorizer()),
		temporal.WithClaimMapper(func(*config.Config) authorization.ClaimMapper { return authorization.NewNoopClaimMapper() }),
	)
	if err != nil {
		return nil, fmt.Errorf("configure Temporal: %w", err)
	}
	if err := services.Start(); err != nil {
		return nil, fmt.Errorf("start Temporal: %w", err)
	}
	server := &Server{services: services}
	if options.UIAddress != "" {
		if server.ui, err = startUI(options); err != nil {
			return nil, errors.Join(err, server.Stop())
		}
	}
	if err := AwaitUsable(ctx, options.Address, options.Namespaces); err != nil {
		return nil, errors.Join(err, server.Stop())
	}
	return server, nil
}

// Stop lets the services finish what they are doing, which takes a few seconds, and closes everything.
func (s *Server) Stop() error {
	s.stop.Do(func() {
		if s.ui != nil {
			s.ui.Stop()
		}
		s.stopErr = s.services.Stop()
	})
	return s.stopErr
}

// AwaitUsable asks the server at the address until every part has answered: the frontend for each namespace, the
// visibility store for the search attributes, and the history service for a workflow that does not exist.
func AwaitUsable(ctx context.Context, address string, namespaces []string) error {
	lazy, err := client.NewLazyClient(client.Options{HostPort: address, Logger: sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler))})
	if err != nil {
		return err
	}
	defer lazy.Close()
	for {
		if err = usable(ctx, lazy.WorkflowService(), namespaces); err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("Temporal does not become ready: %w", err) //nolint:staticcheck // a name
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func usable(ctx context.Context, service workflowservice.WorkflowServiceClient, namespaces []string) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	for _, namespace := range namespaces {
		_, err := service.DescribeNamespace(ctx, &workflowservice.DescribeNamespaceRequest{Namespace: namespace})
		if err != nil {
			return err
		}
		_, err = service.CountWorkflowExecutions(ctx, &workflowservice.CountWorkflowExecutionsRequest{
			Namespace: namespace, Query: "OrderState = 'PENDING' AND NeedsAttention = true",
		})
		if err != nil {
			return err
		}
		_, err = service.DescribeWorkflowExecution(ctx, &workflowservice.DescribeWorkflowExecutionRequest{
			Namespace: namespace, Execution: &common.WorkflowExecution{WorkflowId: "is-temporal-ready"},
		})
		if _, missing := errors.AsType[*serviceerror.NotFound](err); !missing {
			return fmt.Errorf("ask for a workflow that does not exist: %w", err)
		}
	}
	return nil
}
