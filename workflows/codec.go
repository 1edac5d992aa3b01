package workflows

import (
	"fmt"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"google.golang.org/protobuf/proto"
)

// encodingEncrypted marks a payload that only the codec can read.
const encodingEncrypted = "binary/encrypted"

// payloadBinding is the associated data of every sealed payload: one that was
// sealed for a database column does not open here, nor the other way round.
var payloadBinding = []byte("temporal payload")

// Sealer encrypts and decrypts with associated data, such as encryption.Keyring.
type Sealer interface {
	Seal(plain, binding []byte) ([]byte, error)
	Open(sealed, binding []byte) ([]byte, error)
}

// Codec encrypts every payload that leaves for Temporal: inputs, results,
// summaries and, through FailureConverter, what errors say.
type Codec struct {
	sealer Sealer
}

// NewCodec makes a codec.
func NewCodec(sealer Sealer) *Codec { return &Codec{sealer: sealer} }

// Encode implements converter.PayloadCodec.
func (c *Codec) Encode(payloads []*commonpb.Payload) ([]*commonpb.Payload, error) {
	encoded := make([]*commonpb.Payload, len(payloads))
	for i, payload := range payloads {
		plain, err := proto.Marshal(payload)
		if err != nil {
			return nil, fmt.Errorf("encode payload: %w", err)
		}
		sealed, err := c.sealer.Seal(plain, payloadBinding)
		if err != nil {
			return nil, fmt.Errorf("encrypt payload: %w", err)
		}
		encoded[i] = &commonpb.Payload{
			Metadata: map[string][]byte{converter.MetadataEncoding: []byte(encodingEncrypted)},
			Data:     sealed,
		}
	}
	return encoded, nil
}

// Decode implements converter.PayloadCodec. Payloads that are not encrypted pass unchanged.
func (c *Codec) Decode(payloads []*commonpb.Payload) ([]*commonpb.Payload, error) {
	decoded := make([]*commonpb.Payload, len(payloads))
	for i, payload := range payloads {
		if string(payload.GetMetadata()[converter.MetadataEncoding]) != encodingEncrypted {
			decoded[i] = payload
			continue
		}
		plain, err := c.sealer.Open(payload.GetData(), payloadBinding)
		if err != nil {
			return nil, fmt.Errorf("decrypt payload: %w", err)
		}
		decoded[i] = &commonpb.Payload{}
		if err := proto.Unmarshal(plain, decoded[i]); err != nil {
			return nil, fmt.Errorf("decode payload: %w", err)
		}
	}
	return decoded, nil
}

// DataConverter encrypts everything a client or worker sends through it.
func (c *Codec) DataConverter() converter.DataConverter {
	return converter.NewCodecDataConverter(converter.GetDefaultDataConverter(), c)
}

// FailureConverter puts the message and stack of every failure inside the encrypted part.
func (c *Codec) FailureConverter() converter.FailureConverter {
	return temporal.NewDefaultFailureConverter(temporal.DefaultFailureConverterOptions{
		DataConverter:          c.DataConverter(),
		EncodeCommonAttributes: true,
	})
}
