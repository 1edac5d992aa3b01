package wechatpay

import (
	"bytes"
	"compress/gzip"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// A file is read whole or not at all, and never beyond its bound.
func TestWhatIsPackedIsReadWholeOrNotAtAll(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := append([]byte("交"), rapid.SliceOfN(rapid.Byte(), 0, 2_000).Draw(t, "text")...)
		var b bytes.Buffer
		w, err := gzip.NewWriterLevel(&b, rapid.IntRange(gzip.HuffmanOnly, gzip.BestCompression).Draw(t, "level"))
		require.NoError(t, err)
		_, err = w.Write(text)
		require.NoError(t, err)
		require.NoError(t, w.Close())
		limit := int64(rapid.IntRange(0, 3_000).Draw(t, "limit"))
		for _, file := range [][]byte{b.Bytes(), text} {
			got, err := unpacked(file, limit)
			if int64(len(text)) > limit {
				require.ErrorContains(t, err, "unpacked")
				require.Nil(t, got)
				continue
			}
			require.NoError(t, err)
			require.Equal(t, text, got)
		}
		cut := rapid.IntRange(2, b.Len()-1).Draw(t, "cut") // what begins as a packed file does
		_, err = unpacked(b.Bytes()[:cut], maxBill)
		require.Error(t, err)
	})
}

// A small file can hold more than there is memory: of what it would unpack to, no more than the bound is read.
func TestABombIsNotUnpacked(t *testing.T) {
	const size, limit = 64 << 20, 1 << 20
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := w.Write(make([]byte, size))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err = unpacked(b.Bytes(), limit)
	runtime.ReadMemStats(&after)
	require.ErrorContains(t, err, "has more than 1048576 unpacked")
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(size/2))
}
