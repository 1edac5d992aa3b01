package wording

import (
	"bytes"
	"image/png"
	"sync"

	"github.com/skip2/go-qrcode"
)

// qrModule is the width of a module in pixels. A ticket's code has 33 with the white around them: its picture is as wide as the layout
// shows it, so that modules are whole pixels on any screen, and no wider, for every pixel costs the sender time.
const qrModule = 8

// qrEncoder keeps what it packs pictures with, a megabyte that would else be made anew for every ticket.
var qrEncoder = png.Encoder{CompressionLevel: png.BestSpeed, BufferPool: &pngBuffers{}}

// qrPicture draws what a scanner at the entrance reads, as PNG.
func qrPicture(content string) ([]byte, error) {
	code, err := qrcode.New(content, qrcode.Medium)
	if err != nil {
		return nil, err
	}
	var picture bytes.Buffer
	err = qrEncoder.Encode(&picture, code.Image(-qrModule))
	return picture.Bytes(), err
}

type pngBuffers struct{ pool sync.Pool }

func (b *pngBuffers) Get() *png.EncoderBuffer {
	buffer, _ := b.pool.Get().(*png.EncoderBuffer)
	return buffer
}

func (b *pngBuffers) Put(buffer *png.EncoderBuffer) { b.pool.Put(buffer) }
