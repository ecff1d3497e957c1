package config

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/cli"
)

// fromEnvironment reads the variables of vLLM that act here, in the forms in which vLLM's envs.py reads them.
func fromEnvironment(c *Config, env func(string) string) error {
	e := environment{get: env}
	if key := env("VLLM_API_KEY"); key != "" {
		c.APIKeys = []string{key}
	}
	c.Routes.Dev = e.env("VLLM_SERVER_DEV_MODE").number(0) != 0
	c.LoRA.Runtime = e.env("VLLM_ALLOW_RUNTIME_LORA_UPDATING").truth()
	c.LoRA.Offline = e.env("HF_HUB_OFFLINE").switched()
	c.HTTP.KeepAlive = time.Duration(e.env("VLLM_HTTP_TIMEOUT_KEEP_ALIVE").number(5)) * time.Second
	g := &c.Generation
	g.StoreResponses = e.env("VLLM_ENABLE_RESPONSES_API_STORE").number(0) != 0
	g.AnyModel = e.env("VLLM_SKIP_MODEL_NAME_VALIDATION").truth()
	c.Scheduler.StatsInterval = e.env("VLLM_LOG_STATS_INTERVAL").seconds(statsInterval)
	c.Scheduler.OutlivesEngine = e.env("VLLM_KEEP_ALIVE_ON_ENGINE_DEATH").number(0) != 0
	return errors.Join(e.faults...)
}

// environment gathers the faults of its variables.
type environment struct {
	get    func(string) string
	faults []error
}

// variable is one of them.
type variable struct {
	e          *environment
	name, text string
}

func (e *environment) env(name string) variable {
	return variable{e, name, strings.TrimSpace(e.get(name))}
}

// truth is vLLM's reading of some switches; the others are numbers.
func (v variable) truth() bool { return v.text == "1" || strings.EqualFold(v.text, "true") }

// switched is the Hugging Face hub's reading of a switch.
func (v variable) switched() bool {
	return slices.Contains([]string{"1", "ON", "YES", "TRUE"}, strings.ToUpper(v.text))
}

// number reads an integer.
func (v variable) number(absent int) int {
	if v.text == "" {
		return absent
	}
	n, err := strconv.Atoi(v.text)
	if err != nil {
		v.e.faults = append(v.e.faults, fmt.Errorf("%s: %q is no integer", v.name, v.text))
	}
	return n
}

// seconds reads a time as Python reads a float. What is not positive is as nothing.
func (v variable) seconds(absent time.Duration) time.Duration {
	const most = 1e9 // three decades
	if v.text == "" {
		return absent
	}
	f, ok := cli.Float(v.text)
	switch {
	case !ok:
		v.e.faults = append(v.e.faults, fmt.Errorf("%s: %q is no number", v.name, v.text))
	case f > 0:
		return time.Duration(min(f, most) * float64(time.Second))
	}
	return absent
}
