package temporalserver

import (
	"cmp"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"go.temporal.io/server/common/cluster"
	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/membership/static"
	"go.temporal.io/server/common/metrics"
	"go.temporal.io/server/common/persistence/sql/sqlplugin/postgresql"
	"go.temporal.io/server/common/primitives"

	"github.com/boxoffice/boxoffice/store/localpostgres/freeport"
)

const (
	mainStore       = "main"
	visibilityStore = "visibility"

	// Each of the four services opens pools of its own, so at most 4·(24+8) connections: well below the limit of 200
	// of the server we bring, leaving room for the product.
	mainConnections       = 24
	visibilityConnections = 8
)

// database describes one database on the PostgreSQL server to Temporal.
func database(serverURL, name string, connections int) (*config.SQL, error) {
	parsed, err := pgx.ParseConfig(serverURL)
	if err != nil {
		return nil, fmt.Errorf("the database URL: %w", err)
	}
	address, err := url.Parse(serverURL)
	if err != nil {
		return nil, err
	}
	attributes := map[string]string{}
	for key, values := range address.Query() {
		attributes[key] = values[0]
	}
	if attributes["sslmode"] == "" {
		attributes["sslmode"] = "prefer" // Temporal's own default would be to disable it
	}
	return &config.SQL{
		PluginName:        postgresql.PluginNamePGX,
		ConnectProtocol:   "tcp",
		ConnectAddr:       net.JoinHostPort(parsed.Host, strconv.Itoa(int(parsed.Port))),
		User:              url.QueryEscape(parsed.User),
		Password:          parsed.Password,
		DatabaseName:      name,
		ConnectAttributes: attributes,
		MaxConns:          connections,
		MaxIdleConns:      connections, // the default of two reconnects all the time under load
		MaxConnLifetime:   time.Hour,
	}, nil
}

func (o Options) visibilityDatabase() string { return o.Database + "_visibility" }

// configuration is what a cluster operator would write into Temporal's YAML file.
func (o Options) configuration() (*config.Config, map[primitives.ServiceName]static.Hosts, error) {
	main, err := database(o.DatabaseURL, o.Database, mainConnections)
	if err != nil {
		return nil, nil, err
	}
	visibility, err := database(o.DatabaseURL, o.visibilityDatabase(), visibilityConnections)
	if err != nil {
		return nil, nil, err
	}
	frontend, err := netip.ParseAddrPort(o.Address)
	if err != nil {
		return nil, nil, err
	}

	result := &config.Config{
		Persistence: config.Persistence{
			DefaultStore:     mainStore,
			VisibilityStore:  visibilityStore,
			NumHistoryShards: historyShards,
			DataStores: map[string]config.DataStore{
				mainStore:       {SQL: main},
				visibilityStore: {SQL: visibility},
			},
		},
		ClusterMetadata: &cluster.Config{
			FailoverVersionIncrement: 10,
			MasterClusterName:        clusterName,
			CurrentClusterName:       clusterName,
			ClusterInformation: map[string]cluster.ClusterInformation{
				clusterName: {Enabled: true, InitialFailoverVersion: 1, RPCAddress: o.Address},
			},
		},
		DCRedirectionPolicy: config.DCRedirectionPolicy{Policy: "noop"},
		Archival: config.Archival{
			History:    config.HistoryArchival{State: config.ArchivalDisabled},
			Visibility: config.VisibilityArchival{State: config.ArchivalDisabled},
		},
		NamespaceDefaults: config.NamespaceDefaults{Archival: config.ArchivalNamespaceDefaults{
			History:    config.HistoryArchivalNamespaceDefaults{State: config.ArchivalDisabled},
			Visibility: config.VisibilityArchivalNamespaceDefaults{State: config.ArchivalDisabled},
		}},
		PublicClient: config.PublicClient{HostPort: o.Address},
	}
	result.Global.Membership = config.Membership{MaxJoinDuration: 30 * time.Second, BroadcastAddress: frontend.Addr().String()}
	if o.MetricsAddress != "" {
		result.Global.Metrics = &metrics.Config{
			Prometheus: &metrics.PrometheusConfig{ListenAddress: o.MetricsAddress, HandlerPath: "/metrics"},
		}
	}

	// Only the frontend has to be found by others; the other three services just must not collide with anything.
	inner, err := freeport.Find(3)
	if err != nil {
		return nil, nil, err
	}
	ports := map[primitives.ServiceName]int{
		primitives.HistoryService: inner[0], primitives.MatchingService: inner[1], primitives.WorkerService: inner[2],
	}
	result.Services = map[string]config.Service{
		string(primitives.FrontendService): {RPC: config.RPC{GRPCPort: int(frontend.Port()), BindOnIP: frontend.Addr().String()}},
	}
	hosts := map[primitives.ServiceName]static.Hosts{primitives.FrontendService: static.SingleLocalHost(o.Address)}
	for service, port := range ports {
		result.Services[string(service)] = config.Service{RPC: config.RPC{GRPCPort: port, BindOnIP: loopback}}
		hosts[service] = static.SingleLocalHost(net.JoinHostPort(loopback, strconv.Itoa(port)))
	}
	return result, hosts, nil
}

func (o Options) logLevel() string { return cmp.Or(o.LogLevel, "warn") }
