package gateway_test

import (
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/fluidmcp/fluidmcp/services/gateway"
)

func TestDefaultIsValid(t *testing.T) {
	if err := gateway.Default().Validate(); err != nil {
		t.Error(err)
	}
}

func TestValidateReportsEveryFault(t *testing.T) {
	cfg := gateway.Config{SupervisorURL: "localhost:8098", LogLevel: "loud", TotalTimeout: -time.Second, Retries: -1}
	_, err := gateway.New(cfg, gateway.Deps{Log: zap.NewNop()})
	if err == nil {
		t.Fatal("a broken configuration was accepted")
	}
	for _, want := range []string{"SupervisorURL", "LogLevel", "ConnectTimeout", "FirstByteTimeout", "IdleTimeout", "ProbeInterval",
		"TotalTimeout", "MaxBodyBytes", "Retries"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%s is not named in: %v", want, err)
		}
	}
}
