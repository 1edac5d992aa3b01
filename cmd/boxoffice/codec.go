package main

import (
	"context"
	"log/slog"
	"net/http"

	"go.temporal.io/sdk/converter"

	"github.com/boxoffice/boxoffice/config"
	"github.com/boxoffice/boxoffice/encryption"
	"github.com/boxoffice/boxoffice/workflows"
)

func runCodec(ctx context.Context, cfg config.Config, log *slog.Logger) error {
	ring, err := encryption.ParseKeyring(cfg.EncryptionKeys.Reveal())
	if err != nil {
		return err
	}
	return serveCodec(ctx, cfg, ring, log)
}

// serveCodec decodes payloads for the Temporal UI until ctx ends. Whoever knows the token, the first
// path segment, may read every payload: it belongs to operators only.
func serveCodec(ctx context.Context, cfg config.Config, ring *encryption.Keyring, log *slog.Logger) error {
	return serveUntil(ctx, cfg.CodecAddress, codecHandler(cfg.CodecToken.Reveal(), workflows.NewCodec(ring)), log.With("server", "codec"))
}

func codecHandler(token string, codec converter.PayloadCodec) http.Handler {
	const bound = 8 << 20 // a page of history at most
	decode := http.StripPrefix("/"+token, converter.NewPayloadCodecHTTPHandler(codec))
	mux := http.NewServeMux()
	mux.HandleFunc("/"+token+"/", func(w http.ResponseWriter, r *http.Request) {
		// The UI is served from another origin; the token, not the origin, is what guards this.
		w.Header().Set("Access-Control-Allow-Origin", "*")
		w.Header().Set("Access-Control-Allow-Headers", "Authorization, Content-Type, X-Namespace")
		w.Header().Set("Access-Control-Allow-Methods", "POST, OPTIONS")
		if r.Method == http.MethodOptions {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, bound)
		decode.ServeHTTP(w, r)
	})
	return mux
}
