package read_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest/read"
)

// TestSecretsAreNotPrintedByAccident tries what a person who debugs would do.
func TestSecretsAreNotPrintedByAccident(t *testing.T) {
	file, err := read.Parse("models.json", []byte(`{"llmModels": {"m": {"endpoints": {"base_url": "http://h"}, "api_key": "sk-hidden"},
		"p": {"command": "mockvllm", "env": {"HF_TOKEN": "sk-hidden"}}}}`), nil)
	if err != nil {
		t.Fatal(err)
	}
	asJSON, err := json.Marshal(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, printed := range []string{
		fmt.Sprint(file), fmt.Sprintf("%v", *file), fmt.Sprintf("%+v", *file), fmt.Sprintf("%#v", *file), string(asJSON),
		fmt.Sprintf("%s %q", file.Models[0].APIKey, file.Models[1].Instances[0].Env),
	} {
		if strings.Contains(printed, "sk-hidden") {
			t.Errorf("a secret shows in %s", printed)
		}
	}
	if key := file.Models[0].APIKey.Reveal(); key != "sk-hidden" {
		t.Errorf("the key became %q", key)
	}
}

func TestWithoutAnEnvironmentNothingIsSet(t *testing.T) {
	_, err := read.Parse("models.json", []byte(`{"llmModels": {"m": {"model": "${HOME}", "port": 1}}}`), nil)
	if err == nil || !strings.Contains(err.Error(), "${HOME} is not set") {
		t.Errorf("error %v", err)
	}
}

func TestSecretsOfAFile(t *testing.T) {
	env := map[string]string{"OWN_TOKEN": "from-env", "HOME": "/home/me"}
	file, err := read.Parse("models.json", []byte(`{"llmModels": {
		"a": {"command": "vllm", "args": ["serve", "m", "--port", 8001, "--api-key", "one", "two", "--hf-token=three", "--seed", "4", "--x", "${OWN_TOKEN}"],
			"env": {"HF_TOKEN": "five", "HF_HOME": "${HOME}/models", "AWS_SECRET_ACCESS_KEY": "six", "CUDA_VISIBLE_DEVICES": 0}},
		"b": {"model": "m", "port": 8002, "api_key": "seven", "config": {"seed": 1, "ssl-keyfile": "/k"}},
		"c": {"endpoints": {"base_url": "http://h"}, "api_key": "seven"}}}`),
		func(name string) (string, bool) { value, ok := env[name]; return value, ok })
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range file.Secrets {
		got = append(got, s.Reveal())
	}
	if want := "five from-env one seven six three two"; strings.Join(got, " ") != want {
		t.Errorf("secrets %q, want %s", got, want)
	}
}
