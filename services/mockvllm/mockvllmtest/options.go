package mockvllmtest

import (
	"fmt"
	"time"

	"github.com/fluidmcp/fluidmcp/services/mockvllm"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/faults"
)

// Option changes how a server is started.
type Option func(*settings) error

type settings struct {
	cfg   mockvllm.Config
	rules faults.Set
}

// Model is the name by which the model is served, and further names of it. It is mock-model without this option.
func Model(name string, more ...string) Option {
	return func(s *settings) error {
		s.cfg.Model, s.cfg.ServedNames = name, append([]string{name}, more...)
		return nil
	}
}

// Answers says what answers are made of, as --mock-answer does: "guide", the default, "echo" or "random".
func Answers(mode string) Option {
	return func(s *settings) error { s.cfg.Mock.Answer = mode; return nil }
}

// Latency is the time to the first token, and between two. Without it answers take no time.
func Latency(ttft, itl time.Duration) Option {
	return func(s *settings) error {
		if err := s.cfg.Mock.TTFT.UnmarshalText([]byte(ttft.String())); err != nil {
			return fmt.Errorf("time to the first token: %w", err)
		}
		if err := s.cfg.Mock.ITL.UnmarshalText([]byte(itl.String())); err != nil {
			return fmt.Errorf("time between tokens: %w", err)
		}
		return nil
	}
}

// Faults are the rules in force from the start, in JSON as PUT /mock/faults takes them.
func Faults(rules string) Option {
	return func(s *settings) (err error) {
		s.rules, err = faults.Parse([]byte(rules))
		return err
	}
}

// APIKey is what clients have to send.
func APIKey(key string) Option {
	return func(s *settings) error { s.cfg.APIKeys = append(s.cfg.APIKeys, key); return nil }
}

// VirtualClock lets time stand still until Advance.
func VirtualClock() Option {
	return func(s *settings) error { s.cfg.Mock.Clock = "virtual"; return nil }
}

// Config changes anything that the command line could.
func Config(change func(*mockvllm.Config)) Option {
	return func(s *settings) error { change(&s.cfg); return nil }
}
