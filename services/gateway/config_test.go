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
	cfg := gateway.Config{SupervisorURL: "localhost:8098", LogLevel: "loud", TotalTimeout: -time.Second, Retries: -1, QueueSize: -1, MaxBufferedBytes: -1,
		Addr: ":8099", TLSCertFile: "tls.crt", ProxyProtocol: true, CORSOrigins: []string{"app.example.com"}}
	_, err := gateway.New(cfg, gateway.Deps{Log: zap.NewNop()})
	if err == nil {
		t.Fatal("a broken configuration was accepted")
	}
	for _, want := range []string{"SUPERVISOR_URL", "LOG_LEVEL", "CONNECT_TIMEOUT", "FIRST_BYTE_TIMEOUT", "IDLE_TIMEOUT", "PROBE_INTERVAL", "QUEUE_TIMEOUT",
		"KEEP_ALIVE_INTERVAL", "TOTAL_TIMEOUT", "MAX_BODY_BYTES", "MAX_BUFFERED_BYTES", "RETRIES", "QUEUE_SIZE", "ADDR", "TLS_CERT_FILE", "PROXY_PROTOCOL", "CORS_ORIGINS"} {
		if !strings.Contains(err.Error(), "GATEWAY_"+want) {
			t.Errorf("%s is not named in: %v", want, err)
		}
	}
}

// TestNoPasswordInAURL: the log names the supervisor, and so do faults.
func TestNoPasswordInAURL(t *testing.T) {
	cfg := gateway.Default()
	cfg.SupervisorURL = "http://me:hidden@127.0.0.1:8098"
	if err := cfg.Validate(); err == nil || !strings.Contains(err.Error(), "GATEWAY_SUPERVISOR_TOKEN") || strings.Contains(err.Error(), "hidden") {
		t.Error(err)
	}
}
