package api

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io/fs"
	"mime"
	"path"
	"strings"

	"github.com/gofiber/fiber/v2"
)

const indexPage = "index.html"

// site is the storefront, held in memory with its compressed form.
type site struct{ files map[string]siteFile }

type siteFile struct {
	plain, packed []byte
	contentType   string
	etag          string
	cache         string
}

// newSite reads the built application. Files under assets/ carry a hash in their name and may be
// kept for ever; everything else has to be asked for again.
func newSite(dist fs.FS) (*site, error) {
	s := &site{files: map[string]siteFile{}}
	if dist == nil {
		return s, nil
	}
	err := fs.WalkDir(dist, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		plain, err := fs.ReadFile(dist, name)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(plain)
		f := siteFile{
			plain: plain, contentType: typeOf(name), cache: "no-cache",
			etag: `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`,
		}
		if strings.HasPrefix(name, "assets/") {
			f.cache = "public, max-age=31536000, immutable"
		}
		f.packed, err = pack(plain, f.contentType)
		s.files[name] = f
		return err
	})
	return s, err
}

func typeOf(name string) string {
	switch ext := path.Ext(name); ext {
	case ".js", ".mjs":
		return "text/javascript; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	case ".woff2":
		return "font/woff2"
	case ".webmanifest":
		return "application/manifest+json"
	default:
		if t := mime.TypeByExtension(ext); t != "" {
			return t
		}
		return fiber.MIMEOctetStream
	}
}

// pack compresses what gains by it; nil otherwise.
func pack(plain []byte, contentType string) ([]byte, error) {
	if strings.HasPrefix(contentType, "font/") || len(plain) < 512 ||
		strings.HasPrefix(contentType, "image/") && contentType != "image/svg+xml" {
		return nil, nil
	}
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	_, err = w.Write(plain)
	if err = errors.Join(err, w.Close()); err != nil || out.Len() > len(plain)*9/10 {
		return nil, err
	}
	return out.Bytes(), nil
}

// serve answers a page or a file of the storefront. A path without a file is a page of the
// application, which finds its way by itself; a missing asset is missing.
func (s *site) serve(c *fiber.Ctx) error {
	name := strings.TrimPrefix(path.Clean("/"+c.Path()), "/")
	f, ok := s.files[name]
	if !ok && !strings.HasPrefix(name, "assets/") {
		f, ok = s.files[indexPage]
	}
	if !ok {
		return fiber.ErrNotFound
	}
	c.Set(fiber.HeaderETag, f.etag)
	c.Set(fiber.HeaderCacheControl, f.cache)
	c.Set(fiber.HeaderVary, fiber.HeaderAcceptEncoding)
	if matches(c.Get(fiber.HeaderIfNoneMatch), f.etag) {
		c.Status(fiber.StatusNotModified)
		return nil
	}
	c.Set(fiber.HeaderContentType, f.contentType)
	if f.packed != nil && strings.Contains(c.Get(fiber.HeaderAcceptEncoding), "gzip") {
		c.Set(fiber.HeaderContentEncoding, "gzip")
		c.Response().SetBodyRaw(f.packed)
		return nil
	}
	c.Response().SetBodyRaw(f.plain)
	return nil
}
