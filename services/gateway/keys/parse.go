package keys

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/fluidmcp/fluidmcp/internal/document"
	"github.com/fluidmcp/fluidmcp/internal/secret"
)

const (
	maxPriority = 1000
	maxLimit    = 1_000_000_000
)

// ids can stand in a log line and on a command line as they are.
var ids = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:@+/-]{0,99}$`)

// Parse reads keys from the text of a file. The name tells the notation and stands in errors, which name all faults, one a
// line, each with its path, and quote neither secrets nor hashes.
func Parse(name string, data []byte) (*Ring, error) {
	root, err := document.Parse(name, data)
	if errors.Is(err, document.ErrEmpty) {
		err = errors.New("the file is empty; a file without keys says keys: []")
	}
	if err != nil {
		return nil, fmt.Errorf("key file %s: %w", name, err)
	}
	p := newParser()
	listed := false
	p.Object("", root, document.Fields{"keys": func(at string, n *document.Node) {
		listed = true
		p.each(at, n, p.key)
	}})
	if !listed && root.Kind == document.Mapping {
		p.Add("keys", "missing; it lists the keys")
	}
	if err := p.masked(); err != nil {
		return nil, fmt.Errorf("key file %s: %w", name, err)
	}
	return p.ring, nil
}

// parser reads one file.
type parser struct {
	document.Reader
	ring *Ring
	seen map[string]string // where in the file an id or a hash stands
}

func newParser() *parser {
	return &parser{ring: &Ring{byHash: map[digest]*Key{}}, seen: map[string]string{}}
}

// masked is all that was found, without secrets.
func (p *parser) masked() error {
	if err := p.Err(); err != nil {
		return errors.New(secret.Mask(err.Error()))
	}
	return nil
}

func (p *parser) each(at string, n *document.Node, read func(at string, n *document.Node)) {
	if !p.Is(at, n, document.List) {
		return
	}
	for i, item := range n.Items {
		read(at+"["+strconv.Itoa(i)+"]", item)
	}
}

func (p *parser) key(at string, n *document.Node) {
	k := &Key{}
	hash := ""
	p.Object(at, n, document.Fields{
		"id":                  p.Text(&k.ID),
		"hash":                p.Text(&hash),
		"scopes":              p.scopes(&k.Scopes),
		"models":              p.models(&k.Models),
		"priority":            p.Whole(&k.Priority, -maxPriority, maxPriority),
		"requests_per_minute": p.Whole(&k.RequestsPerMinute, 1, maxLimit),
		"tokens_per_minute":   p.Whole(&k.TokensPerMinute, 1, maxLimit),
		"concurrent_requests": p.Whole(&k.ConcurrentRequests, 1, maxLimit),
		"keep_alive":          p.yes(&k.KeepAlive),
		"expires":             p.moment(&k.Expires),
		"disabled":            p.yes(&k.Disabled),
	})
	if n.Kind != document.Mapping {
		return
	}
	p.checkID(at+".id", k.ID)
	if k.Scopes == nil {
		k.Scopes = []Scope{Inference}
	}
	p.ring.keys = append(p.ring.keys, k)
	if d, ok := parseHash(hash); !ok {
		p.Add(at+".hash", "not sha256: and 64 hexadecimal digits, the hash of the secret; `fluidmcp keys new` makes both")
	} else if p.once(at+".hash", "h"+string(d[:])) {
		p.ring.byHash[d] = k
	}
}

func (p *parser) checkID(at, id string) {
	switch {
	case id == "":
		p.Add(at, "missing; it is the name of the key in logs")
	case secret.In(id):
		p.Add(at, "this is a secret, not a name; make another key, that one is no secret any more")
	case !ids.MatchString(id):
		p.Add(at, "%q is not up to 100 letters, digits and . _ : @ + / -, beginning with a letter or digit", id)
	default:
		p.once(at, "i"+id)
	}
}

// once notes where a value stands that no other key may have.
func (p *parser) once(at, value string) bool {
	before, twice := p.seen[value]
	if twice {
		p.Add(at, "the same as %s; each key has its own", before)
		return false
	}
	p.seen[value] = at
	return true
}

func (p *parser) scopes(to *[]Scope) func(string, *document.Node) {
	return func(at string, n *document.Node) {
		*to = []Scope{}
		p.each(at, n, func(at string, n *document.Node) {
			var word string
			if p.Text(&word)(at, n); n.Kind == document.Text && !slices.Contains(scopes, Scope(word)) {
				p.Add(at, "%q is not one of inference, admin", word)
			}
			*to = append(*to, Scope(word))
		})
		if n.Kind == document.List && len(n.Items) == 0 {
			p.Add(at, "names no scope; leave it out for inference")
		}
	}
}

func (p *parser) models(to *[]string) func(string, *document.Node) {
	return func(at string, n *document.Node) {
		p.each(at, n, func(at string, n *document.Node) {
			var model string
			if p.Text(&model)(at, n); n.Kind == document.Text && strings.TrimSpace(model) == "" {
				p.Add(at, "must not be empty")
			}
			*to = append(*to, model)
		})
		if n.Kind == document.List && len(n.Items) == 0 {
			p.Add(at, "names no model; leave it out for all, or write disabled: true")
		}
	}
}

func (p *parser) yes(to *bool) func(string, *document.Node) {
	return func(at string, n *document.Node) {
		*to = p.Is(at, n, document.Boolean) && n.Text == "true"
	}
}

func (p *parser) moment(to *time.Time) func(string, *document.Node) {
	return func(at string, n *document.Node) {
		if !p.Is(at, n, document.Text) {
			return
		}
		t, err := time.Parse(time.RFC3339, n.Text)
		if err != nil {
			p.Add(at, "%q is not a time such as 2027-01-31T00:00:00Z (RFC 3339)", n.Text)
		}
		*to = t
	}
}
