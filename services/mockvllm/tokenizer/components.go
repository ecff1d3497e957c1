package tokenizer

import (
	"fmt"

	"golang.org/x/text/unicode/norm"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/tokenizer/pretokenizer"
)

// component is a normalizer, pre-tokenizer, post-processor or decoder of tokenizer.json, with the fields of all kinds that
// are supported.
type component struct {
	Type           string      `json:"type"`
	Normalizers    []component `json:"normalizers"`
	PreTokenizers  []component `json:"pretokenizers"`
	Processors     []component `json:"processors"`
	Decoders       []component `json:"decoders"`
	AddPrefixSpace *bool       `json:"add_prefix_space"`
	UseRegex       *bool       `json:"use_regex"`
	Pattern        struct {
		Regex  string
		String string
	} `json:"pattern"`
	Behavior         string `json:"behavior"`
	Invert           bool   `json:"invert"`
	IndividualDigits bool   `json:"individual_digits"`
	Single           []struct {
		SpecialToken *struct {
			ID string `json:"id"`
		}
		Sequence *struct{}
	} `json:"single"`
	SpecialTokens map[string]struct {
		IDs []int `json:"ids"`
	} `json:"special_tokens"`
}

func unsupported(part string, c *component) error {
	return fmt.Errorf("%s of type %q is not supported", part, c.Type)
}

// isTrue is the value of an option that is on unless a file says otherwise.
func isTrue(b *bool) bool { return b == nil || *b }

func checkDecoder(c *component) error {
	switch {
	case c == nil:
		return fmt.Errorf("a file without a decoder is not supported, only the decoder ByteLevel is")
	case c.Type == "Sequence" && len(c.Decoders) == 1:
		return checkDecoder(&c.Decoders[0])
	case c.Type != "ByteLevel":
		return unsupported("decoder", c)
	}
	return nil
}

func normalizer(c *component) (func(string) string, error) {
	switch {
	case c == nil || c.Type == "Sequence" && len(c.Normalizers) == 0:
		return nil, nil
	case c.Type == "Sequence" && len(c.Normalizers) == 1:
		return normalizer(&c.Normalizers[0])
	case c.Type != "NFC":
		return nil, unsupported("normalizer", c)
	}
	return norm.NFC.String, nil
}

// preTokenizer returns the stages of c. The last of them has to be ByteLevel, or the words would not be bytes.
func preTokenizer(c *component) ([]pretokenizer.Stage, error) {
	if c == nil {
		return nil, fmt.Errorf("a file without a pre_tokenizer is not supported, only byte-level BPE is")
	}
	parts := []component{*c}
	if c.Type == "Sequence" {
		parts = c.PreTokenizers
	}
	if len(parts) == 0 || parts[len(parts)-1].Type != "ByteLevel" {
		return nil, fmt.Errorf("a pre_tokenizer that does not end with ByteLevel is not supported")
	}
	var stages []pretokenizer.Stage
	for i := range parts {
		s, err := newStage(&parts[i])
		if err != nil {
			return nil, err
		}
		stages = append(stages, s)
	}
	return stages, nil
}

func newStage(c *component) (pretokenizer.Stage, error) {
	switch c.Type {
	case "ByteLevel":
		return pretokenizer.ByteLevel(isTrue(c.AddPrefixSpace), isTrue(c.UseRegex)), nil
	case "Digits":
		return pretokenizer.Digits(c.IndividualDigits), nil
	case "Split":
		return splitStage(c)
	}
	return pretokenizer.Stage{}, unsupported("pre_tokenizer", c)
}

func splitStage(c *component) (s pretokenizer.Stage, err error) {
	drop := c.Behavior == "Removed" && c.Invert
	switch {
	case c.Pattern.Regex == "":
		return s, fmt.Errorf("pre_tokenizer Split by the string %q is not supported, only by a Regex", c.Pattern.String)
	case c.Behavior != "Isolated" && !drop:
		return s, fmt.Errorf("pre_tokenizer Split with behavior %q, invert %t is not supported", c.Behavior, c.Invert)
	}
	if s, err = pretokenizer.Split(c.Pattern.Regex, drop); err != nil {
		return s, fmt.Errorf("pre_tokenizer Split with the pattern %s: %w", c.Pattern.Regex, err)
	}
	return s, nil
}

// postProcessor fills in what goes around a text.
func (t *Tokenizer) postProcessor(c *component) error {
	switch {
	case c == nil || c.Type == "ByteLevel":
		return nil
	case c.Type == "Sequence":
		for i := range c.Processors {
			if err := t.postProcessor(&c.Processors[i]); err != nil {
				return err
			}
		}
		return nil
	case c.Type != "TemplateProcessing":
		return unsupported("post_processor", c)
	}
	t.before, t.after = nil, nil
	to := &t.before
	for _, piece := range c.Single {
		if piece.Sequence != nil {
			to = &t.after
		} else if piece.SpecialToken != nil {
			*to = append(*to, c.SpecialTokens[piece.SpecialToken.ID].IDs...)
		}
	}
	return nil
}
