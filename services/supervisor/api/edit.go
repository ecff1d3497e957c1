package api

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/gorilla/mux"

	"github.com/fluidmcp/fluidmcp/internal/document"
	"github.com/fluidmcp/fluidmcp/internal/openai"
	"github.com/fluidmcp/fluidmcp/internal/web"
	"github.com/fluidmcp/fluidmcp/services/supervisor/change"
	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest/read"
	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest/source"
	"github.com/fluidmcp/fluidmcp/services/supervisor/modelsfile"
)

// rewrite makes another text of the models that are in force, and of those that the file declares.
type rewrite func(current, declared *source.Source) (*source.Source, error)

// Apply answers POST /api/llm/apply: the body is a models file, or nothing, which means the file at its path.
func (a *API) Apply(w http.ResponseWriter, r *http.Request) error {
	text, err := body(w, r)
	if err != nil {
		return err
	}
	if len(text) == 0 {
		return a.answer(w, r, nil)
	}
	name := path.Base(cmp.Or(r.URL.Query().Get("name"), "models.json"))
	return a.answer(w, r, func(*source.Source, *source.Source) (*source.Source, error) {
		source, err := source.Read(name, text)
		if err != nil {
			return nil, invalid(err)
		}
		return source, nil
	})
}

// Add answers POST /api/llm/models: an entry of the models file, with its id. One that the file declares needs the id alone.
func (a *API) Add(w http.ResponseWriter, r *http.Request) error {
	entry, err := entryOf(w, r)
	if err != nil {
		return err
	}
	id := ""
	members := entry.Members[:0:0]
	for _, m := range entry.Members {
		if m.Name == "id" && m.Value.Kind == document.Text {
			id = m.Value.Text
			continue
		}
		members = append(members, m)
	}
	if id == "" {
		return badRequest("invalid_models", "id", "The body needs the id of the model as a string, beside its fields as in the models file.")
	}
	return a.answer(w, r, func(current, declared *source.Source) (*source.Source, error) {
		if current.Entry(id) != nil {
			return nil, &openai.Error{Status: http.StatusConflict, Type: openai.TypeConflict, Code: "model_exists", Param: "id",
				Message: fmt.Sprintf("There is a model %q. PATCH /api/llm/models/%[1]s changes it.", id)}
		}
		return current.With(id, source.Merge(declared.Entry(id), &document.Node{Kind: document.Mapping, Members: members})), nil
	})
}

// Patch answers PATCH /api/llm/models/{id}: fields of the entry as RFC 7396 merges them, null takes one out.
func (a *API) Patch(w http.ResponseWriter, r *http.Request) error {
	id := mux.Vars(r)["id"]
	patch, err := entryOf(w, r)
	if err != nil {
		return err
	}
	return a.answer(w, r, func(current, _ *source.Source) (*source.Source, error) {
		if current.Entry(id) == nil {
			return nil, unknown(id)
		}
		return current.With(id, source.Merge(current.Entry(id), patch)), nil
	})
}

// Delete answers DELETE /api/llm/models/{id}.
func (a *API) Delete(w http.ResponseWriter, r *http.Request) error {
	id := mux.Vars(r)["id"]
	return a.answer(w, r, func(current, _ *source.Source) (*source.Source, error) {
		if current.Entry(id) == nil {
			return nil, unknown(id)
		}
		return current.With(id, nil), nil
	})
}

// answer puts another text in force, nil for that of the file, and tells what changes. With ?dry_run=true it only tells.
func (a *API) answer(w http.ResponseWriter, r *http.Request, make rewrite) error {
	dry, err := dryRun(r)
	if err != nil {
		return err
	}
	var set change.Set
	switch {
	case make != nil:
		set, err = a.File.Edit(make, dry)
	case dry:
		set, err = a.File.Preview()
	default:
		set, err = a.File.Load()
	}
	switch {
	case errors.Is(err, modelsfile.ErrNotRunning):
		return &openai.Error{Status: http.StatusServiceUnavailable, Type: openai.TypeUnavailable, Code: "not_ready",
			Message: "The supervisor is only starting, or ends already.", RetryAfter: time.Second, Cause: err}
	case err != nil:
		return invalid(err)
	case dry:
		return web.JSON(w, http.StatusOK, set)
	}
	return web.JSON(w, http.StatusAccepted, set)
}

func dryRun(r *http.Request) (bool, error) {
	raw := r.URL.Query().Get("dry_run")
	dry, err := strconv.ParseBool(cmp.Or(raw, "false"))
	if err != nil {
		return false, badRequest("invalid_dry_run", "dry_run", "dry_run must be true or false.")
	}
	return dry, nil
}

// entryOf reads the fields of a model as JSON.
func entryOf(w http.ResponseWriter, r *http.Request) (*document.Node, error) {
	text, err := body(w, r)
	if err != nil {
		return nil, err
	}
	entry, err := document.ParseJSON(text)
	if err == nil && entry.Kind != document.Mapping {
		err = fmt.Errorf("expected an object, found %s", entry.Kind)
	}
	if err != nil {
		return nil, invalid(fmt.Errorf("the body: %w", err))
	}
	return entry, nil
}

func body(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	text, err := io.ReadAll(web.LimitBody(w, r, read.MaxFile))
	if _, tooLong := errors.AsType[*http.MaxBytesError](err); tooLong {
		return nil, &openai.Error{Status: http.StatusRequestEntityTooLarge, Type: openai.TypeInvalidRequest, Code: "body_too_large",
			Message: fmt.Sprintf("The body has more than the %d bytes that a models file may have.", read.MaxFile), Cause: err}
	}
	return text, err
}

// invalid is the answer to what makes no plan. A failure that has its answer keeps it.
func invalid(err error) error {
	if _, answered := errors.AsType[*openai.Error](err); answered {
		return err
	}
	if forbidden, ok := errors.AsType[*modelsfile.Forbidden](err); ok {
		return tooFar(forbidden.What)
	}
	return badRequest("invalid_models", "", err.Error())
}

// tooFar refuses what only who can write the models file may change.
func tooFar(what []string) error {
	return &openai.Error{Status: http.StatusForbidden, Type: openai.TypePermission, Code: "remote_commands_not_allowed",
		Message: "Over HTTP this cannot be changed: " + strings.Join(what, ", ") + ". Change it in the models file that the supervisor reads, " +
			"or let the supervisor run with SUPERVISOR_ALLOW_REMOTE_COMMANDS=true (fluidmcp run --allow-remote-commands)."}
}
