package workflows_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/temporal"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/boxoffice/boxoffice/ticketing"
	"github.com/boxoffice/boxoffice/workflows"
)

// gcm is a keyring of one key.
type gcm struct{ cipher.AEAD }

func newGCM(t *testing.T) gcm {
	t.Helper()
	block, err := aes.NewCipher(bytes.Repeat([]byte{7}, 32))
	require.NoError(t, err)
	aead, err := cipher.NewGCM(block)
	require.NoError(t, err)
	return gcm{aead}
}

func (g gcm) Seal(plain, binding []byte) ([]byte, error) {
	nonce := make([]byte, g.NonceSize())
	_, _ = rand.Read(nonce)
	return g.AEAD.Seal(nonce, nonce, plain, binding), nil
}

func (g gcm) Open(sealed, binding []byte) ([]byte, error) {
	if len(sealed) < g.NonceSize() {
		return nil, errors.New("too short")
	}
	return g.AEAD.Open(nil, sealed[:g.NonceSize()], sealed[g.NonceSize():], binding)
}

const canary = "canary@example.com"

func TestPayloadsLeaveEncryptedAndComeBack(t *testing.T) {
	codec := workflows.NewCodec(newGCM(t))
	payloads, err := codec.DataConverter().ToPayloads(ticketing.Buyer{Email: canary}, 7)
	require.NoError(t, err)
	wire, err := protojson.Marshal(payloads)
	require.NoError(t, err)
	require.NotContains(t, string(wire), canary)
	for _, p := range payloads.GetPayloads() {
		require.NotContains(t, string(p.GetData()), canary)
	}
	var (
		buyer  ticketing.Buyer
		number int
	)
	require.NoError(t, codec.DataConverter().FromPayloads(payloads, &buyer, &number))
	require.Equal(t, canary, buyer.Email)
	require.Equal(t, 7, number)
}

func TestFailuresLeaveEncryptedAndKeepTheirType(t *testing.T) {
	codec := workflows.NewCodec(newGCM(t))
	failure := codec.FailureConverter().ErrorToFailure(
		temporal.NewNonRetryableApplicationError("no mail to "+canary, "sold_out", errors.New("cause: "+canary)))
	wire, err := protojson.Marshal(failure)
	require.NoError(t, err)
	require.NotContains(t, string(wire), canary)
	back := codec.FailureConverter().FailureToError(failure)
	require.ErrorContains(t, back, canary)
	var application *temporal.ApplicationError
	require.ErrorAs(t, back, &application)
	require.Equal(t, "sold_out", application.Type())
}

func TestTheCodecRefusesWhatWasTamperedWithAndPassesWhatIsPlain(t *testing.T) {
	codec := workflows.NewCodec(newGCM(t))
	plain := &commonpb.Payload{Data: []byte("plain")}
	passed, err := codec.Decode([]*commonpb.Payload{plain})
	require.NoError(t, err)
	require.Equal(t, plain, passed[0])

	sealed, err := codec.Encode([]*commonpb.Payload{plain})
	require.NoError(t, err)
	sealed[0].Data[len(sealed[0].Data)-1] ^= 1
	_, err = codec.Decode(sealed)
	require.Error(t, err)
}
