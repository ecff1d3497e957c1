package body

import (
	"encoding/json"
	"slices"
	"strings"
)

// edit replaces src[at.start:at.end] by text.
type edit struct {
	at   span
	text string
}

// Rewrite returns the bytes to forward: with every model name replaced by model, unless model is "" or none was sent,
// and, with countTokens, a stream's options such that the server reports usage. A body that needs no change is returned
// as it came.
func (d *Document) Rewrite(model string, countTokens bool) []byte {
	var edits []edit
	if model != "" {
		edits = d.rename(model)
	}
	if countTokens && d.Stream && !d.WantUsage {
		edits = append(edits, d.askUsage()...)
	}
	if len(edits) == 0 {
		return d.src
	}
	return splice(d.src, edits)
}

func (d *Document) rename(model string) []edit {
	var edits []edit
	for _, at := range d.models {
		if !strings.Contains(model, `\`) && string(d.src[at.start+1:at.end-1]) == model { // as nearly always
			continue
		}
		literal, err := json.Marshal(model)
		if err != nil { // strings always marshal
			panic(err)
		}
		edits = append(edits, edit{at, string(literal)})
	}
	return edits
}

// askUsage makes the server report usage once, at the end. continuous_usage_stats does nothing in vLLM without
// include_usage, so it is switched off where we switch that on: the client's chunks stay as they would have been.
func (d *Document) askUsage() []edit {
	if len(d.options) == 0 {
		member := `"stream_options":{"include_usage":true}` // the object is not empty: it holds "stream"
		return []edit{{span{d.closing, d.closing}, "," + member}}
	}
	var edits []edit
	for _, o := range d.options {
		if !o.isNull && !o.isObject || o.noUsage || o.noContinuous {
			continue // not ours to mend: the server refuses it with its own words
		}
		switch {
		case o.isNull:
			edits = append(edits, edit{o.span, `{"include_usage":true}`})
		case len(o.includeUsage) > 0:
			edits = append(edits, each(o.includeUsage, "true")...)
		case o.empty:
			edits = append(edits, edit{o.span, `{"include_usage":true}`})
		default:
			edits = append(edits, edit{span{o.start + 1, o.start + 1}, `"include_usage":true,`})
		}
		edits = append(edits, each(o.continuous, "false")...)
	}
	return edits
}

func each(places []span, text string) []edit {
	edits := make([]edit, 0, len(places))
	for _, at := range places {
		edits = append(edits, edit{at, text})
	}
	return edits
}

func splice(src []byte, edits []edit) []byte {
	slices.SortFunc(edits, func(a, b edit) int { return a.at.start - b.at.start })
	size := len(src)
	for _, e := range edits {
		size += len(e.text)
	}
	out := make([]byte, 0, size)
	from := 0
	for _, e := range edits {
		out = append(out, src[from:e.at.start]...)
		out = append(out, e.text...)
		from = e.at.end
	}
	return append(out, src[from:]...)
}
