package mockvllm

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/config"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/generation"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/metrics"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol/request"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/template"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/tokenizer"
)

// toolParser is the parser that reads calls: vLLM has none unless the model may decide to call.
func toolParser(c config.Config) string {
	if !c.AutoTools {
		return ""
	}
	return c.ToolParser
}

// newModel makes what answers.
func newModel(cfg config.Config) (*request.Model, error) {
	tok, chat, err := newTokenizer(cfg)
	if err != nil {
		return nil, err
	}
	answers, err := newAnswers(tok, cfg.Mock)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", config.Setting("answer"), err)
	}
	g := cfg.Generation
	m := &request.Model{Model: answers, Name: cfg.ServedNames[0], MaxLen: cfg.MaxModelLen, MaxSeqs: cfg.MaxNumSeqs, MaxLogprobs: g.MaxLogprobs,
		Templates: request.Templates{Default: chat, Trust: g.TrustTemplate},
		Tools:     toolParser(cfg), Reasoning: g.ReasoningParser, ForceUsage: g.ForceUsage, TokensAsIDs: g.TokensAsIDs, Role: g.ResponseRole}
	if g.TemplateKwargs != "" {
		kwargs, err := pyjson.DecodeString(g.TemplateKwargs)
		if err != nil {
			return nil, fmt.Errorf("--default-chat-template-kwargs: %w", err)
		}
		m.Templates.Kwargs, _ = kwargs.(*pyjson.Object)
	}
	if g.Defaults == "" {
		return m, nil
	}
	if err := json.Unmarshal([]byte(g.Defaults), &m.Defaults); err != nil {
		return nil, fmt.Errorf("--override-generation-config: %w", err)
	}
	return m, nil
}

// newTokenizer loads that of a directory, with its chat template. Of models that are none the tiny reference model's stands in.
func newTokenizer(c config.Config) (*tokenizer.Tokenizer, *template.Template, error) {
	dir := c.Tokenizer
	if _, err := os.Stat(filepath.Join(c.Model, "tokenizer.json")); dir == "" && err == nil {
		dir = c.Model
	}
	tok, chat := tokenizer.Tiny(), template.Tiny()
	var err error
	if dir != "" {
		if tok, err = tokenizer.Load(dir); err != nil {
			return nil, nil, fmt.Errorf("--tokenizer: %s is no directory with a tokenizer that can be read here: %w", dir, err)
		}
		if chat, err = template.Find(dir); err != nil {
			return nil, nil, fmt.Errorf("--tokenizer: %w", err)
		}
	}
	if c.ChatTemplate == "" {
		return tok, chat, nil
	}
	source := []byte(c.ChatTemplate)
	if !strings.ContainsAny(c.ChatTemplate, "{}\n") { // vLLM tells a template from a file's name by that too
		if source, err = os.ReadFile(c.ChatTemplate); err != nil {
			return nil, nil, fmt.Errorf("--chat-template: %w", err)
		}
	}
	if chat, err = template.Compile(string(source)); err != nil {
		return nil, nil, fmt.Errorf("--chat-template: %w", err)
	}
	return tok, chat, nil
}

func newAnswers(tok *tokenizer.Tokenizer, cfg config.MockConfig) (*generation.Model, error) {
	path, fromFile := strings.CutPrefix(cfg.Answer, config.Scripted)
	if !fromFile {
		return generation.NewModel(tok, cfg.Answer, uint64(cfg.Seed)), nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	m := generation.NewModel(tok, generation.File, uint64(cfg.Seed))
	m.Script, err = generation.ParseScript(text)
	return m, err
}

func newMetrics(cfg config.Config) *metrics.Metrics {
	e := cfg.Engine()
	return metrics.New(metrics.Options{ModelName: cfg.ServedNames[0], MaxModelLen: cfg.MaxModelLen, ToolParser: cfg.ToolParser != "",
		Ranks: cfg.Scheduler.DataParallel, DisableLogStats: cfg.Scheduler.NoStats, MaxLoRAs: cfg.LoRA.Most(),
		Cache: metrics.CacheConfig{BlockSize: e.BlockSize, Blocks: e.NumBlocks, PrefixCaching: cfg.PrefixCaching}})
}
