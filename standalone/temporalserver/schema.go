package temporalserver

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/log"
	"go.temporal.io/server/tools/common/schema"
	"go.temporal.io/server/tools/sql"
)

const (
	mainSchema       = "postgresql/v12/temporal"
	visibilitySchema = "postgresql/v12/visibility"

	// Any number that no other program locks; held while databases are created.
	creationLock = 7_233_000_101
)

// migrate creates the two databases where they are missing and brings their schema to the version of this server.
func (o Options) migrate(ctx context.Context, logger log.Logger) error {
	admin, err := pgx.Connect(ctx, o.DatabaseURL)
	if err != nil {
		return fmt.Errorf("connect to PostgreSQL: %w", err)
	}
	defer admin.Close(context.WithoutCancel(ctx))
	if _, err := admin.Exec(ctx, "SELECT pg_advisory_lock($1)", int64(creationLock)); err != nil {
		return err
	}

	for _, one := range []struct{ database, schema string }{
		{o.Database, mainSchema}, {o.visibilityDatabase(), visibilitySchema},
	} {
		if err := o.migrateOne(ctx, admin, one.database, one.schema, logger); err != nil {
			return fmt.Errorf("prepare the database %s: %w", one.database, err)
		}
	}
	return nil
}

func (o Options) migrateOne(ctx context.Context, admin *pgx.Conn, name, schemaName string, logger log.Logger) error {
	var exists bool
	err := admin.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", name).Scan(&exists)
	if err != nil {
		return err
	}
	if !exists {
		return o.create(ctx, admin, name, schemaName, logger)
	}
	settings, err := database(o.DatabaseURL, name, 1)
	if err != nil {
		return err
	}
	return applySchema(settings, schemaName, logger)
}

// create makes the database under another name and renames it when its schema is complete: half a schema, left by a
// start that was killed, could not be repaired.
func (o Options) create(ctx context.Context, admin *pgx.Conn, name, schemaName string, logger log.Logger) error {
	unfinished := name + "_unfinished"
	quoted := pgx.Identifier{unfinished}.Sanitize()
	if _, err := admin.Exec(ctx, "DROP DATABASE IF EXISTS "+quoted+" WITH (FORCE)"); err != nil {
		return err
	}
	if _, err := admin.Exec(ctx, "CREATE DATABASE "+quoted); err != nil {
		if failure, ok := errors.AsType[*pgconn.PgError](err); ok && failure.Code == "42501" { // insufficient_privilege
			return fmt.Errorf("the user of the database URL may not create databases: create the databases %s and %s_visibility for it: %w",
				o.Database, o.Database, err)
		}
		return err
	}
	settings, err := database(o.DatabaseURL, unfinished, 1)
	if err != nil {
		return err
	}
	if err := applySchema(settings, schemaName, logger); err != nil {
		return err
	}
	if err := o.adopt(ctx, unfinished, name); err != nil {
		return err
	}
	_, err = admin.Exec(ctx, "ALTER DATABASE "+quoted+" RENAME TO "+pgx.Identifier{name}.Sanitize())
	return err
}

// adopt tells the schema the name it is about to get: Temporal keeps the version under the database's name.
func (o Options) adopt(ctx context.Context, unfinished, name string) error {
	settings, err := pgx.ParseConfig(o.DatabaseURL)
	if err != nil {
		return err
	}
	settings.Database = unfinished
	connection, err := pgx.ConnectConfig(ctx, settings)
	if err != nil {
		return err
	}
	defer connection.Close(context.WithoutCancel(ctx))
	_, err = connection.Exec(ctx, "UPDATE schema_version SET db_name = $1 WHERE db_name = $2", name, unfinished)
	return err
}

// applySchema runs the statements that Temporal ships, from the version the database has to the newest.
func applySchema(settings *config.SQL, schemaName string, logger log.Logger) error {
	connection, err := sql.NewConnection(settings, logger)
	if err != nil {
		return err
	}
	defer connection.Close()
	if _, err := connection.ReadSchemaVersion(); err != nil {
		// An empty database, made by us just now or by an administrator for us.
		setup := schema.NewSetupSchemaTask(connection, &schema.SetupConfig{InitialVersion: "0.0"}, logger)
		if err := setup.Run(); err != nil {
			return err
		}
	}
	return schema.NewUpdateSchemaTask(connection, &schema.UpdateConfig{SchemaName: schemaName}, logger).Run()
}
