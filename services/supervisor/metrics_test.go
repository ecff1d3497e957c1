package supervisor

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/fluidmcp/fluidmcp/services/supervisor/unit"
)

func TestLabelsOfReasons(t *testing.T) {
	for reason, want := range map[unit.Reason]string{
		unit.Exited: "exited", unit.StartFailed: "start_failed", unit.GPUOutOfMemory: "gpu_out_of_memory", unit.HostOOMKilled: "host_oom_killed",
		unit.ByDemand: "on_demand", "KilledByOOM": "killed_by_oom",
	} {
		if got := snake(string(reason)); got != want {
			t.Errorf("%s becomes %s, want %s", reason, got, want)
		}
	}
}

func TestLabelsOfReasonsAreDescribed(t *testing.T) {
	text, err := os.ReadFile("../../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, reason := range slices.Concat(unit.Failures, unit.Launches) {
		if label := snake(string(reason)); !strings.Contains(string(text), "`"+label+"`") {
			t.Errorf("docs/metrics.md does not describe the reason %s", label)
		}
	}
}
