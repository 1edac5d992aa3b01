package stack

import (
	"context"
	"os"
	"path/filepath"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/proxy"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/boxoffice/boxoffice/workflows"
)

// Record saves the history of a workflow, decoded, as testdata for the replay test. It does so only when
// BOXOFFICE_RECORD is set: histories are recorded from released code, never to make a change pass.
func (s *Stack) Record(name, id string) {
	s.T.Helper()
	if os.Getenv("BOXOFFICE_RECORD") == "" {
		return
	}
	history := &historypb.History{Events: s.History(id)}
	codec := workflows.NewCodec(s.Keyring)
	require.NoError(s.T, proxy.VisitPayloads(context.Background(), history, proxy.VisitPayloadsOptions{
		Visitor: func(_ *proxy.VisitPayloadsContext, payloads []*commonpb.Payload) ([]*commonpb.Payload, error) {
			return codec.Decode(payloads)
		},
	}))
	text, err := protojson.MarshalOptions{Multiline: true, Indent: " "}.Marshal(history)
	require.NoError(s.T, err)
	file := filepath.Join(Root(s.T), "workflows", "testdata", "history", name+".json")
	require.NoError(s.T, os.MkdirAll(filepath.Dir(file), 0o755))
	require.NoError(s.T, os.WriteFile(file, append(text, '\n'), 0o644))
}
