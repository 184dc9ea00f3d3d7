// Package assets serves the files of web/static. Under a name with the hash of
// its content a file never changes and is kept by browsers for a year; under
// its plain name for an hour. What shrinks by it is compressed once, when the
// hub starts.
package assets

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"mime"
	"path"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/superpayhub/superpay/web"
)

// Files are all of them, in memory.
type Files struct {
	base   string
	byName map[string]*file // plain and hashed names
	hashed map[string]string
}

type file struct {
	content, gzipped []byte // gzipped is nil if it does not pay
	kind, cache      string
}

// Load reads the embedded files. base is the path that they are served below,
// as "/superpay/static".
func Load(base string) *Files {
	f := &Files{base: base, byName: map[string]*file{}, hashed: map[string]string{}}
	err := fs.WalkDir(web.Static, "static", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := web.Static.ReadFile(name)
		if err == nil {
			f.add(strings.TrimPrefix(name, "static/"), content)
		}
		return err
	})
	if err != nil {
		panic(err) // the files are part of the program
	}
	return f
}

func (f *Files) add(name string, content []byte) {
	sum := sha256.Sum256(content)
	ext := path.Ext(name)
	hashed := strings.TrimSuffix(name, ext) + "." + hex.EncodeToString(sum[:5]) + ext
	kind := mime.TypeByExtension(ext)
	switch ext { // the same whatever the machine's tables say
	case ".css":
		kind = "text/css; charset=utf-8"
	case ".js":
		kind = "text/javascript; charset=utf-8"
	case ".svg":
		kind = "image/svg+xml"
	case "", ".md":
		kind = "text/plain; charset=utf-8"
	}
	plain := file{content: content, kind: kind, cache: "public, max-age=3600"}
	if packed := compress(content); len(packed) < len(content)*9/10 {
		plain.gzipped = packed
	}
	forever := plain
	forever.cache = "public, max-age=31536000, immutable"
	f.byName[name], f.byName[hashed], f.hashed[name] = &plain, &forever, hashed
}

func compress(content []byte) []byte {
	var b bytes.Buffer
	w, _ := gzip.NewWriterLevel(&b, gzip.BestCompression) // the level is one
	_, _ = w.Write(content)                               // into memory: cannot fail
	_ = w.Close()
	return b.Bytes()
}

// URL is where the file is served, under a name that changes with it. It
// panics for a file that there is not: templates are tried by tests.
func (f *Files) URL(name string) string {
	hashed, ok := f.hashed[name]
	if !ok {
		panic("no such file in web/static: " + name)
	}
	return f.base + "/" + hashed
}

// Serve answers for everything below the base.
func (f *Files) Serve(c *fiber.Ctx) error {
	if c.Method() != fiber.MethodGet && c.Method() != fiber.MethodHead {
		return fiber.ErrMethodNotAllowed
	}
	found, ok := f.byName[strings.TrimPrefix(c.Path(), f.base+"/")]
	if !ok {
		return fiber.NewError(fiber.StatusNotFound, "no such file")
	}
	c.Set(fiber.HeaderContentType, found.kind)
	c.Set(fiber.HeaderCacheControl, found.cache)
	if found.gzipped == nil {
		return c.Send(found.content)
	}
	c.Set(fiber.HeaderVary, fiber.HeaderAcceptEncoding)
	if !strings.Contains(c.Get(fiber.HeaderAcceptEncoding), "gzip") {
		return c.Send(found.content)
	}
	c.Set(fiber.HeaderContentEncoding, "gzip")
	return c.Send(found.gzipped)
}
