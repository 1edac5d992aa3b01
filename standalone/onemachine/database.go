package onemachine

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/boxoffice/boxoffice/store/localpostgres"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// productDatabase is the name of the product's database on a server of our own.
const productDatabase = "boxoffice"

// startPostgres starts our own server, or checks the one we were told to use, and makes sure that the product's
// database exists. It returns the URL of that database, and nil for somebody else's server.
func (s Settings) startPostgres(ctx context.Context) (*localpostgres.Server, string, error) {
	if !s.usesOwnPostgres() {
		return nil, s.DatabaseURL, ensureDatabase(ctx, s.DatabaseURL)
	}
	server, err := localpostgres.Start(ctx, localpostgres.Options{
		DataFolder: s.postgresFolder(), Port: s.PostgresPort, LogFile: s.log("postgres"), Fast: s.fast,
	})
	if _, busy := errors.AsType[*localpostgres.PortInUseError](err); busy {
		return nil, "", s.postgresUse().busy()
	} else if err != nil {
		return nil, "", err
	}
	return server, server.URL(productDatabase), server.CreateDatabase(ctx, productDatabase)
}

// ensureDatabase connects to the database of the URL and creates it if only it is missing.
func ensureDatabase(ctx context.Context, databaseURL string) error {
	const variable = "BOXOFFICE_DATABASE_URL"
	settings, err := pgx.ParseConfig(databaseURL)
	if err != nil {
		return fmt.Errorf("%s: %w", variable, err)
	}
	connection, err := pgx.ConnectConfig(ctx, settings)
	const unknownDatabase = "3D000"
	if failure, ok := errors.AsType[*pgconn.PgError](err); ok && failure.Code == unknownDatabase {
		return createDatabase(ctx, settings)
	} else if err != nil {
		return fmt.Errorf("%s: %w", variable, err)
	}
	defer connection.Close(ctx)
	var version string
	if err := connection.QueryRow(ctx, "SHOW server_version_num").Scan(&version); err != nil {
		return fmt.Errorf("%s: %w", variable, err)
	}
	if number, err := strconv.Atoi(version); err == nil && number/10000 < localpostgres.OldestSupported {
		return fmt.Errorf("%s: the server has PostgreSQL %d, but %d or newer is needed", variable, number/10000, localpostgres.OldestSupported)
	}
	return nil
}

func createDatabase(ctx context.Context, settings *pgx.ConnConfig) error {
	name := settings.Database
	settings.Database = "postgres"
	connection, err := pgx.ConnectConfig(ctx, settings)
	if err != nil {
		return fmt.Errorf("BOXOFFICE_DATABASE_URL: create the database %s: %w", name, err)
	}
	defer connection.Close(ctx)
	if _, err := connection.Exec(ctx, "CREATE DATABASE "+pgx.Identifier{name}.Sanitize()); err != nil {
		return fmt.Errorf("BOXOFFICE_DATABASE_URL: create the database %s: %w", name, err)
	}
	return nil
}
