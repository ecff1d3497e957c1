package main

import (
	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/heatmap"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
	"github.com/grafana/grafana-foundation-sdk/go/stat"
	"github.com/grafana/grafana-foundation-sdk/go/timeseries"
)

func (p panel) number() cog.Builder[dashboard.Panel] {
	b := stat.NewPanelBuilder().Title(p.title).Description(p.about).Datasource(*source()).Span(p.width).Height(p.height).Unit(p.unit).
		ReduceOptions(common.NewReduceDataOptionsBuilder().Calcs([]string{"lastNotNull"}).Values(false).Fields("")).
		Orientation(common.VizOrientationAuto).GraphMode(common.BigValueGraphModeNone).ColorMode(common.BigValueColorModeValue).Thresholds(steps(p.limits)).ColorScheme(colored("thresholds"))
	// Of a whole time range the last value would be shown, however old, long after its series has ended.
	for i, q := range p.queries {
		b.WithTarget(q.target(i, true, prometheus.PromQueryFormatTimeSeries))
	}
	if p.empty != "" {
		b.NoValue(p.empty)
	}
	if p.share {
		b.Min(0).Max(1)
	}
	if len(p.words) > 0 {
		results := map[string]dashboard.ValueMappingResult{}
		for value, word := range p.words {
			results[value] = dashboard.ValueMappingResult{Text: &word}
		}
		b.Mappings([]dashboard.ValueMapping{{ValueMap: &dashboard.ValueMap{Type: "value", Options: results}}})
	}
	return b
}

func (p panel) graph() cog.Builder[dashboard.Panel] {
	b := timeseries.NewPanelBuilder().Title(p.title).Description(p.about).Datasource(*source()).Span(p.width).Height(p.height).Unit(p.unit).
		Min(0).ColorScheme(colored("palette-classic-by-name")).LineWidth(1).FillOpacity(8).ShowPoints(common.VisibilityModeAuto).
		Legend(common.NewVizLegendOptionsBuilder().ShowLegend(true).DisplayMode(common.LegendDisplayModeTable).
			Placement(common.LegendPlacementBottom).Calcs([]string{"lastNotNull", "max"})).
		Tooltip(common.NewVizTooltipOptionsBuilder().Mode(common.TooltipDisplayModeMulti).Sort(common.SortOrderDescending))
	if p.kind == bars {
		b.DrawStyle(common.GraphDrawStyleBars).FillOpacity(80)
	}
	if p.kind == stack {
		b.FillOpacity(40)
	}
	if p.kind != lines {
		b.Stacking(ready[common.StackingConfig]{common.StackingConfig{Mode: ptr(common.StackingModeNormal), Group: ptr("A")}})
	}
	if p.share {
		b.Max(1)
	}
	if p.empty != "" {
		b.NoValue(p.empty)
	}
	if len(p.limits) > 0 {
		b.Thresholds(steps(p.limits)).ThresholdsStyle(ready[common.GraphThresholdsStyleConfig]{
			common.GraphThresholdsStyleConfig{Mode: common.GraphThresholdsStyleModeDashed}})
	}
	if p.toModel {
		b.DataLinks([]cog.Builder[dashboard.DashboardLink]{ready[dashboard.DashboardLink]{toModel("__field.labels.model")}})
	}
	for i, q := range p.queries {
		b.WithTarget(q.target(i, false, prometheus.PromQueryFormatTimeSeries))
		if props := q.look(); len(props) > 0 {
			b.OverrideByQuery(ref(i), props)
		}
	}
	return b
}

// look is how the series of one query differ from the others.
func (q query) look() []dashboard.DynamicConfigValue {
	var props []dashboard.DynamicConfigValue
	if q.color != "" {
		props = append(props, dashboard.DynamicConfigValue{Id: "color", Value: map[string]any{"mode": "fixed", "fixedColor": q.color}})
	}
	if q.dashed {
		props = append(props, dashboard.DynamicConfigValue{Id: "custom.lineStyle", Value: map[string]any{"fill": "dash", "dash": []int{10, 10}}},
			dashboard.DynamicConfigValue{Id: "custom.fillOpacity", Value: 0})
	}
	return props
}

func (p panel) heat() cog.Builder[dashboard.Panel] {
	b := heatmap.NewPanelBuilder().Title(p.title).Description(p.about).Datasource(*source()).Span(p.width).Height(p.height).Unit(p.unit).
		Calculate(false).CellGap(1).
		Color(heatmap.NewHeatmapColorOptionsBuilder().Mode(heatmap.HeatmapColorModeScheme).Scheme("Oranges").Exponent(0.5).Steps(64).Reverse(false).Fill("dark-orange")).
		FilterValues(heatmap.NewFilterValueRangeBuilder().Le(1e-9)).
		YAxis(heatmap.NewYAxisConfigBuilder().Unit(p.unit).AxisPlacement(common.AxisPlacementLeft)).
		Tooltip(heatmap.NewHeatmapTooltipBuilder().Mode(common.TooltipDisplayModeSingle).YHistogram(true))
	for i, q := range p.queries {
		b.WithTarget(q.target(i, false, prometheus.PromQueryFormatHeatmap))
	}
	return b
}
