package devmode

import (
	"fmt"
	"net/http"
	"slices"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/fastapi"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/metrics"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
)

// Transfer makes a weight transfer route of a server that has no weight transfer.
func (d *Dev) Transfer(operation string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { d.noTransfer(w, operation) }
}

// InitTransfer is Transfer for the route whose body says how.
func (d *Dev) InitTransfer(w http.ResponseWriter, r *http.Request) {
	d.transferOf(w, r, "init", "init_info", isObject)
}

// UpdateTransfer is Transfer for the route whose body says what.
func (d *Dev) UpdateTransfer(w http.ResponseWriter, r *http.Request) {
	d.transferOf(w, r, "update", "update_info", isObjects)
}

func (d *Dev) transferOf(w http.ResponseWriter, r *http.Request, operation, name string, what check) {
	e, ok := readEmbedded(w, r)
	if !ok {
		return
	}
	if e.must(name, what); !e.faults.Refused(w) {
		d.noTransfer(w, operation)
	}
}

func (d *Dev) noTransfer(w http.ResponseWriter, operation string) {
	d.metrics.Operation(metrics.WeightUpdates, operation)()
	failed(w, "Weight transfer not configured. Please set weight_transfer_config to enable weight transfer.")
}

// FinishTransfer is Transfer for the route whose body may name the new weights, and may be missing.
func (d *Dev) FinishTransfer(w http.ResponseWriter, r *http.Request) {
	e, ok := readEmbedded(w, r)
	if !ok {
		return
	}
	if e.may("weight_version", isText); !e.faults.Refused(w) {
		d.noTransfer(w, "finish")
	}
}

// ShutDownTransfer ends the weight transfer, which needs none.
func (d *Dev) ShutDownTransfer(w http.ResponseWriter, _ *http.Request) {
	d.metrics.Operation(metrics.WeightUpdates, "shutdown")()
	fastapi.ReplyValue(w, http.StatusOK, "message", "Weight transfer shut down")
}

// SetWeightVersion names the weights.
func (d *Dev) SetWeightVersion(w http.ResponseWriter, r *http.Request) {
	e, ok := readEmbedded(w, r)
	if !ok {
		return
	}
	v := e.must("new_version", isText)
	if e.faults.Refused(w) {
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
	e, ok := readEmbedded(w, r)
	if !ok {
		return
	}
	action := e.must("action", func(f *fastapi.Mistakes, loc string, v any) {
		if word, _ := v.(string); !slices.Contains([]string{"checksum", "reset", "compare"}, word) {
			f.NotOneOf(loc, pyjson.Str(v), "checksum", "reset", "compare")
		}
	})
	baseline := e.may("baseline", isObject)
	if e.faults.Refused(w) {
		return
	}
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
