package spec_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/fluidmcp/fluidmcp/services/supervisor/spec"
)

// TestSecretsAreNotPrintedByAccident tries what a person who debugs would do.
func TestSecretsAreNotPrintedByAccident(t *testing.T) {
	file, err := spec.Parse("models.json", []byte(`{"llmModels": {"m": {"endpoints": {"base_url": "http://h"}, "api_key": "sk-hidden"},
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
	_, err := spec.Parse("models.json", []byte(`{"llmModels": {"m": {"model": "${HOME}", "port": 1}}}`), nil)
	if err == nil || !strings.Contains(err.Error(), "${HOME} is not set") {
		t.Errorf("error %v", err)
	}
}
