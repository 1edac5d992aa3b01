// Package web carries the storefront: the built single-page application,
// embedded so that one binary serves everything.
//
// The files under dist are what `npm ci && npm run build` makes of src, byte
// for byte; they are committed so that building Go needs no Node. The package
// knows nothing of HTTP: which headers they are served with, and that every
// unknown path answers with index.html, is for the server that uses it.
package web

import (
	"embed"
	"io/fs"
)

//go:embed all:dist
var embedded embed.FS

// Dist is the built application, rooted at dist: index.html and favicon.svg,
// and under assets/ files whose names carry a hash of their content and which
// may therefore be cached for ever.
var Dist fs.FS = root()

func root() fs.FS {
	dist, err := fs.Sub(embedded, "dist")
	if err != nil {
		// Only an invalid path can fail, and "dist" is a constant.
		panic(err)
	}
	return dist
}
