package manage

import (
	"context"
	"strings"
	"testing"
)

func TestRestartGoesOnWithoutItsCommand(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var out strings.Builder
	body := []byte(`{"rollout":{"state":"rolling","total":1,"message":"replaces m-0"}}`)
	_, err := followRollout(ctx, &out, "m", body, func(ctx context.Context) ([]byte, error) {
		cancel()
		return nil, ctx.Err()
	})
	if err == nil || !strings.Contains(err.Error(), "the restart goes on") {
		t.Errorf("error %v", err)
	}
}
