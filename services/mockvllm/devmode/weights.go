package devmode

import (
	"fmt"
	"net/http"
	"slices"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/fastapi"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
)

// member reads one embedded member of a body; check adds the faults of its value.
func member(w http.ResponseWriter, r *http.Request, name string, check func(f *fastapi.Mistakes, loc string, v any)) (any, *pyjson.Object, bool) {
	body, ok := fastapi.ReadBody(w, r)
	if !ok {
		return nil, nil, false
	}
	v, err := protocol.DecodeJSON(body)
	if err != nil {
		fastapi.Refuse(w, err)
		return nil, nil, false
	}
	o, _ := v.(*pyjson.Object)
	value, there := o.Get(name)
	var f fastapi.Mistakes
	if there {
		check(&f, "body."+name, value)
	} else {
		f.Add("body."+name, "missing", "Field required", "None", "")
	}
	return value, o, !f.Refused(w)
}

// Transfer is a weight transfer route of a server that has no weight transfer: it checks the member that a body must have.
func Transfer(name string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if name != "" {
			_, _, ok := member(w, r, name, func(f *fastapi.Mistakes, loc string, v any) {
				if _, ok := v.(*pyjson.Object); !ok {
					f.Add(loc, "dict_type", "Input should be a valid dictionary", pyjson.Str(v), "")
				}
			})
			if !ok {
				return
			}
		}
		noTransfer(w)
	}
}

func noTransfer(w http.ResponseWriter) {
	failed(w, "Weight transfer not configured. Please set weight_transfer_config to enable weight transfer.")
}

// FinishTransfer is Transfer for the route whose body may name the new weights, and may be missing.
func FinishTransfer(w http.ResponseWriter, r *http.Request) {
	body, ok := fastapi.ReadBody(w, r)
	if !ok {
		return
	}
	if len(body) > 0 {
		v, err := protocol.DecodeJSON(body)
		if err != nil {
			fastapi.Refuse(w, err)
			return
		}
		var f fastapi.Mistakes
		o, isObject := v.(*pyjson.Object)
		version, _ := o.Get("weight_version")
		_, isText := version.(string)
		switch {
		case !isObject && v != nil:
			f.Add("body.weight_version", "missing", "Field required", "None", "")
		case version != nil && !isText:
			f.Add("body.weight_version", "string_type", "Input should be a valid string", pyjson.Str(version), "")
		}
		if f.Refused(w) {
			return
		}
	}
	noTransfer(w)
}

// Said makes a handler that answers with a message.
func Said(message string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { fastapi.ReplyValue(w, http.StatusOK, "message", message) }
}

// SetWeightVersion names the weights.
func (d *Dev) SetWeightVersion(w http.ResponseWriter, r *http.Request) {
	v, _, ok := member(w, r, "new_version", func(f *fastapi.Mistakes, loc string, v any) {
		if _, ok := v.(string); !ok {
			f.Add(loc, "string_type", "Input should be a valid string", pyjson.Str(v), "")
		}
	})
	if !ok {
		return
	}
	d.weightVersion.Store(fmt.Sprint(v))
	fastapi.ReplyValue(w, http.StatusOK, "success", true, "new_version", v)
}

// WeightInfo tells the name of the weights.
func (d *Dev) WeightInfo(w http.ResponseWriter, _ *http.Request) {
	version, ok := d.weightVersion.Load().(string)
	if !ok {
		version = "default"
	}
	fastapi.ReplyValue(w, http.StatusOK, "weight_version", version)
}

// CheckWeights knows no weights, so every baseline but an empty one differs from them.
func (d *Dev) CheckWeights(w http.ResponseWriter, r *http.Request) {
	action, o, ok := member(w, r, "action", func(f *fastapi.Mistakes, loc string, v any) {
		if word, _ := v.(string); !slices.Contains([]string{"checksum", "reset", "compare"}, word) {
			f.NotOneOf(loc, pyjson.Str(v), "checksum", "reset", "compare")
		}
	})
	if !ok {
		return
	}
	baseline, _ := o.Get("baseline")
	known, _ := baseline.(*pyjson.Object)
	switch {
	case action == "reset":
		fastapi.ReplyValue(w, http.StatusOK, "status", "reset")
	case action == "checksum":
		fastapi.ReplyValue(w, http.StatusOK, "checksums", &pyjson.Object{})
	case baseline == nil:
		fastapi.Raised(w, http.StatusBadRequest, "action='compare' requires a 'baseline' object")
	default:
		mismatches := []any{}
		for _, m := range known.Members() {
			mismatches = append(mismatches, m.Key)
		}
		fastapi.ReplyValue(w, http.StatusOK, "match", len(mismatches) == 0, "mismatches", mismatches)
	}
}
