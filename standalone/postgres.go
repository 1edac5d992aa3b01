package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"time"

	"github.com/boxoffice/boxoffice/store/localpostgres"
)

func postgresCommand(ctx, kill context.Context, arguments []string) error {
	flags := flag.NewFlagSet("postgres", flag.ContinueOnError)
	data := setting(flags, "data", "BOXOFFICE_POSTGRES_DATA", ".boxoffice/postgres", "folder of the data")
	port := flags.Int("port", 0, "port on 127.0.0.1; 0 means any free one")
	logFile := flags.String("log", "", "file for the server's log; empty means server.log in the data folder")
	fast := flags.Bool("fast", false, "do not wait for the disk: data survives any process, but not a power cut; for tests")
	if err := parse(flags, arguments); err != nil {
		return err
	}

	server, err := localpostgres.Start(ctx, localpostgres.Options{DataFolder: *data, Port: *port, LogFile: *logFile, Fast: *fast})
	if err != nil {
		return err
	}
	fmt.Println(server.URL("postgres"))

	select {
	case <-ctx.Done():
	case <-server.Exited():
		return errors.Join(errors.New("PostgreSQL ended by itself"), stopPostgres(kill, server))
	}
	return stopPostgres(kill, server)
}

func stopPostgres(kill context.Context, server *localpostgres.Server) error {
	ctx, cancel := context.WithTimeout(kill, 10*time.Second)
	defer cancel()
	return server.Stop(ctx)
}
