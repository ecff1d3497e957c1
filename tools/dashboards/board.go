package main

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
)

// docs is where people read what the metrics mean.
const docs = "https://github.com/fluidmcp/fluidmcp/blob/main/docs/metrics.md"

// board is one dashboard.
type board struct {
	uid, title, about string
	variables         []variable
	rows              []row
	links             []link
	events            []event
}

// row is a headline and what stands below it.
type row struct {
	title  string
	panels []panel
}

// variable is a choice at the top of a dashboard, filled by a query for the values of a label.
type variable struct {
	name, label, query string
	many               bool // several or all may be chosen
}

// link leads away from a dashboard; the time range goes with it.
type link struct{ title, tooltip, url string }

// event marks the times at which a query has a value above 0.
type event struct{ name, color, expr, text string }

// ready is a built part of a dashboard, as the kit's builders want it.
type ready[T any] struct{ part T }

func (r ready[T]) Build() (T, error) { return r.part, nil }

func ptr[T any](v T) *T { return &v }

// source is the data source that was chosen at the top.
func source() *common.DataSourceRef {
	return &common.DataSourceRef{Type: ptr("prometheus"), Uid: ptr("${datasource}")}
}

// json is the dashboard as Grafana reads it from a file.
func (b board) json() ([]byte, error) {
	d, err := b.build()
	if err != nil {
		return nil, err
	}
	content, err := json.Marshal(d)
	if err != nil {
		return nil, fmt.Errorf("marshal: %w", err)
	}
	var free map[string]any
	if err := json.Unmarshal(content, &free); err != nil {
		return nil, fmt.Errorf("unmarshal: %w", err)
	}
	b.label(free)
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	if err := enc.Encode(free); err != nil {
		return nil, fmt.Errorf("encode: %w", err)
	}
	return out.Bytes(), nil
}

// label adds what the kit's type of an annotation lacks: Prometheus's part of Grafana takes its text from here.
func (b board) label(free map[string]any) {
	list := free["annotations"].(map[string]any)["list"].([]any)
	for i, e := range b.events {
		annotation := list[i].(map[string]any)
		annotation["titleFormat"] = e.text
		annotation["tagKeys"] = "model,reason,instance"
	}
}

func (b board) build() (dashboard.Dashboard, error) {
	d := dashboard.NewDashboardBuilder(b.title).Uid(b.uid).Description(b.about).Tags([]string{"fluidmcp"}).
		Readonly().Timezone("browser").Tooltip(dashboard.DashboardCursorSyncCrosshair).
		Time("now-1h", "now").Refresh("10s").WithVariable(ready[dashboard.VariableModel]{choiceOfSource()})
	for _, v := range b.variables {
		d.WithVariable(ready[dashboard.VariableModel]{v.build()})
	}
	for _, l := range b.links {
		d.Link(ready[dashboard.DashboardLink]{dashboard.DashboardLink{Title: l.title, Tooltip: l.tooltip, Url: &l.url,
			Type: dashboard.DashboardLinkTypeLink, Icon: "external link", Tags: []string{}, KeepTime: l.url != docs, TargetBlank: l.url == docs}})
	}
	for _, e := range b.events {
		d.Annotation(ready[dashboard.AnnotationQuery]{e.build()})
	}
	id := uint32(0)
	for _, r := range b.rows {
		id++
		d.WithRow(dashboard.NewRowBuilder(r.title).Id(id))
		for _, p := range r.panels {
			id++
			d.WithPanel(numbered{p.build(), id})
		}
	}
	built, err := d.Build()
	if err != nil {
		return built, fmt.Errorf("build: %w", err)
	}
	return built, nil
}

// numbered gives a panel its id.
type numbered struct {
	cog.Builder[dashboard.Panel]
	id uint32
}

func (n numbered) Build() (dashboard.Panel, error) {
	p, err := n.Builder.Build()
	p.Id = &n.id
	return p, err
}

func choiceOfSource() dashboard.VariableModel {
	return dashboard.VariableModel{Type: "datasource", Name: "datasource", Label: ptr("Data source"),
		Query: &dashboard.StringOrMap{String: ptr("prometheus")}, Refresh: ptr(dashboard.VariableRefreshOnDashboardLoad)}
}

func (v variable) build() dashboard.VariableModel {
	m := dashboard.VariableModel{Type: "query", Name: v.name, Label: &v.label, Datasource: source(), Definition: &v.query,
		Query:   &dashboard.StringOrMap{Map: map[string]any{"query": v.query, "refId": v.name}},
		Refresh: ptr(dashboard.VariableRefreshOnTimeRangeChanged), Sort: ptr(dashboard.VariableSortAlphabeticalAsc)}
	if v.many {
		all := func(s string) dashboard.StringOrArrayOfString {
			return dashboard.StringOrArrayOfString{ArrayOfString: []string{s}}
		}
		m.Multi, m.IncludeAll, m.AllValue = ptr(true), ptr(true), ptr(".*")
		m.Current = &dashboard.VariableOption{Text: all("All"), Value: all("$__all")}
	}
	return m
}

func (e event) build() dashboard.AnnotationQuery {
	return dashboard.AnnotationQuery{Name: e.name, Datasource: source(), Enable: true, IconColor: e.color, Expr: &e.expr,
		Target: prometheus.Dataquery{Expr: e.expr, RefId: ptr("Anno"), Interval: ptr("30s")}}
}
