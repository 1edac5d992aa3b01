package worker

import (
	"context"
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/boxoffice/boxoffice/activities"
)

func quiet() log.Logger { return log.NewStructuredLogger(slog.New(slog.DiscardHandler)) }

// failures reads how many tries of each step were counted.
func failures(t *testing.T, registry *prometheus.Registry) map[string]float64 {
	t.Helper()
	families, err := registry.Gather()
	require.NoError(t, err)
	counted := map[string]float64{}
	for _, family := range families {
		if family.GetName() != "boxoffice_step_retries_total" {
			continue
		}
		for _, metric := range family.GetMetric() {
			counted[metric.GetLabel()[0].GetValue()] = metric.GetCounter().GetValue()
		}
	}
	return counted
}

func counting() (*prometheus.Registry, worker.Options) {
	registry := prometheus.NewRegistry()
	return registry, worker.Options{Interceptors: []interceptor.WorkerInterceptor{&stepCounter{metrics: activities.NewMetrics(registry)}}}
}

func TestEveryTryOfAStepThatFailsIsCounted(t *testing.T) {
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(quiet())
	env := suite.NewTestActivityEnvironment()
	registry, options := counting()
	env.SetWorkerOptions(options)
	env.RegisterActivityWithOptions(func(context.Context) (string, error) { return "done", nil }, activity.RegisterOptions{Name: "Works"})
	env.RegisterActivityWithOptions(func(context.Context) error { return errors.New("no database today") }, activity.RegisterOptions{Name: "Fails"})

	value, err := env.ExecuteActivity("Works")
	require.NoError(t, err)
	var result string
	require.NoError(t, value.Get(&result))
	require.Equal(t, "done", result, "counting changes nothing")
	for range 2 {
		_, err = env.ExecuteActivity("Fails")
		require.ErrorContains(t, err, "no database today")
	}
	require.Equal(t, map[string]float64{"Fails": 2}, failures(t, registry))
}

func TestTriesInsideAWorkflowTaskAreCountedToo(t *testing.T) {
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(quiet())
	env := suite.NewTestWorkflowEnvironment()
	registry, options := counting()
	env.SetWorkerOptions(options)
	tries := 0
	flaky := func(context.Context) error {
		if tries++; tries < 3 {
			return errors.New("no database for a moment")
		}
		return nil
	}
	env.RegisterActivityWithOptions(flaky, activity.RegisterOptions{Name: "Flaky"})
	env.ExecuteWorkflow(func(ctx workflow.Context) error {
		ctx = workflow.WithLocalActivityOptions(ctx, workflow.LocalActivityOptions{StartToCloseTimeout: time.Minute})
		return workflow.ExecuteLocalActivity(ctx, "Flaky").Get(ctx, nil)
	})
	require.True(t, env.IsWorkflowCompleted())
	require.NoError(t, env.GetWorkflowError())
	require.Equal(t, map[string]float64{"Flaky": 2}, failures(t, registry))
}

// registered keeps the names of workflows.
type registered map[string]bool

func (r registered) RegisterWorkflow(w any) {
	name := runtime.FuncForPC(reflect.ValueOf(w).Pointer()).Name()
	r[name[strings.LastIndex(name, ".")+1:]] = true
}

func (r registered) RegisterWorkflowWithOptions(_ any, options workflow.RegisterOptions) {
	r[options.Name] = true
}

func (r registered) RegisterDynamicWorkflow(any, workflow.DynamicRegisterOptions) {}

func TestEveryWorkflowThereIsIsRegistered(t *testing.T) {
	known := registered{}
	Register(known)
	want := registered{}
	files, err := filepath.Glob("../workflows/*.go")
	require.NoError(t, err)
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		for _, declared := range parsed.Decls {
			if f, ok := declared.(*ast.FuncDecl); ok && isWorkflow(f) {
				want[f.Name.Name] = true
			}
		}
	}
	require.NotEmpty(t, want)
	require.Equal(t, want, known)
}

// isWorkflow says whether a function is exported and begins with a workflow's context.
func isWorkflow(f *ast.FuncDecl) bool {
	if f.Recv != nil || !f.Name.IsExported() || len(f.Type.Params.List) == 0 {
		return false
	}
	selector, ok := f.Type.Params.List[0].Type.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	from, ok := selector.X.(*ast.Ident)
	return ok && from.Name == "workflow" && selector.Sel.Name == "Context"
}

func TestEveryWorkflowThatEverRanIsStillRegistered(t *testing.T) {
	known := registered{}
	Register(known)
	files, err := filepath.Glob("../workflows/testdata/history/*.json")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		content, err := os.ReadFile(file)
		require.NoError(t, err)
		var history struct {
			Events []struct {
				Started *struct {
					Type struct {
						Name string `json:"name"`
					} `json:"workflowType"`
				} `json:"workflowExecutionStartedEventAttributes"`
			} `json:"events"`
		}
		require.NoError(t, json.Unmarshal(content, &history), file)
		require.NotEmpty(t, history.Events, file)
		require.NotNil(t, history.Events[0].Started, file)
		require.Contains(t, known, history.Events[0].Started.Type.Name, file)
	}
}

func TestWorkersDoNotStartWithoutTemporal(t *testing.T) {
	unreachable, err := client.NewLazyClient(client.Options{
		HostPort: "127.0.0.1:9", Logger: quiet(),
		ConnectionOptions: client.ConnectionOptions{GetSystemInfoTimeout: 100 * time.Millisecond},
	})
	require.NoError(t, err)
	defer unreachable.Close()
	_, err = Start(t.Context(), Config{
		Client: unreachable, Queues: []string{"payment"}, Purchase: &activities.Purchase{}, Payments: &activities.Payments{},
	})
	require.ErrorContains(t, err, `start the worker of queue "payment"`)
}
