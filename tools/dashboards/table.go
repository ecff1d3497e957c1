package main

import (
	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
	sheet "github.com/grafana/grafana-foundation-sdk/go/table"
)

// table says how a list shows labels and values.
type table struct {
	labels []column // in this order; those that are not named are left out
	values []column // of the queries, in their order; none leaves out the values
	sort   string   // title of a column, the largest first
}

// column is one label, or the value of one query.
type column struct {
	label  string // "" for a value
	title  string
	unit   string
	limits []limit // colours of the cell
}

// unwanted are labels that every series may have.
var unwanted = []string{"Time", "__name__", "alertstate", "engine", "exported_instance", "instance", "job", "revision", "goversion",
	"backend", "model_name", "reason", "severity", "alertname", "model", "version"}

func (p panel) list() cog.Builder[dashboard.Panel] {
	b := sheet.NewPanelBuilder().Title(p.title).Description(p.about).Datasource(*source()).Span(p.width).Height(p.height).Unit(p.unit).
		Footer(ready[common.TableFooterOptions]{common.TableFooterOptions{Reducer: []string{}}}).NoValue(p.empty).Filterable(false).ColorScheme(colored("fixed")).Thresholds(steps([]limit{{0, "text"}}))
	if p.table.sort != "" {
		b.SortBy([]cog.Builder[common.TableSortByFieldState]{ready[common.TableSortByFieldState]{
			common.TableSortByFieldState{DisplayName: p.table.sort, Desc: ptr(true)}}})
	}
	for i, q := range p.queries {
		b.WithTarget(q.target(i, true, prometheus.PromQueryFormatTable))
	}
	b.WithTransformation(dashboard.DataTransformerConfig{Id: "merge", Options: map[string]any{}})
	b.WithTransformation(dashboard.DataTransformerConfig{Id: "organize", Options: p.organized()})
	for _, c := range append(p.table.labels, p.table.values...) {
		if props := p.look(c); len(props) > 0 {
			b.OverrideByName(c.title, props)
		}
	}
	return b
}

// valueField is what Grafana calls the value of query i.
func (p panel) valueField(i int) string {
	if len(p.queries) == 1 {
		return "Value"
	}
	return "Value #" + ref(i)
}

// organized orders, names and leaves out fields.
func (p panel) organized() map[string]any {
	exclude, order, names := map[string]bool{}, map[string]int{}, map[string]string{}
	for _, label := range unwanted {
		exclude[label] = true
	}
	for _, c := range p.table.labels {
		delete(exclude, c.label)
		order[c.label], names[c.label] = len(order), c.title
	}
	for i := range p.queries {
		field := p.valueField(i)
		if len(p.table.values) == 0 {
			exclude[field] = true
			continue
		}
		order[field], names[field] = len(order), p.table.values[i].title
	}
	return map[string]any{"excludeByName": exclude, "indexByName": order, "renameByName": names}
}

func (p panel) look(c column) []dashboard.DynamicConfigValue {
	var props []dashboard.DynamicConfigValue
	if c.unit != "" {
		props = append(props, dashboard.DynamicConfigValue{Id: "unit", Value: c.unit})
	}
	if len(c.limits) > 0 {
		t, _ := steps(c.limits).Build() // it has no errors
		props = append(props, dashboard.DynamicConfigValue{Id: "thresholds", Value: t},
			dashboard.DynamicConfigValue{Id: "color", Value: map[string]any{"mode": "thresholds"}},
			dashboard.DynamicConfigValue{Id: "custom.cellOptions", Value: map[string]any{"type": "color-text"}})
	}
	if p.toModel && c.label == "model" {
		props = append(props, dashboard.DynamicConfigValue{Id: "links", Value: []any{toModel("__data.fields." + c.title)}})
	}
	return props
}
