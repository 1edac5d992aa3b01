package temporalserver

import (
	"time"

	"go.temporal.io/server/common/dynamicconfig"
)

// limits replaces what Temporal would read from its dynamic configuration file. Its defaults protect a shared cluster
// from its tenants; here there is one tenant, and the machine is the limit.
func limits() dynamicconfig.Client {
	const (
		unlimited = 1_000_000
		tidyEvery = 5 * time.Second
	)
	return dynamicconfig.StaticClient{
		// What the purchase relies on. These are the defaults today; a purchase would be slow or fail without them.
		dynamicconfig.EnableEagerWorkflowStart.Key():                           true,
		dynamicconfig.FrontendEnableUpdateWorkflowExecution.Key():              true,
		dynamicconfig.FrontendEnableUpdateWorkflowExecutionAsyncAccepted.Key(): true,

		// Calls per second.
		dynamicconfig.FrontendRPS.Key():                                  unlimited,
		dynamicconfig.FrontendMaxNamespaceRPSPerInstance.Key():           unlimited,
		dynamicconfig.FrontendMaxNamespaceVisibilityRPSPerInstance.Key(): 1000,
		dynamicconfig.HistoryRPS.Key():                                   unlimited,
		dynamicconfig.MatchingRPS.Key():                                  unlimited,

		// Statements per second.
		dynamicconfig.FrontendPersistenceMaxQPS.Key():        unlimited,
		dynamicconfig.HistoryPersistenceMaxQPS.Key():         unlimited,
		dynamicconfig.MatchingPersistenceMaxQPS.Key():        unlimited,
		dynamicconfig.WorkerPersistenceMaxQPS.Key():          unlimited,
		dynamicconfig.VisibilityPersistenceMaxReadQPS.Key():  unlimited,
		dynamicconfig.VisibilityPersistenceMaxWriteQPS.Key(): unlimited,

		// Every caller that waits for an update counts as a long-running request: room for a rush.
		dynamicconfig.FrontendMaxConcurrentLongRunningRequestsPerInstance.Key(): 50_000,

		// One partition per task queue: with one matching service more of them only forward tasks to each other.
		dynamicconfig.MatchingNumTaskqueueReadPartitions.Key():  1,
		dynamicconfig.MatchingNumTaskqueueWritePartitions.Key(): 1,

		// How often finished tasks are forgotten. Until then every purchase has its queues look through all of them: at the
		// default of 30 s, a tenth of what a purchase costs here under load.
		dynamicconfig.TransferProcessorUpdateAckInterval.Key():   tidyEvery,
		dynamicconfig.VisibilityProcessorUpdateAckInterval.Key(): tidyEvery,
		dynamicconfig.TimerProcessorUpdateAckInterval.Key():      tidyEvery,

		// A laptop's share of memory: the defaults may grow to more than a gigabyte.
		dynamicconfig.HistoryCacheHostLevelMaxSize.Key():     8_192,
		dynamicconfig.EventsHostLevelCacheMaxSizeBytes.Key(): 64 << 20,
	}
}
