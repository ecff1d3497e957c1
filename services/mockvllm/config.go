package mockvllm

import (
	"errors"
	"fmt"
	"time"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/faults"
)

// Version is the version of vLLM that is imitated.
const Version = "0.32.0"

// Config is what the command line says.
type Config struct {
	Host            string   // "" is all interfaces
	Port            int      // 0 is a free one
	Model           string   // root of the model card
	ServedNames     []string // the first is canonical; never empty once resolved
	APIKeys         []string // none: no authentication
	MaxModelLen     int      // tokens of prompt and answer
	MaxNumSeqs      int      // requests that run at a time
	PrefixCaching   bool     // count which blocks of a prompt were there before
	ToolParser      string   // "" refuses tools as vLLM does without a parser
	AutoTools       bool     // needs a ToolParser
	ShutdownTimeout time.Duration
	AccessLog       bool

	Mock MockConfig
}

// MockConfig is what a real server does not have: the --mock-* flags and the MOCKVLLM_* environment.
type MockConfig struct {
	TTFT      time.Duration   `split_words:"true"` // time to first token
	ITL       time.Duration   `split_words:"true"` // time between tokens
	Delay     time.Duration   `split_words:"true"` // before each answer
	ErrorRate float64         `split_words:"true"` // share of answers that are a 500, 0 to 1
	RateLimit faults.RateFlag `split_words:"true"` // requests and time, such as 10/60s; 429 beyond it
	Seed      int64           `split_words:"true"` // decides which answers are errors
	Answer    string          `split_words:"true"` // what answers say; only "guide" so far
	LoadTime  time.Duration   `split_words:"true"` // before the port listens; connections are refused meanwhile
}

// Default is vLLM's own defaults. A model's context is not known without the model; 40960 is that of the default model.
func Default() Config {
	const model = "Qwen/Qwen3-0.6B"
	return Config{Port: 8000, Model: model, ServedNames: []string{model}, MaxModelLen: 40960, MaxNumSeqs: 256, PrefixCaching: true,
		AccessLog: true, Mock: MockConfig{Answer: "guide"}}
}

// Validate returns all faults, joined.
func (c Config) Validate() error {
	var all []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			all = append(all, fmt.Errorf(format, args...))
		}
	}
	check(c.Port >= 0 && c.Port < 1<<16, "--port: %d is not within 0 and 65535", c.Port)
	check(len(c.ServedNames) > 0, "--served-model-name: no name")
	check(c.MaxModelLen > 0, "--max-model-len: %d is not positive", c.MaxModelLen)
	check(c.MaxNumSeqs > 0, "--max-num-seqs: %d is not positive", c.MaxNumSeqs)
	check(c.ShutdownTimeout >= 0, "--shutdown-timeout: %s is negative", c.ShutdownTimeout)
	check(!c.AutoTools || c.ToolParser != "", "--enable-auto-tool-choice requires --tool-call-parser")
	m := c.Mock
	check(m.Answer == "guide", "--mock-answer: %q is not known, use guide", m.Answer)
	check(m.ErrorRate >= 0 && m.ErrorRate <= 1, "--mock-error-rate: %g is not within 0 and 1", m.ErrorRate)
	for _, d := range []struct {
		flag string
		is   time.Duration
	}{{"ttft", m.TTFT}, {"itl", m.ITL}, {"delay", m.Delay}, {"load-time", m.LoadTime}} {
		check(d.is >= 0, "--mock-%s: %s is negative", d.flag, d.is)
	}
	return errors.Join(all...)
}

// rules are the faults that flags ask for. A request is counted by the rate limit first, as a limiter in front of a
// model would.
func (m MockConfig) rules() faults.Set {
	s := faults.Set{Seed: m.Seed}
	if m.RateLimit.Requests > 0 {
		s.Rules = append(s.Rules, faults.Rule{Do: faults.Action{RateLimit: &m.RateLimit.Rate}})
	}
	if m.Delay > 0 {
		s.Rules = append(s.Rules, faults.Rule{Do: faults.Action{Delay: faults.Duration(m.Delay)}})
	}
	if m.ErrorRate > 0 {
		percent := m.ErrorRate * 100
		s.Rules = append(s.Rules, faults.Rule{Match: faults.Match{Percent: &percent}, Do: faults.Action{Status: 500}})
	}
	return s
}
