package temporalserver

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/google/uuid"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	persistencespb "go.temporal.io/server/api/persistence/v1"
	"go.temporal.io/server/common"
	"go.temporal.io/server/common/log"
	"go.temporal.io/server/common/metrics"
	"go.temporal.io/server/common/persistence"
	"go.temporal.io/server/common/persistence/serialization"
	"go.temporal.io/server/common/persistence/sql"
	"go.temporal.io/server/common/resolver"
	"go.temporal.io/server/common/searchattribute/sadefs"
	"google.golang.org/protobuf/types/known/durationpb"
)

// registerNamespaces writes the namespaces and their search attributes before the services start. Through the API it
// would take seconds until each service has noticed, and a workflow started in between would fail.
func (o Options) registerNamespaces(ctx context.Context, logger log.Logger) error {
	settings, err := database(o.DatabaseURL, o.Database, 1)
	if err != nil {
		return err
	}
	serializer := serialization.NewSerializer()
	factory := sql.NewFactory(*settings, resolver.NewNoopResolver(), clusterName, logger, metrics.NoopMetricsHandler, serializer)
	defer factory.Close()
	store, err := factory.NewMetadataStore()
	if err != nil {
		return err
	}
	manager := persistence.NewMetadataManagerImpl(store, serializer, logger, clusterName)
	defer manager.Close()
	for _, name := range o.Namespaces {
		if err := registerNamespace(ctx, manager, name); err != nil {
			return fmt.Errorf("register the namespace %s: %w", name, err)
		}
	}
	return nil
}

func registerNamespace(ctx context.Context, manager persistence.MetadataManager, name string) error {
	found, err := manager.GetNamespace(ctx, &persistence.GetNamespaceRequest{Name: name})
	if _, missing := errors.AsType[*serviceerror.NamespaceNotFound](err); missing {
		fields, err := withSearchAttributes(nil)
		if err != nil {
			return err
		}
		_, err = manager.CreateNamespace(ctx, &persistence.CreateNamespaceRequest{Namespace: newNamespace(name, fields)})
		return err
	} else if err != nil {
		return err
	}

	before := found.Namespace.GetConfig().GetCustomSearchAttributeAliases()
	after, err := withSearchAttributes(before)
	if err != nil || maps.Equal(before, after) {
		return err
	}
	metadata, err := manager.GetMetadata(ctx)
	if err != nil {
		return err
	}
	found.Namespace.Config.CustomSearchAttributeAliases = after
	found.Namespace.ConfigVersion++
	return manager.UpdateNamespace(ctx, &persistence.UpdateNamespaceRequest{
		Namespace:           found.Namespace,
		IsGlobalNamespace:   found.IsGlobalNamespace,
		NotificationVersion: metadata.NotificationVersion,
	})
}

func newNamespace(name string, fields map[string]string) *persistencespb.NamespaceDetail {
	return &persistencespb.NamespaceDetail{
		Info: &persistencespb.NamespaceInfo{
			Id:    uuid.NewString(),
			State: enums.NAMESPACE_STATE_REGISTERED,
			Name:  name,
		},
		Config: &persistencespb.NamespaceConfig{
			Retention:                    durationpb.New(retention),
			HistoryArchivalState:         enums.ARCHIVAL_STATE_DISABLED,
			VisibilityArchivalState:      enums.ARCHIVAL_STATE_DISABLED,
			CustomSearchAttributeAliases: fields,
		},
		ReplicationConfig: &persistencespb.NamespaceReplicationConfig{
			ActiveClusterName: clusterName,
			Clusters:          []string{clusterName},
		},
		FailoverVersion:             common.EmptyVersion,
		FailoverNotificationVersion: -1,
	}
}

// withSearchAttributes returns the table from visibility column to search attribute with every attribute of ours in
// it. What the table says already is kept: rows were written by it.
func withSearchAttributes(table map[string]string) (map[string]string, error) {
	result := maps.Clone(table)
	if result == nil {
		result = map[string]string{}
	}
	columns := sadefs.GetDBIndexSearchAttributes(nil).GetCustomSearchAttributes()
	present := slices.Collect(maps.Values(result))
	for _, attribute := range slices.Sorted(maps.Keys(SearchAttributes)) {
		if slices.Contains(present, attribute) {
			continue
		}
		column, err := freeColumn(columns, result, SearchAttributes[attribute])
		if err != nil {
			return nil, fmt.Errorf("search attribute %s: %w", attribute, err)
		}
		result[column] = attribute
	}
	return result, nil
}

func freeColumn(columns map[string]enums.IndexedValueType, taken map[string]string, kind enums.IndexedValueType) (string, error) {
	for _, column := range slices.Sorted(maps.Keys(columns)) {
		if _, used := taken[column]; !used && columns[column] == kind {
			return column, nil
		}
	}
	return "", fmt.Errorf("no free column of type %s is left", kind)
}
