package lora

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema/refusal"
)

// Adapter is one LoRA adapter.
type Adapter struct {
	Name, Path string
	Base       string // name of the model below; "" is the server's own
}

// Registry is the adapters of one server.
type Registry struct {
	enabled bool
	offline bool            // no repository can be fetched
	served  []string        // names of the model, which no adapter may have
	named   map[string]bool // paths of --lora-modules

	mu       sync.Mutex
	adapters []Adapter // in the order of loading
}

// New loads the adapters of the command line. Offline, a name of a repository is no adapter.
func New(enabled, offline bool, served []string, modules []Adapter) (*Registry, *protocol.Error) {
	r := &Registry{enabled: enabled, offline: offline, served: served, named: map[string]bool{}}
	for _, m := range modules {
		r.named[m.Path] = true
		if err := r.Load(m, false); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// Find returns the adapter of a name.
func (r *Registry) Find(name string) (Adapter, bool) {
	if !r.enabled { // then Load takes none, and nobody has to wait for another here
		return Adapter{}, false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	i := r.index(name)
	if i < 0 {
		return Adapter{}, false
	}
	return r.adapters[i], true
}

// List returns all adapters.
func (r *Registry) List() []Adapter {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.adapters)
}

// Load adds an adapter, or with inPlace replaces the one of its name.
func (r *Registry) Load(a Adapter, inPlace bool) *protocol.Error {
	r.mu.Lock()
	defer r.mu.Unlock()
	i := r.index(a.Name)
	switch {
	case a.Name == "" || a.Path == "":
		return invalid("Both 'lora_name' and 'lora_path' must be provided.")
	case slices.Contains(r.served, a.Name):
		return invalid("The lora adapter '" + a.Name + "' conflicts with a served base model.")
	case i >= 0 && !inPlace:
		return invalid("The lora adapter '" + a.Name + "' has already been loaded. If you want to load the adapter in place, set 'load_inplace' to True.")
	case !r.enabled:
		return failed("LoRA is not enabled. Use --enable-lora to enable LoRA.")
	case !r.named[a.Path] && unreadable(a.Path) != "":
		return failed("Worker failed with error '" + unreadable(a.Path) + "', please check the stack trace above for the root cause")
	case !r.named[a.Path] && !r.present(a.Path):
		return notFound("Loading lora " + a.Name + " failed: No adapter found for " + a.Path)
	case i >= 0:
		r.adapters[i] = a
	default:
		r.adapters = append(r.adapters, a)
	}
	return nil
}

// Unload removes the adapter of a name.
func (r *Registry) Unload(name string) *protocol.Error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if name == "" {
		return invalid("'lora_name' needs to be provided to unload a LoRA adapter.")
	}
	i := r.index(name)
	if i < 0 {
		return notFound("The lora adapter '" + name + "' cannot be found.")
	}
	r.adapters = slices.Delete(r.adapters, i, i+1)
	return nil
}

func (r *Registry) index(name string) int {
	return slices.IndexFunc(r.adapters, func(a Adapter) bool { return a.Name == name })
}

var repository = regexp.MustCompile(`^[A-Za-z0-9_-][\w.-]*/[A-Za-z0-9_-][\w.-]*$`)

func (r *Registry) present(path string) bool {
	if _, err := os.Stat(path); err != nil {
		return !r.offline && repository.MatchString(path)
	}
	_, err := os.Stat(filepath.Join(path, "adapter_config.json"))
	return err == nil
}

// unreadable tells in Python's words why the configuration of an adapter cannot be opened, "" where it can or where it is not there.
func unreadable(path string) string {
	config := strings.TrimSuffix(path, "/") + "/adapter_config.json"
	if _, err := os.Stat(path); err == nil && !filepath.IsAbs(path) {
		config, _ = filepath.Abs(config)
	}
	_, err := os.Stat(config)
	switch {
	case strings.Contains(path, "\x00"):
		return "embedded null byte"
	case errors.Is(err, syscall.ENAMETOOLONG):
		return "[Errno 36] File name too long: " + pyjson.Repr(config)
	case errors.Is(err, syscall.ENOTDIR):
		return "[Errno 20] Not a directory: " + pyjson.Repr(config)
	}
	return ""
}

func invalid(message string) *protocol.Error {
	return &protocol.Error{Status: http.StatusBadRequest, Type: "InvalidUserInput", Message: message}
}

func failed(why string) *protocol.Error {
	return &protocol.Error{Status: http.StatusInternalServerError, Type: protocol.TypeInternal, Handled: true,
		Message: refusal.Sanitize("Call to add_lora method failed: " + why)}
}

func notFound(message string) *protocol.Error {
	return &protocol.Error{Status: http.StatusNotFound, Type: protocol.TypeNotFound, Message: message}
}
