package gatewayclient

import (
	"errors"
	"io"
	"net/http"
)

// HTTP is a copy of a client that follows no redirect, since requests carry a merchant's signature or key; nil is one that keeps
// connections for hundreds of calls at once.
func HTTP(given *http.Client) *http.Client {
	var own http.Client
	if given != nil {
		own = *given
	}
	if own.Transport == nil {
		transport := http.DefaultTransport.(*http.Transport).Clone()
		transport.MaxIdleConns, transport.MaxIdleConnsPerHost = 0, 512
		own.Transport = transport
	}
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &own
}

// ErrTooLong is what reading a limited body ends with.
var ErrTooLong = errors.New("the answer is too long")

// Limit makes reading a body fail with ErrTooLong once it had more bytes than most. An io.LimitReader would end there, and half an answer
// would be taken for a whole one.
func Limit(body io.ReadCloser, most int64) io.ReadCloser {
	return &limited{ReadCloser: body, left: most}
}

type limited struct {
	io.ReadCloser

	left int64
}

func (l *limited) Read(into []byte) (int, error) {
	n, err := l.ReadCloser.Read(into)
	if l.left -= int64(n); l.left < 0 {
		return 0, ErrTooLong
	}
	return n, err
}
