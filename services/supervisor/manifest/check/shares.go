package check

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest"
	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest/fields"
)

// claim is the part of a device's memory that an instance wants.
type claim struct {
	instance string
	share    float64
	model    string // whose instance it is
	group    string // swap group of that; "" for none
}

// shares reports GPUs of which more is promised than there is. Where nobody says which GPUs a server takes this is a warning:
// it may be a machine without any.
func (r checker) shares(file *manifest.File) {
	said, all := map[string][]claim{}, map[string][]claim{}
	for _, m := range file.Models {
		for _, i := range m.Instances {
			if i.GPU == nil {
				continue
			}
			for _, device := range i.GPU.Taken() {
				c := claim{i.ID, i.GPU.Share, m.ID, m.Demand.SwapGroup}
				all[device] = append(all[device], c)
				if i.GPU.Devices != nil {
					said[device] = append(said[device], c)
				}
			}
		}
	}
	for _, device := range slices.Sorted(maps.Keys(all)) {
		if over := promised(together(file.SwapGroups, said[device])); over != "" {
			r.Add(fields.Models, "GPU %s is to give %s; lower their gpu-memory-utilization to at most 1 together, or name other devices", device, over)
		} else if over := promised(together(file.SwapGroups, all[device])); over != "" {
			file.Warnings = append(file.Warnings, fmt.Sprintf("Nothing says which GPUs all of these take, and vLLM begins with the first: GPU %s "+
				"would give %s. Name their devices, or lower their gpu-memory-utilization to at most 1 together.", device, over))
		}
	}
}

// together are the claims that can be made at the same time and add up to most: of a swap group those of as many models as are
// loaded at a time, the largest.
func together(groups map[string]manifest.SwapGroup, claims []claim) []claim {
	sizes := map[string]map[string]float64{} // of models by group
	for _, c := range claims {
		if sizes[c.group] == nil {
			sizes[c.group] = map[string]float64{}
		}
		sizes[c.group][c.model] += c.share
	}
	return slices.DeleteFunc(slices.Clone(claims), func(c claim) bool {
		of := sizes[c.group]
		larger := 0
		for model, size := range of {
			if size > of[c.model] || size == of[c.model] && model < c.model {
				larger++
			}
		}
		return c.group != "" && larger >= groups[c.group].Loaded
	})
}

// promised says who wants more than all of a device's memory, "" when it suffices.
func promised(claims []claim) string {
	total, names := 0.0, make([]string, len(claims))
	for i, c := range claims {
		total += c.share
		names[i] = fmt.Sprintf("%g to %s", c.share, c.instance)
	}
	if total <= 1+1e-9 { // tenths do not add up exactly
		return ""
	}
	return fmt.Sprintf("%.4g of its memory, %s", total, strings.Join(names, ", "))
}
