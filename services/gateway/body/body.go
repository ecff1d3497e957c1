package body

import (
	"strconv"
	"strings"

	"github.com/fluidmcp/fluidmcp/services/gateway/scan"
)

// Document is a JSON object sent by a client.
type Document struct {
	Model     string // name as sent; "" when absent, null or empty, which mean the server's default model to vLLM
	BadModel  bool   // model is there and not a string
	TwoModels bool   // model is there more than once, so that whoever reads the body may take another one for meant
	Stream    bool   // the client asked for an event stream
	WantUsage bool   // the client asked for a usage chunk at the stream's end
	RequestID bool   // the body names the request itself, as vLLM lets it
	MaxTokens int    // that the answer may have, by any of the names for it; 0 when absent
	N         int    // answers; 0 when absent

	src       []byte
	seenModel bool
	closing   int    // offset of the closing brace
	models    []span // values to replace when the model is renamed
	oneModel  [1]span
	options   []options
	prompt    [len(prompts)]span // values of the members of that name; empty when absent
}

type span struct{ start, end int }

// options is one value of stream_options.
type options struct {
	span
	isObject, isNull, empty bool
	wantUsage               bool
	noUsage, noContinuous   bool // the last value of the member, which counts, is no boolean
	includeUsage            []span
	continuous              []span
}

// Parse reads the top level of b into d, which is zero. It keeps b and returns a *scan.SyntaxError for anything but one JSON object.
func (d *Document) Parse(b []byte) error {
	d.src = b
	d.models = d.oneModel[:0]
	closing, err := scan.Object(b, d.visit)
	if err != nil {
		return err
	}
	d.closing = closing
	if n := len(d.options); n > 0 {
		d.WantUsage = d.options[n-1].wantUsage
	}
	return nil
}

func (d *Document) visit(m scan.Member) {
	value := d.src[m.Start:m.End]
	switch string(m.Key) {
	case "model":
		name, isString := scan.String(value)
		d.TwoModels = d.seenModel
		d.seenModel = true
		d.Model = name
		d.BadModel = !isString && string(value) != "null"
		if name != "" {
			d.models = append(d.models, span{m.Start, m.End})
		}
	case "stream":
		d.Stream = truthy(value)
	case "max_tokens", "max_completion_tokens", "max_output_tokens":
		d.MaxTokens = max(d.MaxTokens, scan.Count(value))
	case "n":
		d.N = scan.Count(value)
	case "request_id":
		d.RequestID = true
	case "stream_options":
		d.options = append(d.options, parseOptions(d.src, m))
	default:
		d.notePrompt(m)
	}
}

func parseOptions(src []byte, m scan.Member) options {
	value := src[m.Start:m.End]
	o := options{span: span{m.Start, m.End}, isNull: string(value) == "null", isObject: value[0] == '{', empty: true}
	if !o.isObject {
		return o
	}
	// The value was found valid with the document around it.
	_, _ = scan.Object(value, func(inner scan.Member) {
		o.empty = false
		at := span{m.Start + inner.Start, m.Start + inner.End}
		switch string(inner.Key) {
		case "include_usage":
			o.includeUsage = append(o.includeUsage, at)
			yes, ok := boolean(value[inner.Start:inner.End])
			o.wantUsage, o.noUsage = yes, !ok
		case "continuous_usage_stats":
			o.continuous = append(o.continuous, at)
			_, ok := boolean(value[inner.Start:inner.End])
			o.noContinuous = !ok
		}
	})
	return o
}

// truthy reads a boolean as pydantic's lax mode does; what is none counts as false.
func truthy(value []byte) bool {
	yes, _ := boolean(value)
	return yes
}

// boolean reads a boolean as pydantic's lax mode does, and tells whether it is one. null is taken for an optional one.
func boolean(value []byte) (yes, ok bool) {
	text, isString := scan.String(value)
	if !isString {
		switch string(value) {
		case "true", "false", "null":
			return value[0] == 't', true
		}
		number, err := strconv.ParseFloat(string(value), 64)
		return err == nil && number == 1, err == nil && (number == 0 || number == 1)
	}
	switch strings.ToLower(text) {
	case "1", "on", "t", "true", "y", "yes":
		return true, true
	case "0", "off", "f", "false", "n", "no":
		return false, true
	}
	return false, false
}
