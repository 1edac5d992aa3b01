package main

import (
	"context"
	"flag"
	"os"

	"github.com/boxoffice/boxoffice/standalone/onemachine"
	"github.com/boxoffice/boxoffice/standalone/temporalserver"
)

func upCommand(stop, kill context.Context, arguments []string) error {
	settings, err := onemachine.FromEnvironment(os.Getenv)
	if err != nil {
		return err
	}
	settings.AwaitTemporal = func(ctx context.Context, address string) error {
		return temporalserver.AwaitUsable(ctx, address, []string{settings.Namespace})
	}

	flags := flag.NewFlagSet("up", flag.ContinueOnError)
	flags.StringVar(&settings.Data, "data", settings.Data, "folder of everything that lasts (BOXOFFICE_DATA)")
	flags.StringVar(&settings.Boxoffice, "binary", settings.Boxoffice, "the boxoffice binary; empty means the one beside this program (BOXOFFICE_BINARY)")
	flags.StringVar(&settings.HTTP, "http-address", settings.HTTP, "web pages and API (BOXOFFICE_HTTP_ADDRESS)")
	flags.StringVar(&settings.Sandbox, "sandbox-address", settings.Sandbox, "sandbox gateway (BOXOFFICE_SANDBOX_ADDRESS)")
	flags.StringVar(&settings.Codec, "codec-address", settings.Codec, "codec server of the Temporal UI (BOXOFFICE_CODEC_ADDRESS)")
	flags.StringVar(&settings.Inbox, "inbox-address", settings.Inbox, "local inbox of mails and SMS (BOXOFFICE_INBOX_ADDRESS)")
	flags.StringVar(&settings.TemporalUI, "temporal-ui-address", settings.TemporalUI, "Temporal UI (BOXOFFICE_TEMPORAL_UI_ADDRESS)")
	flags.IntVar(&settings.TemporalPort, "temporal-port", settings.TemporalPort, "Temporal on 127.0.0.1 (BOXOFFICE_TEMPORAL_PORT)")
	flags.IntVar(&settings.PostgresPort, "postgres-port", settings.PostgresPort, "PostgreSQL on 127.0.0.1 (BOXOFFICE_POSTGRES_PORT)")
	flags.StringVar(&settings.ExternalTemporal, "temporal-address", settings.ExternalTemporal,
		"a Temporal server that runs already; empty means to start one (BOXOFFICE_TEMPORAL_ADDRESS)")
	if err := parse(flags, arguments); err != nil {
		return err
	}
	return onemachine.Run(stop, kill, settings, os.Stdout)
}
