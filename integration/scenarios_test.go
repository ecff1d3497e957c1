package integration

import "testing"

// scenario is one thing that a user relies on.
type scenario struct {
	name string
	run  func(t *testing.T, s *stack)
	only string // the one way of running that has what it is about; "" means all
}

// scenarios run in this order on one stack. Each leaves the stack as it found it; those that kill come last.
var scenarios = []scenario{
	{name: "every service tells its health", run: healthEverywhere},
	{name: "the guide's request", run: guideRequest},
	{name: "every path form", run: pathForms},
	{name: "text completions", run: textCompletions},
	{name: "streams come token by token", run: streamTokenByToken},
	{name: "messages", run: messagesAPI},
	{name: "refused messages", run: messagesRefused},
	{name: "models are listed", run: modelList},
	{name: "bad requests", run: badRequests},
	{name: "stream is a boolean", run: streamIsABoolean},
	{name: "requests of the reference", run: referenceExamples},
	{name: "several models", run: severalModels},
	{name: "concurrent requests are counted exactly", run: countedExactly},
	{name: "failures are counted", run: failuresCounted},
	{name: "slow model", run: slowModel},
	{name: "random errors", run: randomErrors},
	{name: "rate limit", run: rateLimit},
	{name: "load test", run: loadTest},
	{name: "load test of whole texts", run: loadTestOfWholeTexts},
	{name: "load test of failures", run: loadTestOfFailures},
	{name: "the guide's load test", run: loadTestScript},
	{name: "OpenAI's SDK for Python", run: openaiPython},
	{name: "OpenAI's SDK for JavaScript", run: openaiJS},
	{name: "OpenAI's SDK for Go", run: openaiGo},
	{name: "Anthropic's SDK for Python", run: anthropicPython},
	{name: "management", run: management},
	{name: "stop and start", run: stopAndStart},
	{name: "restart", run: restart},
	{name: "events", run: eventsTold},
	{name: "supervisor killed under load", run: supervisorReplaced, only: "compose"},
	{name: "console in a browser", run: consoleInBrowser, only: "binary"},
	{name: "API reference in a browser", run: referenceInBrowser, only: "binary"},
	{name: "Prometheus sees everything", run: prometheusSeesEverything, only: "compose"},
	{name: "every metric is documented", run: metricsDocumented, only: "binary"},
	{name: "containers are locked up", run: containersLockedUp, only: "compose"},
	{name: "model server killed in flight", run: killedInFlight},
	{name: "every query has an answer where servers are processes", run: processesMonitored, only: "binary"},
	{name: "rules are loaded, one alert fires", run: alertFires, only: "compose"},
	{name: "every query has an answer", run: everyQueryAnswered, only: "compose"},
}

func TestScenarios(t *testing.T) {
	t.Parallel()
	ways := []struct {
		name  string
		start func(*testing.T) *stack
	}{{"binary", startBinary}, {"compose", startCompose}}
	for _, way := range ways {
		t.Run(way.name, func(t *testing.T) {
			t.Parallel()
			s := way.start(t)
			for _, sc := range scenarios {
				if sc.only != "" && sc.only != way.name {
					continue
				}
				t.Run(sc.name, func(t *testing.T) { sc.run(t, s) })
			}
		})
	}
}
