package reference

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"fmt"
	"io/fs"
	"net/http"
	"sync"
	"time"

	swaggerui "github.com/swaggest/swgui/v5/static"
	"github.com/vearutop/statigz"

	"github.com/fluidmcp/fluidmcp/docs"
)

//go:embed static
var files embed.FS

// policy allows what the page brings along. Swagger UI draws its icons from data: URLs and sets styles on its elements.
const policy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self'; img-src 'self' data:; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// document is made once: the YAML takes longer to read than everything else that a gateway does to start.
var document = sync.OnceValues(docs.OpenAPI)

// Document serves the reference as JSON. It fails when the document is no YAML.
func Document() (http.Handler, error) {
	text, err := document()
	if err != nil {
		return nil, err
	}
	tag := fmt.Sprintf(`"%x"`, sha256.Sum256(text))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Type", "application/json")
		h.Set("ETag", tag)
		h.Set("Cache-Control", "no-cache") // ask again each time; an unchanged document is a 304
		h.Set("X-Content-Type-Options", "nosniff")
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(text))
	}), nil
}

// Viewer serves the page at / and its files beside it. It expects to be below /docs.
func Viewer() http.Handler {
	static, err := fs.Sub(files, "static")
	if err != nil { // the name is right, or nothing compiles
		panic(err)
	}
	own := http.FileServerFS(static)
	swaggerUI := statigz.FileServer(swaggerui.FS)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-cache")
		switch r.URL.Path {
		case "/", "/reference.js", "/reference.css":
			own.ServeHTTP(w, r)
		default:
			swaggerUI.ServeHTTP(w, r)
		}
	})
}
