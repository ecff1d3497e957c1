package integration

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"testing"
)

// missing ends a test that lacks something of the machine: skipped, or failed where the environment demands it.
func missing(t *testing.T, demand, what string) {
	t.Helper()
	if os.Getenv(demand) == "1" {
		t.Fatalf("%s (and %s=1 asks for it)", what, demand)
	}
	t.Skipf("SKIPPED: %s; set %s=1 to make that a failure", what, demand)
}

// contentHash names the state of a file.
func contentHash(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:6])
}
