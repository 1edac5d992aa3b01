package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/boxoffice/boxoffice/standalone/temporalserver"
)

const temporalStartTimeout = 60 * time.Second

func temporalCommand(ctx, _ context.Context, arguments []string) error {
	flags := flag.NewFlagSet("temporal", flag.ContinueOnError)
	// No default here: the list of flags would show the password.
	databaseURL := flags.String("database-url", "",
		"any database on the PostgreSQL server to use; its user creates the databases of Temporal (BOXOFFICE_DATABASE_URL)")
	database := setting(flags, "database", "BOXOFFICE_TEMPORAL_DATABASE", "temporal",
		"name of Temporal's database; a second one is named like it with _visibility")
	address := setting(flags, "address", "BOXOFFICE_TEMPORAL_ADDRESS", "127.0.0.1:7233", "where workers and clients connect")
	uiAddress := setting(flags, "ui-address", "BOXOFFICE_TEMPORAL_UI_ADDRESS", "127.0.0.1:8233", "where the web UI listens")
	codecEndpoint := setting(flags, "codec-endpoint", "BOXOFFICE_CODEC_ENDPOINT", "",
		"URL that the UI's browser asks to decode payloads, such as http://127.0.0.1:8234/<token>")
	metricsAddress := setting(flags, "metrics-address", "BOXOFFICE_TEMPORAL_METRICS_ADDRESS", "",
		"where the server's own Prometheus metrics are; empty means nowhere")
	logLevel := setting(flags, "log-level", "BOXOFFICE_TEMPORAL_LOG_LEVEL", "warn", "debug, info, warn or error")
	namespaces := setting(flags, "namespace", "BOXOFFICE_TEMPORAL_NAMESPACE", "default", "namespaces to register, separated by commas")
	noUI := flags.Bool("no-ui", false, "leave out the web UI")
	if err := parse(flags, arguments); err != nil {
		return err
	}
	if *noUI {
		*uiAddress = ""
	}

	starting, cancel := context.WithTimeout(ctx, temporalStartTimeout)
	defer cancel()
	server, err := temporalserver.Start(starting, temporalserver.Options{
		DatabaseURL:    cmp.Or(*databaseURL, os.Getenv("BOXOFFICE_DATABASE_URL")),
		Database:       *database,
		Address:        *address,
		UIAddress:      *uiAddress,
		CodecEndpoint:  *codecEndpoint,
		MetricsAddress: *metricsAddress,
		Namespaces:     strings.Split(*namespaces, ","),
		LogLevel:       *logLevel,
	})
	if err != nil {
		return err
	}
	fmt.Println("ready")
	<-ctx.Done()
	return server.Stop()
}
