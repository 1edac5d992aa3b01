package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/boxoffice/boxoffice/config"
	"github.com/boxoffice/boxoffice/worker"
)

func TestEveryQueueCanBeNamedInTheEnvironment(t *testing.T) {
	require.ElementsMatch(t, worker.Queues, config.Queues)
}
