package config

import (
	"encoding"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/cli"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/lora"
)

func word(at func(*Config) *string) setter {
	return func(c *Config, v []string) *flagError {
		*at(c) = v[0]
		if v[0] == "None" { // Python's way to say nothing
			*at(c) = ""
		}
		return nil
	}
}

// words drops empty ones, as vLLM does with keys.
func words(at func(*Config) *[]string) setter {
	return func(c *Config, v []string) *flagError {
		*at(c) = slices.DeleteFunc(slices.Clone(v), func(k string) bool { return k == "" })
		return nil
	}
}

func toggle(at func(*Config) *bool) setter {
	return func(c *Config, v []string) *flagError { *at(c) = v[0] == "true"; return nil }
}

func integer(at func(*Config) *int) setter {
	return func(c *Config, v []string) *flagError {
		n, _ := cli.Int(v[0])
		*at(c) = int(n)
		return nil
	}
}

// limit reads an integer that may be None.
func limit(at func(*Config) **int) setter {
	return func(c *Config, v []string) *flagError {
		*at(c) = nil
		if n, ok := cli.Int(v[0]); ok {
			*at(c) = new(int(n))
		}
		return nil
	}
}

func number(at func(*Config) *float64) setter {
	return func(c *Config, v []string) *flagError { *at(c), _ = cli.Float(v[0]); return nil }
}

func seconds(at func(*Config) *time.Duration) setter {
	return func(c *Config, v []string) *flagError {
		n, _ := cli.Int(v[0])
		*at(c) = time.Duration(n) * time.Second
		return nil
	}
}

// duration reads Go's form, for the mock's own flags.
func duration(at func(*Config) *time.Duration) setter {
	return func(c *Config, v []string) *flagError {
		d, err := time.ParseDuration(v[0])
		if err != nil {
			return invalidValue("duration", v[0])
		}
		*at(c) = d
		return nil
	}
}

// text reads what a value of the mock's own flags reads itself from.
func text(at func(*Config) encoding.TextUnmarshaler) setter {
	return func(c *Config, v []string) *flagError {
		if err := at(c).UnmarshalText([]byte(v[0])); err != nil {
			return &flagError{message: err.Error()}
		}
		return nil
	}
}

// list reads JSON. vLLM takes a text as well, and looks for its parts in it.
func list(at func(*Config) *[]string) setter {
	return func(c *Config, v []string) *flagError {
		var texts []string
		var text string
		if json.Unmarshal([]byte(v[0]), &texts) != nil && json.Unmarshal([]byte(v[0]), &text) == nil {
			texts = []string{text}
		}
		*at(c) = texts
		return nil
	}
}

func setRootPath(c *Config, v []string) *flagError {
	c.HTTP.RootPath = strings.TrimRight(v[0], "/")
	return nil
}

func setQuietPaths(c *Config, v []string) *flagError {
	c.HTTP.QuietPaths = nil
	for path := range strings.SplitSeq(v[0], ",") {
		if path = strings.TrimSpace(path); path != "" {
			c.HTTP.QuietPaths = append(c.HTTP.QuietPaths, path)
		}
	}
	return nil
}

func setProfiler(c *Config, v []string) *flagError {
	var config struct{ Profiler *string }
	c.Routes.Profiler = json.Unmarshal([]byte(v[0]), &config) == nil && config.Profiler != nil
	return nil
}

func setMaxBatchedTokens(c *Config, v []string) *flagError {
	n, _ := cli.Size(v[0])
	c.Scheduler.MaxBatchedTokens = new(int(n))
	return nil
}

// setMaxModelLen leaves the model's own length for -1 and auto.
func setMaxModelLen(c *Config, v []string) *flagError {
	if n, problem := cli.Size(v[0]); problem == "" && n != -1 {
		c.MaxModelLen = int(n)
	}
	return nil
}

// setAdapters reads name=path or JSON. An empty word is skipped, as vLLM does.
func setAdapters(c *Config, v []string) *flagError {
	c.LoRA.Modules = nil
	for _, item := range v {
		if item == "" || item == "None" {
			continue
		}
		name, path, simple := strings.Cut(item, "=")
		a := lora.Adapter{Name: name, Path: path}
		if !simple || strings.Contains(item, ",") {
			var problem string
			if a, problem = adapterOf(item); problem != "" {
				return &flagError{problem, true}
			}
		}
		c.LoRA.Modules = append(c.LoRA.Modules, a)
	}
	return nil
}

// adapterOf reads {"name", "path", "base_model_name"}, and says in vLLM's words what is wrong.
func adapterOf(item string) (a lora.Adapter, problem string) {
	var fields map[string]any
	if err := json.Unmarshal([]byte(item), &fields); err != nil {
		return a, "Invalid JSON format for --lora-modules: " + item
	}
	var missing []string
	for _, name := range []string{"name", "path"} {
		if _, ok := fields[name]; !ok {
			missing = append(missing, "'"+name+"'")
		}
	}
	wrong := "Invalid fields for --lora-modules: " + item + " - LoRAModulePath.__init__() "
	for name := range fields {
		if !slices.Contains([]string{"name", "path", "base_model_name", "is_3d_lora_weight"}, name) {
			return a, wrong + "got an unexpected keyword argument '" + name + "'"
		}
	}
	if len(missing) > 0 {
		plural := "s"
		if len(missing) == 1 {
			plural = ""
		}
		return a, wrong + "missing " + strconv.Itoa(len(missing)) + " required positional argument" + plural + ": " + strings.Join(missing, " and ")
	}
	a.Name, _ = fields["name"].(string)
	a.Path, _ = fields["path"].(string)
	a.Base, _ = fields["base_model_name"].(string)
	return a, ""
}
