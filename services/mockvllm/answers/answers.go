package answers

import (
	"github.com/fluidmcp/fluidmcp/services/mockvllm/config"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/console"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/engine"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/engine/clock"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/life"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/metrics"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/models"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol/request"
)

// Answers makes those of one server.
type Answers struct {
	cfg         config.Config
	engine      *engine.Engine
	clock       clock.Clock
	metrics     *metrics.Metrics
	life        *life.Life
	model       *request.Model
	models      *models.Models
	console     *console.Console
	fingerprint string
	blockSize   int  // tokens
	varies      bool // how long an answer takes follows from its id
	flights     flights
}

// Deps are what answers are made with.
type Deps struct {
	Engine  *engine.Engine
	Clock   clock.Clock // the engine's
	Metrics *metrics.Metrics
	Life    *life.Life
	Model   *request.Model // what answers
	Models  *models.Models // the names that requests have for it
	Console *console.Console
}

// New makes answers with a configuration that is valid.
func New(cfg config.Config, d Deps) *Answers {
	e := cfg.Engine()
	return &Answers{cfg: cfg, engine: d.Engine, clock: d.Clock, metrics: d.Metrics, life: d.Life, model: d.Model, models: d.Models, console: d.Console,
		fingerprint: fingerprint(cfg), blockSize: e.BlockSize, varies: e.Latency.Varies()}
}

// Abort ends what runs for a request, by the id that it has in the engine, with what it has.
func (s *Answers) Abort(id string) { s.engine.Abort(s.flights.of(id)...) }
