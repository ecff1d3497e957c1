package apidocs

import (
	_ "embed"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/fastapi"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
)

// The pages load their programs from a content delivery network, as FastAPI's do; ROOT stands for the root path.
var (
	//go:embed docs.html
	swagger string
	//go:embed redoc.html
	redoc string
	//go:embed oauth2.html
	oauth2 string
)

// Pages are the handlers of the documents.
type Pages struct {
	root     string                 // path
	document func() ([]byte, error) // the body of /openapi.json
}

// NewPages makes the handlers below a root path. document is called at most once, for the first who asks.
func NewPages(root string, document func() ([]byte, error)) *Pages {
	return &Pages{root, sync.OnceValues(document)}
}

// OpenAPI is the handler of /openapi.json.
func (p *Pages) OpenAPI(w http.ResponseWriter, _ *http.Request) {
	body, err := p.document()
	if err != nil {
		fastapi.Refuse(w, &protocol.Error{Status: http.StatusInternalServerError, Type: protocol.TypeInternal, Message: err.Error()})
		return
	}
	fastapi.Reply(w, http.StatusOK, body)
}

// Docs is the handler of /docs.
func (p *Pages) Docs(w http.ResponseWriter, _ *http.Request) {
	page(w, swagger, p.root)
}

// Redoc is the handler of /redoc.
func (p *Pages) Redoc(w http.ResponseWriter, _ *http.Request) {
	page(w, redoc, p.root)
}

// Redirect is the handler of /docs/oauth2-redirect.
func (p *Pages) Redirect(w http.ResponseWriter, _ *http.Request) { page(w, oauth2, "") }

func page(w http.ResponseWriter, text, root string) {
	body := strings.ReplaceAll(text, "ROOT/", root+"/")
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(http.StatusOK)
	_, _ = io.WriteString(w, body) // the client may have left
}
