package declared

import (
	"fmt"
	"math/big"
	"slices"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema/pydantic"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema/python"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema/scalar"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema/values"
)

func init() {
	register(map[string]pydantic.Hook{
		"SamplingParams._validate_msgspec":                         {After: samplingParams, Raises: true},
		"GenerateRequest._capture_sampling_params_provided_keys":   {}, // for its handler only
		"GenerateRequest._check_mm_fields_exclusive":               rightModel(contentOrFeatures),
		"GenerateRequest._check_output_mode_detokenizes":           rightModel(textNeedsDetokenize),
		"GenerateRequest._require_ec_for_metadata_only":            rightModel(metadataNeedsEC),
		"GenerateRequest._validate_cache_salt":                     pydantic.OnObject(cacheSalt),
		"GenerateRequest._validate_multimodal_feature_bounds":      rightModel(featuresInside),
		"validate_token_ids":                                       right(noNegativeIDs),
		"MultiModalFeatures._validate_parallel_fields":             rightModel(featuresParallel),
		"DerenderCompletionRequest._validate_prompt_tokens_length": rightModel(onePromptEach),
		"DerenderStreamState._bound_prev_tokens":                   right(fewPrevTokens),
		"DerenderStreamState._validate_output_chunk_lens":          rightModel(chunksSumUp),
	})
}

func noNegativeIDs(out any) string {
	ids, _ := out.([]any)
	if slices.ContainsFunc(ids, func(id any) bool { n, _ := values.Int(id); return n < 0 }) {
		return "token_ids must not contain negative values"
	}
	return ""
}

func contentOrFeatures(v *values.Values) string {
	if python.Truthy(v.Get("content_parts")) && v.Values("features") != nil {
		return "content_parts and features are mutually exclusive"
	}
	return ""
}

func featuresParallel(v *values.Values) string {
	hashes, places := v.Object("mm_hashes"), v.Object("mm_placeholders")
	if !sameKeys(hashes, places) {
		return "mm_hashes and mm_placeholders must use the same modalities"
	}
	optional := []string{"kwargs_data", "mm_metadata"}
	for _, name := range optional {
		if o := v.Object(name); o != nil && !sameKeys(hashes, o) {
			return name + " must use the same modalities as mm_hashes"
		}
	}
	var spans []*values.Values
	for modality, list := range hashes.All() {
		n := count(list)
		if count(places.Value(modality)) != n {
			return modality + " mm_hashes and mm_placeholders must have the same length"
		}
		for _, name := range optional {
			if o := v.Object(name); o != nil && count(o.Value(modality)) != n {
				return fmt.Sprintf("%s %s and mm_hashes must have the same length", modality, name)
			}
		}
		for _, p := range places.Value(modality).([]any) {
			spans = append(spans, p.(*values.Values))
		}
	}
	slices.SortFunc(spans, func(a, b *values.Values) int {
		if c := scalar.BigInt(a.Get("offset")).Cmp(scalar.BigInt(b.Get("offset"))); c != 0 {
			return c
		}
		return scalar.BigInt(a.Get("length")).Cmp(scalar.BigInt(b.Get("length")))
	})
	for i := 1; i < len(spans); i++ {
		if scalar.BigInt(spans[i].Get("offset")).Cmp(end(spans[i-1])) < 0 {
			return "mm_placeholders must be globally non-overlapping and sorted"
		}
	}
	return ""
}

// end is the token behind a placeholder.
func end(place *values.Values) *big.Int {
	return new(big.Int).Add(scalar.BigInt(place.Get("offset")), scalar.BigInt(place.Get("length")))
}

func count(v any) int {
	list, _ := v.([]any)
	return len(list)
}

func sameKeys(a, b *pyjson.Object) bool {
	for key := range a.All() {
		if _, ok := b.Get(key); !ok {
			return false
		}
	}
	return a.Len() == b.Len()
}

func featuresInside(v *values.Values) string {
	prompt := big.NewInt(int64(count(v.Get("token_ids"))))
	for _, list := range v.Values("features").Object("mm_placeholders").All() {
		for _, p := range list.([]any) {
			if end(p.(*values.Values)).Cmp(prompt) > 0 {
				return "mm_placeholders must remain within the token_ids sequence"
			}
		}
	}
	return ""
}

func metadataNeedsEC(v *values.Values) string {
	features := v.Values("features")
	if features == nil || python.Truthy(v.Get("ec_transfer_params")) {
		return ""
	}
	kwargs := features.Object("kwargs_data")
	for modality, metadata := range features.Object("mm_metadata").All() {
		items, _ := kwargs.Value(modality).([]any)
		for i, m := range metadata.([]any) {
			if m != nil && (i >= len(items) || items[i] == nil) {
				return "metadata-only multimodal items require ec_transfer_params"
			}
		}
	}
	return ""
}

func textNeedsDetokenize(v *values.Values) string {
	mode := v.Get("output_mode")
	if mode != "tokens" && !python.Truthy(v.Object("sampling_params").Value("detokenize")) {
		return fmt.Sprintf("output_mode=%s requires sampling_params.detokenize to be true", pyjson.Repr(mode))
	}
	return ""
}

func onePromptEach(v *values.Values) string {
	n := count(v.Get("generate_responses"))
	if list, ok := v.List("prompt_tokens"); ok && len(list) != n {
		return fmt.Sprintf("prompt_tokens length (%d) must equal generate_responses length (%d)", len(list), n)
	}
	if list, ok := v.List("prompt_token_ids"); ok && len(list) != n {
		return fmt.Sprintf("prompt_token_ids length (%d) must equal generate_responses length (%d)", len(list), n)
	}
	return ""
}

func fewPrevTokens(out any) string {
	const most = 1024
	if n := count(out); n > most {
		return fmt.Sprintf("prev_tokens length (%d) exceeds maximum (%d)", n, most)
	}
	return ""
}

func chunksSumUp(v *values.Values) string {
	sum := new(big.Int)
	lens, _ := v.List("output_chunk_lens")
	for _, n := range lens {
		sum.Add(sum, scalar.BigInt(n))
	}
	if n := count(v.Get("output_token_ids")); sum.Cmp(big.NewInt(int64(n))) != 0 {
		return fmt.Sprintf("output_chunk_lens must sum to len(output_token_ids) (got sum=%s, len(output_token_ids)=%d)", sum, n)
	}
	return ""
}
