package main

import (
	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/cog/variants"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
)

// Colours mean the same everywhere; models and servers get theirs by name.
const (
	good  = "green"
	worse = "orange"
	bad   = "red"
	plain = "blue"
	other = "purple"
	quiet = "#808080"
)

// kind is how a panel draws.
type kind int

const (
	number kind = iota // one value now
	lines
	stack // areas on one another
	bars  // on one another
	heat  // of a histogram
	list  // a table of what is now
)

// panel is one picture.
type panel struct {
	kind               kind
	title, about, unit string
	width, height      uint32 // of 24 columns; rows of 30 pixels
	queries            []query
	limits             []limit           // colours of values; graphs draw them as lines
	share              bool              // from 0 to 1
	words              map[string]string // for values
	empty              string            // what an empty answer means
	toModel            bool              // each series or line leads to the Model dashboard
	table              table             // of a list
}

// query is a PromQL expression with the name of its series.
type query struct {
	expr, name string
	color      string // "" by name
	dashed     bool   // a line that is not to be crossed
}

// limit is the value from which on a colour holds.
type limit struct {
	from  float64
	color string
}

func (p panel) build() cog.Builder[dashboard.Panel] {
	switch p.kind {
	case number:
		return p.number()
	case heat:
		return p.heat()
	case list:
		return p.list()
	default:
		return p.graph()
	}
}

// target is query i as Grafana asks it. What is shown as one value or a table needs only the present.
func (q query) target(i int, instant bool, format prometheus.PromQueryFormat) cog.Builder[variants.Dataquery] {
	b := prometheus.NewDataqueryBuilder().Expr(q.expr).LegendFormat(q.name).RefId(ref(i)).Format(format).
		EditorMode(prometheus.QueryEditorModeCode)
	if instant {
		return b.Instant()
	}
	return b.Range()
}

// ref names query i within its panel.
func ref(i int) string { return string(rune('A' + i)) }

func steps(limits []limit) cog.Builder[dashboard.ThresholdsConfig] {
	t := dashboard.ThresholdsConfig{Mode: dashboard.ThresholdsModeAbsolute}
	for i, l := range limits {
		step := dashboard.Threshold{Color: l.color}
		if i > 0 { // the first reaches down to minus infinity
			step.Value = &l.from
		}
		t.Steps = append(t.Steps, step)
	}
	return ready[dashboard.ThresholdsConfig]{t}
}

func colored(mode string) cog.Builder[dashboard.FieldColor] {
	return ready[dashboard.FieldColor]{dashboard.FieldColor{Mode: dashboard.FieldColorModeId(mode)}}
}

// toModel leads from a series or table line to the Model dashboard; field is where the model's name is.
func toModel(field string) dashboard.DashboardLink {
	return dashboard.DashboardLink{Title: "Open this model", Type: dashboard.DashboardLinkTypeLink, Tags: []string{},
		Url: ptr("/d/fluidmcp-model/?var-datasource=${datasource}&var-model=${" + field + ":percentencode}&${__url_time_range}")}
}
